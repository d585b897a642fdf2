import { describe, expect, it } from "vitest"
import { lifetimes } from "../../../src/gpu/memory.ts"
import type { Plan } from "../../../src/gpu/Plan.ts"
import { inPlace } from "../../../src/gpu/wasm/inPlace.ts"
import { lower } from "../../../src/ops/lower.ts"
import * as Ops from "../../../src/ops/Ops.ts"
import * as Tensor from "../../../src/ops/Tensor.ts"

const planOf = (f: (x: Tensor.Tensor) => ReadonlyArray<Tensor.Tensor>): Plan => {
  const x = Tensor.make([4, 8], { _tag: "Input" })
  return lower({ name: "test", inputs: [x], state: [], newState: [], outputs: f(x) })
}
/** for each step whether its (first) result lies where another array did */
const inPlaceOf = (plan: Plan): ReadonlyArray<readonly [string, boolean]> => {
  const { place } = inPlace(plan, lifetimes(plan))
  return plan.steps.map(({ code, outputs: [y = 0] }) => [code.name, place[y] !== y])
}
/** an array of its own: a sum is not computed where it is wanted */
const rows = (x: Tensor.Tensor) => Ops.mul(Ops.softmax(x, 1), 2)

describe("a result in place", () => {
  it("takes the array that its kernel reads last, element by element", () => {
    expect(inPlaceOf(planOf((x) => [Ops.sum(rows(rows(x)))]))).toEqual([
      ["amax", false],
      ["exp", false],
      ["sum", false],
      // exp(x) is over
      ["mul", true],
      ["amax", false],
      ["exp", true],
      ["sum", false],
      ["sum", false],
    ])
  })

  it("never takes an array that is read later, elsewhere, or by the host", () => {
    const later = planOf((x) => {
      const y = Ops.exp(x)
      return [Ops.sum(Ops.tanh(y)), Ops.sum(y, { dim: 0 })]
    })
    const elsewhere = planOf((x) => [Ops.sum(Ops.exp(Ops.permute(Ops.softmax(x, 1), [1, 0])), { dim: 0 })])
    const outside = planOf((x) => [Ops.exp(x)])
    for (const plan of [later, elsewhere, outside])
      expect(inPlaceOf(plan).flatMap(([name, taken]) => (taken ? [name] : []))).toEqual([])
  })

  it("keeps the place for as long as it is needed itself", () => {
    const plan = planOf((x) => [Ops.sum(rows(x), { dim: 0 }), Ops.sum(rows(x))])
    const { needs, place } = inPlace(plan, lifetimes(plan))
    const own = lifetimes(plan)
    place.forEach((root, b) => expect(needs[root]?.last ?? 0).toBeGreaterThanOrEqual(own[b]?.last ?? 0))
  })
})
