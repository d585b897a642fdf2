/**
 * Every check there is, one after the other: `npm test`. Words after `--` choose by name: `npm test -- types lint`.
 *
 * What cannot run here (no browser, no WebGPU) is reported as skipped, with what is missing; with `REQUIRE_GPU=1` that is
 * a failure instead. The last line counts: `N passed, N failed, N skipped`.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join, resolve } from "node:path"
import { findChromium, findSwiftShader } from "./graphics.ts"

const root = resolve(import.meta.dirname, "..")
const bin = join(root, "node_modules/.bin")

interface Check {
  readonly name: string
  readonly command: string
  readonly env?: Readonly<Record<string, string>>
  /** what is missing, where the check cannot run here */
  readonly missing?: string | undefined
  /** may be missing even where a GPU is required */
  readonly optional?: boolean
}

const swiftShader = findSwiftShader()
const chromium = findChromium()
const noWebGpu =
  swiftShader === undefined ? "no Vulkan driver for WebGPU: install Chromium (it brings SwiftShader)" : undefined
const noBrowser = chromium === undefined ? "no Chromium: install it, or name it in CHROMIUM" : undefined
const noGl = existsSync(join(root, "node_modules/gl/build")) ? undefined : "the optional package gl is not installed"
const vulkan: Record<string, string> = swiftShader === undefined ? {} : { VK_ICD_FILENAMES: swiftShader }

/** those that were given, and others that scripts/referenceCases.py computes */
type Folder = "golden" | "varied"
const conformance = (device: string, more = "", folder: Folder = "golden"): string =>
  `node scripts/conformance.ts property-tests/conformance/${folder} --device ${device}${more === "" ? "" : ` ${more}`}`
const folders = [
  ["", "golden"],
  ["-varied", "varied"],
] as const

const checks: ReadonlyArray<Check> = [
  { name: "types", command: "tsc -p ." },
  { name: "types-5.9", command: "node node_modules/typescript-5.9/bin/tsc -p tsconfig.build.json --noEmit" },
  { name: "types-6.0", command: "node node_modules/typescript-6.0/bin/tsc -p tsconfig.build.json --noEmit" },
  { name: "lint", command: "oxlint --deny-warnings" },
  { name: "format", command: "oxfmt --check" },
  { name: "effect", command: "effect-tsgo diagnostics --project tsconfig.json --strict --format text" },
  { name: "build", command: "npm run -s build" },
  { name: "tests-null", command: "vitest run --project null" },
  { name: "tests-cpu", command: "vitest run --project cpu" },
  { name: "tests-package", command: "vitest run --project package" },
  ...folders.flatMap(([suffix, folder]) =>
    ["wasm", "reference", "gpujs-cpu", "gpujs-webasm"].map((device) => ({
      name: `conformance-${device}${suffix}`,
      // every one of the second set is our own, so that none may be unsupported
      command: conformance(device, folder === "varied" ? "--all" : "", folder),
    })),
  ),
  { name: "tests-device", command: "vitest run --project device", env: vulkan, missing: noWebGpu },
  { name: "conformance-gpujs-webgpu", command: conformance("gpujs-webgpu"), env: vulkan, missing: noWebGpu },
  {
    name: "conformance-gpujs-webgpu-varied",
    command: conformance("gpujs-webgpu", "--all", "varied"),
    env: vulkan,
    missing: noWebGpu,
  },
  {
    name: "conformance-gpujs-webgpu-plain",
    command: conformance("gpujs-webgpu", "--plain"),
    env: vulkan,
    missing: noWebGpu,
  },
  { name: "conformance-gpujs-webgl2", command: conformance("gpujs-webgl2"), missing: noBrowser },
  { name: "conformance-gpujs-webgl", command: conformance("gpujs-webgl"), missing: noBrowser },
  { name: "conformance-gpujs-headlessgl", command: conformance("gpujs-headlessgl"), missing: noGl, optional: true },
]

interface Outcome {
  readonly status: "passed" | "failed" | "skipped"
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly note: string
  readonly seconds: number
}

// oxlint-disable-next-line no-control-regex
const plainText = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, "")

/** what a runner says of itself at its end; a tool that counts nothing is one check */
const count = (
  output: string,
): { readonly passed: number; readonly failed: number; readonly skipped: number } | undefined => {
  const text = plainText(output)
  const conformed = text.match(/(\d+) passed, (\d+) failed, (\d+) not supported\s*$/)
  if (conformed !== null)
    return { passed: Number(conformed[1]), failed: Number(conformed[2]), skipped: Number(conformed[3]) }
  const line = text.match(/^\s*Tests\s+(.*)$/m)?.[1]
  if (line === undefined) return undefined
  const of = (word: string): number => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0)
  return { passed: of("passed"), failed: of("failed"), skipped: of("skipped") + of("todo") }
}

const run = (check: Check): Promise<Outcome> => {
  const start = performance.now()
  if (check.missing !== undefined) {
    const must = process.env["REQUIRE_GPU"] === "1" && check.optional !== true
    const status = must ? "failed" : "skipped"
    return Promise.resolve({
      status,
      passed: 0,
      failed: must ? 1 : 0,
      skipped: must ? 0 : 1,
      note: check.missing,
      seconds: 0,
    })
  }
  console.log(`\n── ${check.name}: ${check.command}`)
  return new Promise((done) => {
    let output = ""
    const child = spawn(check.command, {
      cwd: root,
      shell: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...check.env, PATH: bin + delimiter + (process.env["PATH"] ?? "") },
    })
    const collect = (to: NodeJS.WriteStream) => (data: Buffer) => {
      output += data.toString()
      to.write(data)
    }
    child.stdout.on("data", collect(process.stdout))
    child.stderr.on("data", collect(process.stderr))
    child.on("close", (code) => {
      const seconds = (performance.now() - start) / 1000
      const counted = count(output)
      const base = counted ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 }
      const failed = code === 0 ? base.failed : Math.max(1, base.failed)
      const status = code === 0 ? "passed" : "failed"
      const note = counted === undefined ? "" : `${base.passed} passed, ${failed} failed, ${base.skipped} skipped`
      done({ ...base, failed, status, note, seconds })
    })
  })
}

const main = async (words: ReadonlyArray<string>): Promise<number> => {
  const chosen = checks.filter((c) => words.length === 0 || words.some((w) => c.name.includes(w)))
  const results: Array<readonly [Check, Outcome]> = []
  for (const check of chosen) results.push([check, await run(check)])
  console.log("")
  for (const [check, r] of results) {
    console.log(`${r.status.padEnd(8)} ${check.name.padEnd(32)} ${r.seconds.toFixed(1).padStart(6)} s  ${r.note}`)
  }
  const total = (key: "passed" | "failed" | "skipped"): number => results.reduce((n, [, r]) => n + r[key], 0)
  const broken = results.filter(([, r]) => r.status === "failed").map(([c]) => c.name)
  const left = results.filter(([, r]) => r.status === "skipped").map(([c]) => c.name)
  console.log("")
  if (broken.length > 0) console.log(`Failed: ${broken.join(", ")}. Again by itself: npm test -- ${broken[0]}`)
  else if (left.length > 0)
    console.log(`All that could run here passed. Skipped, for the reason above: ${left.join(", ")}.`)
  else console.log("Everything passed.")
  console.log(`${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`)
  return broken.length > 0 || results.length === 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
