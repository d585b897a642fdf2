/** The laws themselves: each must be broken by an op that is wrong in its way, with a small counterexample. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import * as K from "../src/gpu/Kernel.ts"
import * as Reference from "../src/gpu/reference/Reference.ts"
import * as Laws from "../src/laws.ts"
import * as Ops from "../src/ops/Ops.ts"
import * as Op from "../src/ops/Op.ts"
import { refuse } from "../src/shapes/Refusal.ts"
import type { Tensor } from "../src/ops/Tensor.ts"

/** y = x³, or what the test makes of it */
const cube = (parts: {
  readonly kernel?: (x: K.Value) => K.Value
  readonly factor?: number
  readonly shape?: Op.Primitive<object>["shape"]
}) => {
  const { kernel = (x: K.Value) => K.mul(x, K.mul(x, x)), factor = 3, shape = ([x]) => x ?? [] } = parts
  const op: Op.Primitive<object> = Op.primitive({
    name: "cube",
    shape,
    kernel: ({ at }) => [kernel(K.load(0, at))],
    gradient: Op.vjp(({ x, dy }) => [Ops.mul(dy, Ops.mul(Ops.square(x), factor))]),
  })
  return ({ x }: { readonly x: Tensor }): Tensor => Op.call(op, [x], {})
}

const description: Laws.Description<"x", object> = {
  name: "cube",
  cases: Laws.shapes({ x: Laws.extents({ rank: [1, 3] }) }),
  reference: ({ x }) => Laws.map(x, (v) => v ** 3),
  runs: 10,
}

const broken = (apply: Laws.Applied<"x", object>, changed: Partial<Laws.Description<"x", object>> = {}) =>
  Effect.forEach(Laws.op(apply, { ...description, ...changed }), (law) =>
    Effect.map(Effect.result(law.check), (result) => (Result.isFailure(result) ? [result.failure] : [])),
  ).pipe(
    Effect.map((errors) => errors.flat()),
    Effect.provide(Reference.layer),
    Effect.runPromise,
  )

describe("laws", () => {
  it("hold of an op that is right", async () => {
    expect(await broken(cube({}))).toEqual([])
  })

  it("find a wrong value, and shrink its input", async () => {
    const errors = await broken(cube({ kernel: (x) => K.add(K.mul(x, K.mul(x, x)), 0.001) }))
    expect(errors.map((e) => e.law)).toEqual(["computes what the reference computes"])
    expect(errors[0]?.message).toMatch(
      /cube breaks the law "computes what the reference computes" on reference: number 0 is/,
    )
    expect(errors[0]?.counterexample).toMatch(/^x \[1\] = -?[\d.]+$/)
  })

  it("find a wrong gradient, and shrink its input", async () => {
    const errors = await broken(cube({ factor: 2.9 }))
    expect(errors.map((e) => e.law)).toEqual([
      "has the gradient of the reference",
      "has the second derivative of the reference",
    ])
    expect(errors[0]?.why).toMatch(/^along a direction, the gradient of x is .* but the reference changes by /)
    expect(errors[0]?.counterexample).toMatch(/^x \[1\] = -?[\d.]+$/)
  })

  it("find a wrong shape", async () => {
    const errors = await broken(cube({}), { reference: ({ x }) => ({ shape: [...x.shape, 1], data: x.data }) })
    expect(errors[0]?.why).toBe("its shape is [1] but the reference's is [1, 1]")
  })

  it("find a refusal that is missing, and one that says something else", async () => {
    const refused = [{ shapes: { x: [1, 2, 3, 4] }, attributes: {}, says: "at most three dimensions" }]
    const [missing] = await broken(cube({}), { refused })
    expect(missing?.why).toBe("it takes it")
    const shape: Op.Primitive<object>["shape"] = ([x = []]) => (x.length > 3 ? refuse("expects fewer dimensions") : x)
    const [other] = await broken(cube({ shape }), { refused })
    expect(other?.why).toBe(`it says "cube: expects fewer dimensions", not "at most three dimensions"`)
    const right = [{ shapes: { x: [1, 2, 3, 4] }, attributes: {}, says: "expects fewer dimensions" }]
    expect(await broken(cube({ shape }), { refused: right })).toEqual([])
  })
})
