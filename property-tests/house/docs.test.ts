/** What the package exports says what it is for. */
import ts from "typescript-6.0"
import { describe, expect, it } from "vitest"
import { at, type Source, sources } from "./sources.ts"

const byPath = new Map(sources("src").map((s) => [s.path, s]))

interface Exported {
  readonly name: string
  readonly source: Source
  readonly node: ts.Statement
}

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword)

/** every value that a module exports, where it is declared; namespaces are entered */
const exportsOf = (path: string, seen = new Set<string>()): ReadonlyArray<Exported> => {
  const source = byPath.get(path)
  if (source === undefined || seen.has(path)) return []
  seen.add(path)
  return source.ast.statements.flatMap((node): ReadonlyArray<Exported> => {
    if (ts.isVariableStatement(node) && isExported(node))
      return node.declarationList.declarations.map((d) => ({ name: d.name.getText(), source, node }))
    if ((ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && isExported(node))
      return [{ name: node.name?.text ?? "", source, node }]
    if (!ts.isExportDeclaration(node) || node.isTypeOnly || node.moduleSpecifier === undefined) return []
    const target = source.imports.find((i) => i.specifier === node.moduleSpecifier?.getText().slice(1, -1))?.file
    if (target === undefined) return []
    const all = exportsOf(target, new Set(seen))
    if (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause)) return all
    const names = new Set(
      node.exportClause.elements.filter((e) => !e.isTypeOnly).map((e) => (e.propertyName ?? e.name).text),
    )
    return all.filter((e) => names.has(e.name))
  })
}

const documented = (node: ts.Statement): boolean =>
  ts.getJSDocCommentsAndTags(node).some((doc) => ts.isJSDoc(doc) && (doc.comment ?? "") !== "")

/** more than a name for what it is equal to: it has a body of its own */
const hasBody = (node: ts.Statement): boolean =>
  !ts.isVariableStatement(node) ||
  node.declarationList.declarations.some((d) => (d.initializer?.getText() ?? "").length > 120)

const entries = [...byPath.keys()].filter((p) => /^src\/(\w+\/)?index\.ts$/.test(p) || p === "src/laws.ts")

describe("everything that the package exports", () => {
  it("has a sentence that says what it is", () => {
    const bare = entries
      .flatMap((entry) => exportsOf(entry))
      .filter(({ node }) => hasBody(node) && !documented(node))
      .map(({ name, source, node }) => `${at(source, node)} ${name}`)
    expect([...new Set(bare)].toSorted()).toEqual([])
  })
})
