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

/** the function of an op: itself, or what its builder is given */
const functionOf = (initializer: ts.Expression | undefined): ts.ArrowFunction | undefined => {
  if (initializer === undefined || ts.isArrowFunction(initializer)) return initializer
  return ts.isCallExpression(initializer) ? initializer.arguments.find(ts.isArrowFunction) : undefined
}

/** whether an op is seen to take tensors only, all of which are required: by its type, or by its parameters */
const takesTensors = ({ type, initializer }: ts.VariableDeclaration): boolean => {
  if (type !== undefined && /^(Unary$|Binary<)/.test(type.getText())) return true
  const f = functionOf(initializer)
  return f !== undefined && f.parameters.every((p) => isTensor(p, f))
}

/** the ops that take more than tensors, or of which that cannot be seen */
const withOptions = sources("src/ops").flatMap(({ ast }) => {
  const found: Array<string> = []
  ts.forEachChild(ast, (node) => {
    if (!ts.isVariableStatement(node)) return
    for (const declaration of node.declarationList.declarations) {
      const { name } = declaration
      if (ts.isIdentifier(name) && name.text in Ops && !takesTensors(declaration)) found.push(name.text)
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
