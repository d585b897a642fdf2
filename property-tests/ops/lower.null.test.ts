/** Which kernels a graph becomes, and in what order they run: nothing is computed here. */
import { describe, expect, it } from "vitest"
import { forEachValue, isPoint } from "../../src/gpu/expression.ts"
import type { Plan, Step } from "../../src/gpu/Plan.ts"
import { lower } from "../../src/ops/lower.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

const symbol = <const S extends ReadonlyArray<number>>(...shape: S): Tensor.Tensor<[...S]> =>
  Tensor.make<[...S]>([...shape], { _tag: "Input" })

const graph = (parts: Partial<Parameters<typeof lower>[0]>): Plan =>
  lower({ name: "test", inputs: [], state: [], newState: [], outputs: [], ...parts })

const names = (plan: Plan): ReadonlyArray<string> => plan.steps.map((s) => s.code.name)
const roleOf = (plan: Plan, buffer: number | undefined): string => plan.buffers[buffer ?? -1]?.role._tag ?? "none"
const writes = (step: Step | undefined, buffer: number): boolean => step?.outputs.includes(buffer) === true

describe("producers", () => {
  it("that are element-wise dissolve into their only consumer", () => {
    const x = symbol(4)
    const plan = graph({ inputs: [x], outputs: [Ops.exp(Ops.neg(Ops.square(x)))] })
    expect(names(plan)).toEqual(["exp"])
  })

  it("that several kernels read are arrays of their own", () => {
    const x = symbol(4)
    const y = Ops.exp(x)
    const plan = graph({ inputs: [x], outputs: [Ops.sum(y), Ops.relu(y)] })
    expect(names(plan).toSorted()).toEqual(["exp", "relu", "sum"])
  })

  it("that hold a reduction are arrays of their own", () => {
    const x = symbol(4, 3)
    const plan = graph({ inputs: [x], outputs: [Ops.sub(x, Ops.sum(x, { dim: 1, keepDim: true }))] })
    expect(names(plan)).toEqual(["sum", "sub"])
  })

  it("that are costly are not repeated for every element of a larger consumer", () => {
    const [x, s] = [symbol(4, 3), symbol(4, 1)]
    expect(names(graph({ inputs: [x, s], outputs: [Ops.add(x, Ops.log(s))] }))).toEqual(["log", "add"])
    expect(names(graph({ inputs: [x, s], outputs: [Ops.add(x, Ops.neg(s))] }))).toEqual(["add"])
  })

  it("that only change the shape cost no kernel", () => {
    const x = symbol(2, 3, 4)
    const plan = graph({ inputs: [x], outputs: [Ops.relu(Ops.flatten(Ops.exp(x)))] })
    expect(names(plan)).toEqual(["exp", "relu"])
    expect(plan.steps[1]?.code).toMatchObject({ inputs: [[2, 12]] })
  })

  it("that are numbers become constants of the expression", () => {
    const x = symbol(3)
    const plan = graph({ inputs: [x], outputs: [Ops.mul(Ops.add(x, 1), 2)] })
    expect(plan.buffers.filter((b) => b.role._tag === "Constant")).toEqual([])
  })

  it("whose second output nobody reads do not store it", () => {
    const x = symbol(1, 4, 4)
    const plan = graph({ inputs: [x], outputs: [Ops.maxPool2d(x, { kernelSize: 2 })] })
    expect(plan.steps.map((s) => s.outputs.length)).toEqual([1])
  })

  it("do not grow a kernel without bound", () => {
    const x = symbol(3)
    let y: Tensor.Tensor = x
    for (let i = 0; i < 400; i++) y = Ops.relu(Ops.add(y, x))
    const plan = graph({ inputs: [x], outputs: [y] })
    expect(plan.steps.length).toBeGreaterThan(1)
    expect(plan.steps.length).toBeLessThan(40)
  })
})

describe("state", () => {
  it("is updated in place by one kernel for all that an optimiser keeps of a parameter", () => {
    const [p, m, v, g] = [symbol(5), symbol(5), symbol(5), symbol(5)]
    const m1 = Ops.add(Ops.mul(m, 0.9), Ops.mul(g, 0.1))
    const v1 = Ops.add(Ops.mul(v, 0.99), Ops.mul(Ops.square(g), 0.01))
    const p1 = Ops.sub(p, Ops.div(m1, Ops.add(Ops.sqrt(v1), 1e-8)))
    const plan = graph({ inputs: [g], state: [p, m, v], newState: [p1, m1, v1] })
    expect(plan.steps).toHaveLength(1)
    expect(plan.steps[0]?.outputs.map((b) => roleOf(plan, b))).toEqual(["State", "State", "State"])
  })

  it("is overwritten after the last read of the old", () => {
    const [p, x] = [symbol(3, 3), symbol(3, 3)]
    const y = Ops.matmul(x, p)
    const plan = graph({ inputs: [x], state: [p], newState: [Ops.mul(p, 2)], outputs: [y] })
    expect(names(plan)).toEqual(["matmul", "mul"])
  })

  it("that is exchanged goes through a temporary", () => {
    const [a, b] = [symbol(3), symbol(3)]
    const plan = graph({ state: [a, b], newState: [b, a] })
    const state = plan.buffers.flatMap((buffer, i) => (buffer.role._tag === "State" ? [i] : []))
    // the old value of each is read before it is overwritten
    for (const s of state) {
      const written = plan.steps.findIndex((step) => writes(step, s))
      const read = plan.steps.findLastIndex((step) => step.inputs.includes(s))
      expect(written).toBeGreaterThan(read)
    }
  })

  it("that is read at other points than it is written is not updated in place", () => {
    const w = symbol(3, 3)
    const plan = graph({ state: [w], newState: [Ops.matmul(w, w)] })
    expect(names(plan)).toEqual(["matmul", "copy"])
    expect(roleOf(plan, plan.steps[0]?.outputs[0])).toBe("Temp")
  })

  it("that stays costs nothing", () => {
    const [p, x] = [symbol(3), symbol(3)]
    const plan = graph({ inputs: [x], state: [p], newState: [p], outputs: [Ops.add(x, p)] })
    expect(names(plan)).toEqual(["add"])
  })

  it("never stands among a kernel's inputs and outputs unless it is read where it is written", () => {
    const [p, m] = [symbol(2, 3), symbol(2, 3)]
    const normalised = Ops.div(p, Ops.sum(p, { dim: 1, keepDim: true }))
    const plan = graph({ state: [p, m], newState: [Ops.sub(p, normalised), Ops.add(m, Ops.sum(p))] })
    const wrong = plan.steps.flatMap(({ code, inputs, outputs }) => {
      const both = inputs.flatMap((b, i) => (outputs.includes(b) ? [i] : []))
      if (code._tag === "Contraction") return both
      const elsewhere: Array<number> = []
      for (const store of code.stores)
        forEachValue(store, (v) => {
          if (v._tag === "Load" && both.includes(v.input) && !isPoint(v.at)) elsewhere.push(v.input)
        })
      return elsewhere
    })
    expect(wrong).toEqual([])
  })

  it("whose updates wait for each other through another kernel is still computed", () => {
    const [a, b] = [symbol(3), symbol(3)]
    const a1 = Ops.mul(a, 2)
    const b1 = Ops.add(Ops.add(b, a1), Ops.sum(a1))
    const plan = graph({ state: [a, b], newState: [a1, b1] })
    expect(names(plan).filter((n) => n === "sum")).toHaveLength(1)
    expect(plan.steps.length).toBeGreaterThanOrEqual(3)
  })
})
