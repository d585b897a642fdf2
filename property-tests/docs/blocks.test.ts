/**
 * The TypeScript of README and docs: each block compiles against the sources, those with `// =>` run and print what they
 * say, and a line with `// error` gives the compiler's message that stands in the text block after it.
 */
import { execFile } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compile, root } from "../types/compile.ts"

interface Block {
  readonly place: string
  readonly language: string
  readonly code: string
  /** the path at which the page says that it stands */
  readonly file: string | undefined
}

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".md"))
    .toSorted()
    .map((f) => `docs/${f}`),
]

const blocksOf = (page: string): ReadonlyArray<Block> => {
  const text = readFileSync(join(root, page), "utf8")
  return Array.from(text.matchAll(/(?:<!-- file: (\S+) -->\s*)?^```(\w+)\n([\s\S]*?)^```$/gm), (m) => ({
    place: `${page}:${text.slice(0, m.index + m[0].indexOf("```")).split("\n").length}`,
    language: m[2] ?? "",
    code: m[3] ?? "",
    file: m[1],
  }))
}

// beside the sources, so that packages are found as they find them
const folder = join(root, "property-tests", `.blocks-${process.pid}`)

/** imports of the package, or of files relative to the page's own file, as imports of the sources */
const rewritten = ({ code, file }: Block): string =>
  code.replaceAll(/(from ")([^"]+)(")/g, (whole, before: string, name: string, after: string) => {
    const inner = /^effect-nn(?:\/(\w+))?$/.exec(name)
    if (inner !== null) {
      const entry = inner[1] === "laws" ? "laws.ts" : inner[1] === undefined ? "index.ts" : `${inner[1]}/index.ts`
      return `${before}../../src/${entry}${after}`
    }
    return name.startsWith(".") && file !== undefined
      ? `${before}../../${join(dirname(file), name).replaceAll("\\", "/")}${after}`
      : whole
  })

const all = pages.flatMap(blocksOf)
// the law file of the walk-through is of an op that the library does not have
const isForeign = (block: Block): boolean => block.file?.startsWith("property-tests/") === true
const typescript = all.flatMap((block, i) =>
  block.language === "ts" && !isForeign(block) ? [{ block, next: all[i + 1] }] : [],
)
const name = (i: number): string => `block${i}.ts`
let printed = ""

beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  for (const [i, { block }] of typescript.entries()) writeFileSync(join(folder, name(i)), rewritten(block))
  printed = await compile(
    "typescript",
    typescript.map((_, i) => join(folder, name(i))),
    ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"],
  )
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** line and message of each error of a block */
const errorsOf = (i: number): ReadonlyArray<{ readonly line: number; readonly text: string }> =>
  Array.from(printed.matchAll(/^(.+?)\((\d+),\d+\): (error .*)$/gm)).flatMap(([, file, line, text]) =>
    file?.endsWith(`/${name(i)}`) ? [{ line: Number(line), text: text ?? "" }] : [],
  )

describe("the pages", () => {
  it("have code, and hold no error outside it", () => {
    expect(typescript.length).toBeGreaterThan(4)
    const elsewhere = printed.split("\n").filter((l) => l.includes("error TS") && !l.includes(".blocks-"))
    expect(elsewhere).toEqual([])
  })

  it.each(typescript.map((t, i) => ({ place: t.block.place, i })))("$place compiles as it says", ({ i }) => {
    const { block, next } = typescript[i]!
    const wrong = block.code.split("\n").flatMap((line, at) => (line.endsWith("// error") ? [at + 1] : []))
    const errors = errorsOf(i)
    if (wrong.length === 0) expect(errors).toEqual([])
    else {
      expect(errors.map((e) => e.line)).toEqual(wrong)
      expect(`${errors.map((e) => e.text).join("\n")}\n`).toBe(next?.code)
    }
  })

  it.each(
    typescript.flatMap((t, i) =>
      t.block.code.includes("// =>") ? [{ place: t.block.place, code: t.block.code, i }] : [],
    ),
  )(
    "$place prints what it says",
    async ({ code, i }) => {
      const expected = Array.from(code.matchAll(/\/\/ => (.*)$/gm), (m) => m[1])
      const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name(i))])
      expect(stdout.trimEnd().split("\n")).toEqual(expected)
    },
    60_000,
  )
})
