/**
 * What users see, on every compiler they may have. In a fixture a line ends with
 * `//! sentence` for the one error on it, `//~ text` for an error that says so somewhere, or `//? type` for what the
 * editor shows of the name that the line declares; every other line compiles.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { describe, expect, test } from "vitest"
import { compile, compilers, type Diagnostic, diagnostics, filesIn } from "./compile.ts"

const fixtures = filesIn("fixtures").map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n") }))

/** a file that asks for the printed type of every name with a `//?`: one error a line says it */
const probes = fixtures.flatMap(({ file, lines }) =>
  lines.flatMap((line, i) => {
    const [, want] = /\/\/\? (.*)$/.exec(line) ?? []
    const [, kind, name] = /export (const|type) (\w+)/.exec(line) ?? []
    if (want === undefined || name === undefined) return []
    const text = `import type * as f from ${JSON.stringify(file)}
declare const v: ${kind === "type" ? "" : "typeof "}f.${name}
export const probe: "?" = v`
    return [{ where: `${basename(file)}:${i + 1}`, name: `probe${basename(file, ".ts")}${i}.mts`, text, want }]
  }),
)

/** the sentence that stands where a type was asked for, or the whole message */
const sentence = (d: Diagnostic): string => /type '"(.*)"'\.$/.exec(d.text)?.[1]?.replaceAll('\\"', '"') ?? d.text
const printed = (d: Diagnostic): string =>
  /^Type '(.*)' is not assignable to type '"\?"'\.$/.exec(d.text)?.[1] ?? d.text

describe.each(compilers)("%s", (compiler) => {
  test("every fixture has the errors and types that it says, and no others", { timeout: 180_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "effect-nn-probes-"))
    for (const p of probes) writeFileSync(join(folder, p.name), p.text)
    const files = [...fixtures.map((f) => f.file), ...probes.map((p) => join(folder, p.name))]
    const found = diagnostics(await compile(compiler, files))
    rmSync(folder, { recursive: true })

    const got: Array<string> = []
    const wanted: Array<string> = []
    for (const { file, lines } of fixtures)
      lines.forEach((line, i) => {
        const where = `${basename(file)}:${i + 1}`
        const here = found.filter((d) => d.file === basename(file) && d.line === i + 1)
        const exact = /\/\/! (.*)$/.exec(line)?.[1]
        const part = /\/\/~ (.*)$/.exec(line)?.[1]
        if (exact !== undefined) wanted.push(`${where} ${exact}`)
        if (part !== undefined) wanted.push(`${where} …${part}…`)
        for (const d of here)
          got.push(part !== undefined && d.whole.includes(part) ? `${where} …${part}…` : `${where} ${sentence(d)}`)
      })
    for (const p of probes) {
      wanted.push(`${p.where} ${p.want}`)
      for (const d of found.filter((d) => d.file === p.name)) got.push(`${p.where} ${printed(d)}`)
    }
    expect(wanted.length).toBeGreaterThan(40)
    expect(got).toEqual(wanted)
  })
})
