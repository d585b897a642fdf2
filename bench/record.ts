/** The results that are kept: for each suite the last run, with when, on what and how it was measured. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, loadavg, release, totalmem, type } from "node:os"
import { join } from "node:path"
import type { Options } from "./options.ts"
import type { Result } from "./Result.ts"

export interface Machine {
  readonly processor: string
  readonly processors: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly v8: string
  /** processes that wanted a processor just before, on average over a minute: near 0 on a machine that is left alone */
  readonly load: number
}

/** one run of a suite */
export interface Run {
  /** ISO 8601 */
  readonly date: string
  readonly command: string
  readonly machine: Machine
  readonly ours: string
  readonly peers: { readonly [name: string]: string }
  readonly missing: { readonly [name: string]: string }
  readonly results: ReadonlyArray<Result>
}

export type Record = { readonly [suite: string]: Run }

export const machine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? "unknown",
  processors: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.versions.node,
  v8: process.versions.v8,
  load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
})

const isJavaScript = (peer: string): boolean => /^(tfjs|jax)/.test(peer)

/**
 * The file for what the options choose. 128-bit vectors are another thing than all that the engine has; and peers in JavaScript
 * take so long that they may have a run of their own.
 */
export const fileOf = (folder: string, options: Pick<Options, "narrow" | "device" | "peers">): string => {
  const javaScript = options.peers.length > 0 && options.peers.every(isJavaScript)
  return join(folder, `${options.device}${options.narrow ? "-narrow" : ""}${javaScript ? "-javascript" : ""}.json`)
}

export const readRecord = (file: string): Record =>
  // what `writeRun` wrote
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record) : {}

/** puts the run of a suite in place of the last one */
export const writeRun = (folder: string, file: string, suite: string, run: Run): void => {
  mkdirSync(folder, { recursive: true })
  const record = { ...readRecord(file), [suite]: run }
  const suites = Object.entries(record).map(([name, { results, ...about }]) => {
    const head = JSON.stringify(about, null, 2).replace(/\n}$/, "").replaceAll("\n", "\n  ")
    const lines = results.map((r) => `      ${JSON.stringify(r)}`).join(",\n")
    return `  ${JSON.stringify(name)}: ${head},\n    "results": [\n${lines}\n    ]\n  }`
  })
  writeFileSync(file, `{\n${suites.join(",\n")}\n}\n`)
}
