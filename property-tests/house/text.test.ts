/** What the sources may not contain. */
import { describe, expect, it } from "vitest"
import ts from "typescript-6.0"
import { at, type Source, sources } from "./sources.ts"

const src = sources("src")
const everything = [...src, ...["property-tests", "scripts", "bench", "examples"].flatMap(optional)]
function optional(folder: string): ReadonlyArray<Source> {
  try {
    return sources(folder)
  } catch {
    return [] // a folder that is not there yet
  }
}

const maxLines = 600
const generated = (s: Source): boolean => s.path === "src/shapes/tables.ts"

/** every node of the files for which `offence` gives a sentence, with its place */
const search = (files: ReadonlyArray<Source>, offence: (node: ts.Node) => string | undefined): string => {
  const found: Array<string> = []
  for (const source of files) {
    const visit = (node: ts.Node): void => {
      const what = offence(node)
      if (what !== undefined) found.push(`${at(source, node)} ${what}`)
      ts.forEachChild(node, visit)
    }
    visit(source.ast)
  }
  return found.join("\n")
}

describe("no source", () => {
  it(`has more than ${maxLines} lines`, () => {
    const long = everything
      .filter((s) => !generated(s))
      .map((s) => ({ path: s.path, lines: s.text.trimEnd().split("\n").length }))
      .filter((s) => s.lines > maxLines)
    expect(long).toEqual([])
  })

  it("says `any`", () => {
    expect(search(src, (n) => (n.kind === ts.SyntaxKind.AnyKeyword ? "any" : undefined))).toBe("")
  })

  it("casts through `unknown`", () => {
    const through = (n: ts.Node) =>
      ts.isAsExpression(n) && ts.isAsExpression(n.expression) && n.expression.type.kind === ts.SyntaxKind.UnknownKeyword
        ? "a cast through `unknown`"
        : undefined
    expect(search(src, through)).toBe("")
  })

  it("switches the compiler off", () => {
    const off = src.flatMap((s) =>
      s.text
        .split("\n")
        .flatMap((line, i) =>
          /@ts-(ignore|nocheck|expect-error)/.test(line) ? [`${s.path}:${i + 1} ${line.trim()}`] : [],
        ),
    )
    expect(off).toEqual([])
  })

  it("defines a class that is neither a service nor an error", () => {
    const other = (n: ts.Node) => {
      if (!ts.isClassDeclaration(n)) return undefined
      const heritage = n.heritageClauses?.map((h) => h.getText()).join(" ") ?? ""
      return /TaggedError|Context\.Service/.test(heritage) ? undefined : `class ${n.name?.text ?? ""}`
    }
    expect(search(src, other)).toBe("")
  })
})
