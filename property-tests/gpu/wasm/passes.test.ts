import { afterAll, assert, describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Device } from "../../../src/gpu/Device.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import type { Buffer, Plan, Step } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { findPasses } from "../../../src/gpu/wasm/passes.ts"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import { lower } from "../../../src/ops/lower.ts"
import * as Ops from "../../../src/ops/Ops.ts"
import * as Tensor from "../../../src/ops/Tensor.ts"

const reference = ManagedRuntime.make(Reference.layer)
const threads = [1, 2, 3].map((n) => ManagedRuntime.make(Wasm.layer({ threads: n })))
afterAll(async () => {
  for (const r of [reference, ...threads]) await r.dispose()
})

const planOf = (shape: ReadonlyArray<number>, f: (x: Tensor.Tensor) => Tensor.Tensor): Plan => {
  const x = Tensor.make(shape, { _tag: "Input" })
  return lower({ name: "test", inputs: [x], state: [], newState: [], outputs: [f(x)] })
}
/** the passes, without the numbers of buffers */
const shown = (plan: Plan) =>
  findPasses(plan).map(({ first, last, rows, local }) => ({
    steps: plan.steps.slice(first, last + 1).map((s) => s.code.name),
    rows,
    local: [...local].map((b) => plan.buffers[b]?.shape.join("×")),
  }))

describe("passes", () => {
  it("take the rows of a normalisation through all of its kernels", () => {
    expect(shown(planOf([512, 1024], (x) => Ops.softmax(x, 1)))).toEqual([
      { steps: ["amax", "exp", "sum", "div"], rows: 512, local: ["512×1", "512×1024", "512×1"] },
    ])
    expect(shown(planOf([8, 64, 1024], (x) => Ops.layerNorm(x, [1024])))).toEqual([
      { steps: ["mul", "rsqrt", "mul"], rows: 512, local: ["8×64×1", "8×64×1"] },
    ])
  })

  it("are not made where a cache holds everything, or not even a row", () => {
    expect(shown(planOf([64, 1024], (x) => Ops.softmax(x, 1)))).toEqual([])
    expect(shown(planOf([64, 100_000], (x) => Ops.softmax(x, 1)))).toEqual([])
  })

  it("end where a row needs another", () => {
    const plan = planOf([512, 1024], (x) => Ops.softmax(Ops.softmax(x, 1), 0))
    expect(shown(plan).map((p) => p.steps)).toEqual([["amax", "exp", "sum", "div"]])
  })
})

// ---------- plans at random, in whole numbers, so that every order of a sum gives the same bits

const bounded = (v: K.Value) => K.min(K.max(v, -50), 50)
const [row, column, along] = [K.axis(0), K.axis(1), K.axis(64)]

interface Case {
  readonly plan: Plan
}

const planCase: fc.Arbitrary<Case> = fc.gen().map((g): Case => {
  const integer = (min: number, max: number): number => g(fc.integer, { min, max })
  const [rows, columns] = [integer(32, 70), integer(4000, 4100)]
  const [wide, narrow] = [
    [rows, columns],
    [rows, 1],
  ]
  const buffers: Array<Buffer> = [
    { shape: wide, role: { _tag: "State", slot: 0 } },
    { shape: wide, role: { _tag: "Input", slot: 0 } },
  ]
  const [wides, narrows] = [[0, 1], [] as Array<number>]
  const steps: Array<Step> = []
  const any = (of: ReadonlyArray<number>): number => of[integer(0, of.length - 1)] ?? 0
  const push = (space: ReadonlyArray<number>, inputs: ReadonlyArray<number>, store: K.Value, to?: number) => {
    const output = to ?? buffers.push({ shape: space, role: { _tag: "Temp" } }) - 1
    const shapes = inputs.map((b) => buffers[b]?.shape ?? [])
    const code: K.Kernel = { _tag: "Kernel", name: `step ${steps.length}`, space, inputs: shapes, stores: [store] }
    steps.push({ code, inputs, outputs: [output] })
    return output
  }
  const over = [{ axis: 64, extent: columns }]
  const here = (input: number) => K.load(input, [row, column])
  const elements = (): void => void wides.push(push(wide, [any(wides), any(wides)], bounded(K.sub(here(0), here(1)))))
  const kinds: ReadonlyArray<() => void> = [
    elements,
    () => narrows.push(push(narrow, [any(wides)], bounded(K.sum(over, K.load(0, [row, along]))))),
    () => narrows.push(push(narrow, [any(wides)], K.maximum(over, K.load(0, [row, along])))),
    () =>
      narrows.length === 0
        ? elements()
        : wides.push(push(wide, [any(wides), any(narrows)], bounded(K.add(here(0), K.load(1, [row, K.int(0)]))))),
    // elsewhere in the row, elsewhere altogether, out of range
    () => wides.push(push(wide, [any(wides)], K.load(0, [row, K.isub(columns - 1, column)]))),
    () => {
      const there = K.load(1, [K.isub(rows - 1, row), column])
      wides.push(push(wide, [any(wides), any(wides)], bounded(K.sub(here(0), there))))
    },
    () => {
      const moved = K.iadd(column, integer(0, 1) === 0 ? 5 : 40_000)
      const there = K.load(0, [row, moved])
      wides.push(push(wide, [any(wides)], K.select(K.compareIndex("lt", moved, columns), there, 1)))
    },
    () => push(wide, [0, any(wides)], bounded(K.add(here(0), here(1))), 0),
  ]
  const count = integer(3, 12)
  for (let i = 0; i < count; i++) kinds[integer(0, 9) % kinds.length]?.()
  const output = buffers.push({ shape: wide, role: { _tag: "Output", slot: 0 } }) - 1
  push(wide, [any(wides), wides.at(-1) ?? 0], bounded(K.add(here(0), here(1))), output)
  return { plan: { name: "random", buffers, steps } }
})

const run = ({ plan }: Case) =>
  Effect.scoped(
    Effect.gen(function* () {
      const device = yield* Device
      const shape = plan.buffers[0]?.shape ?? []
      const executable = yield* device.compile(plan)
      const state = yield* device.allocate(shape)
      const size = shape.reduce((n, d) => n * d, 1)
      const input = Float32Array.from({ length: size }, (_, i) => ((i * 7) % 23) - 11)
      const results = [...(yield* executable.run([input], [state])), ...(yield* executable.run([input], [state]))]
      return [...results, yield* device.read(state)]
    }),
  )

describe("plans of many kernels over rows", () => {
  it("give what the interpreter gives, with any number of threads", async () => {
    let [passes, kept] = [0, 0]
    await fc.assert(
      fc.asyncProperty(planCase, async (c) => {
        for (const p of findPasses(c.plan)) {
          passes++
          kept += p.local.size
        }
        const expected = await reference.runPromise(run(c))
        for (const r of threads) {
          const got = await r.runPromise(run(c))
          got.forEach((y, i) => {
            const wrong = y.findIndex((v, at) => v !== expected[i]?.[at])
            if (wrong >= 0) assert.fail(`${i}, ${wrong}: ${y[wrong]} and not ${expected[i]?.[wrong]}`)
          })
        }
      }),
      { numRuns: 40, seed: 11 },
    )
    expect(passes).toBeGreaterThan(20)
    expect(kept).toBeGreaterThan(20)
  }, 120_000)
})
