/** The table of the conformance runner against the sources of the ops: nothing an op takes may go unsaid. */
import { describe, expect, it } from "vitest"
import ts from "typescript-6.0"
import * as Ops from "../../src/ops/Ops.ts"
import { table, unreferenced } from "../conformance/ops.ts"
import { sources } from "./sources.ts"

/** whether a parameter is a tensor: its type, or the bound of its type parameter, begins with one */
const isTensor = (parameter: ts.ParameterDeclaration, f: ts.ArrowFunction): boolean => {
  const type = parameter.type?.getText() ?? ""
  const bound = f.typeParameters?.find((p) => p.name.text === type)?.constraint?.getText() ?? ""
  const tensor = /^(Tensor\b|Checked<|Target<|ClassIndices<)/
  return (tensor.test(type) || tensor.test(bound)) && parameter.questionToken === undefined
}

/**
 * The exported functions of the ops, plain or given to `Op.composed`, that take more than tensors, all of which are
 * required.
 */
const withOptions = sources("src/ops").flatMap(({ ast }) => {
  const found: Array<string> = []
  ts.forEachChild(ast, (node) => {
    if (!ts.isVariableStatement(node)) return
    for (const { name, initializer } of node.declarationList.declarations) {
      if (!ts.isIdentifier(name) || !(name.text in Ops) || initializer === undefined) continue
      const f = ts.isCallExpression(initializer) ? (initializer.arguments.at(-1) ?? initializer) : initializer
      if (ts.isArrowFunction(f) && !f.parameters.every((p) => isTensor(p, f))) found.push(name.text)
    }
  })
  return found
})

describe("the table of the conformance runner", () => {
  it("has a line for every op that takes more than its inputs in order", () => {
    const said = new Set([...Object.keys(table), ...Object.keys(unreferenced)])
    expect(withOptions.filter((name) => !said.has(name))).toEqual([])
    expect(withOptions).toEqual(expect.arrayContaining(["conv2d", "elu", "linear", "softmax", "concat"]))
  })

  it("names ops that there are, each once", () => {
    const names = [...Object.keys(table), ...Object.keys(unreferenced)]
    expect(names.filter((name) => !(name in Ops))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })
})
