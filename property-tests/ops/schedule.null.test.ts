/** The order of a plan's steps, on steps that are only names. */
import { describe, expect, it } from "vitest"
import type { Buffer, Step } from "../../src/gpu/Plan.ts"
import * as K from "../../src/gpu/Kernel.ts"
import { inOrder, type ScheduledStep, type Update } from "../../src/ops/schedule.ts"

const step = (name: string, inputs: ReadonlyArray<number>, output: number): ScheduledStep => ({
  step: {
    code: { _tag: "Kernel", name, space: [1], inputs: inputs.map(() => [1]), stores: [K.constant(0)] },
    inputs,
    outputs: [output],
  },
  elsewhere: new Set(),
})
const buffers = (n: number): ReadonlyArray<Buffer> =>
  Array.from({ length: n }, () => ({ shape: [1], role: { _tag: "Temp" } }))
const names = (steps: ReadonlyArray<Step> | undefined) => steps?.map((s) => s.code.name)

describe("the order of steps", () => {
  // weights 0 and 1, what they become 8 and 9
  const updates: ReadonlyArray<Update> = [
    { fresh: 8, state: 0 },
    { fresh: 9, state: 1 },
  ]
  it("updates a weight as soon as nothing reads the old one any more, which frees its gradient", () => {
    const steps = [
      step("forward 0", [0], 2),
      step("forward 1", [1, 2], 3),
      step("weight gradient 1", [2, 3], 4),
      step("update 1", [1, 4], 9),
      step("input gradient 1", [1, 3], 5),
      step("weight gradient 0", [5], 6),
      step("update 0", [0, 6], 8),
    ]
    expect(names(inOrder(steps, buffers(10), updates)?.steps)).toEqual([
      "forward 0",
      "forward 1",
      "weight gradient 1",
      "input gradient 1",
      "update 1",
      "weight gradient 0",
      "update 0",
    ])
  })

  it("copies where each of two new states needs the other's old one", () => {
    const steps = [step("0 from 1", [1], 8), step("1 from 0", [0], 9)]
    const order = names(inOrder(steps, buffers(10), updates)?.steps)
    expect(order?.toSorted()).toEqual(["0 from 1", "1 from 0", "copy"])
  })

  it("knows steps that wait for each other", () => {
    expect(inOrder([step("a", [3], 2), step("b", [2], 3)], buffers(4), [])).toBeNull()
  })
})
