/** The project's own sources, read once, with what each imports. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript-6.0"

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..")

export interface Import {
  readonly specifier: string
  /** the file imported, relative to the root, where it is one of ours */
  readonly file: string | undefined
  readonly typeOnly: boolean
  /** `import("…")` in the middle of code */
  readonly dynamic: boolean
  readonly line: number
}

export interface Source {
  /** relative to the root */
  readonly path: string
  readonly text: string
  readonly ast: ts.SourceFile
  readonly imports: ReadonlyArray<Import>
}

const list = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts") && !f.includes("node_modules"))
    .map((f) => join(folder, f).replaceAll("\\", "/"))
    .toSorted()

const importsOf = (path: string, ast: ts.SourceFile): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = (node: ts.Node, specifier: string, typeOnly: boolean, dynamic: boolean) =>
    found.push({
      specifier,
      file: specifier.startsWith(".") ? relative(root, resolve(root, dirname(path), specifier)) : undefined,
      typeOnly,
      dynamic,
      line: ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1,
    })
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause
      const named = clause?.namedBindings
      const onlyTypes =
        clause !== undefined &&
        (clause.phaseModifier === ts.SyntaxKind.TypeKeyword ||
          (clause.name === undefined &&
            named !== undefined &&
            ts.isNamedImports(named) &&
            named.elements.every((e) => e.isTypeOnly)))
      add(node, node.moduleSpecifier.text, onlyTypes, false)
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      add(node, node.moduleSpecifier.text, node.isTypeOnly, false)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument !== undefined && ts.isStringLiteral(argument)) add(node, argument.text, false, true)
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      if (ts.isStringLiteral(node.argument.literal)) add(node, node.argument.literal.text, true, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return found
}

const read = (path: string): Source => {
  const text = readFileSync(join(root, path), "utf8")
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  return { path, text, ast, imports: importsOf(path, ast) }
}

/** every `.ts` file of a folder of the project, in order of path */
export const sources = (folder: string): ReadonlyArray<Source> => list(folder).map(read)

/** `path:line` of a node, as editors understand it */
export const at = (source: Source, node: ts.Node): string =>
  `${source.path}:${source.ast.getLineAndCharacterOfPosition(node.getStart(source.ast)).line + 1}`
