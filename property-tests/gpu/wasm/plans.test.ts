import { afterAll, assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Device } from "../../../src/gpu/Device.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import type { Buffer, Plan, Step } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"

const reference = ManagedRuntime.make(Reference.layer)
const two = ManagedRuntime.make(Wasm.layer({ threads: 2 }))
const three = ManagedRuntime.make(Wasm.layer({ threads: 3 }))
afterAll(async () => {
  for (const r of [reference, two, three]) await r.dispose()
})

/** large enough that threads share the work, and so small that all wait for the slowest now and then */
const sizes = [120, 30_000]
const bounded = (v: K.Value) => K.min(K.max(v, -100), 100)
const here = K.axis(0)

/** kernels that read far from where they write, so that a missing wait shows */
const kernels = (n: number, shift: number): ReadonlyArray<{ readonly arity: number; readonly store: K.Value }> => [
  { arity: 2, store: bounded(K.add(K.load(0, [here]), K.load(1, [here]))) },
  { arity: 1, store: K.load(0, [K.isub(n - 1, here)]) },
  { arity: 2, store: bounded(K.sub(K.load(0, [K.imod(K.iadd(here, shift), n)]), K.load(1, [here]))) },
  { arity: 1, store: K.neg(K.load(0, [K.imod(K.imul(here, 7), n)])) },
  {
    arity: 1,
    store: bounded(K.sum([{ axis: 64, extent: 30 }], K.load(0, [K.imod(K.iadd(here, K.imul(K.axis(64), 1009)), n)]))),
  },
]

interface Case {
  readonly plan: Plan
  readonly runs: number
}

/** a plan of many steps over a few arrays, some of them state written in place */
const planCase: fc.Arbitrary<Case> = fc.gen().map((g): Case => {
  const integer = (min: number, max: number): number => g(fc.integer, { min, max })
  const n = sizes[integer(0, 1)] ?? 120
  const roles: ReadonlyArray<Buffer["role"]> = [
    { _tag: "State", slot: 0 },
    { _tag: "State", slot: 1 },
    { _tag: "Input", slot: 0 },
    { _tag: "Constant", data: Float32Array.from({ length: n }, (_, i) => (i % 17) - 8) },
  ]
  const buffers: Array<Buffer> = roles.map((role) => ({ shape: [n], role }))
  const readable = [0, 1, 2, 3]
  const steps: Array<Step> = []
  const push = (output: number | undefined, role: Buffer["role"]) => {
    const choices = kernels(n, integer(1, n))
    // in place only what loads where it stores
    const kernel = choices[output === undefined ? integer(0, choices.length - 1) : 0] ?? {
      arity: 1,
      store: K.constant(0),
    }
    const inputs = Array.from({ length: kernel.arity }, () => readable[integer(0, readable.length - 1)] ?? 0)
    const to = output ?? buffers.push({ shape: [n], role }) - 1
    const code: K.Kernel = {
      _tag: "Kernel",
      name: `step ${steps.length}`,
      space: [n],
      inputs: inputs.map(() => [n]),
      stores: [kernel.store],
    }
    steps.push({ code, inputs, outputs: [to] })
    return to
  }
  const count = integer(3, 14)
  for (let i = 0; i < count; i++) {
    if (integer(0, 4) === 0) push(integer(0, 1), { _tag: "Temp" })
    else readable.push(push(undefined, { _tag: "Temp" }))
  }
  push(undefined, { _tag: "Output", slot: 0 })
  push(undefined, { _tag: "Output", slot: 1 })
  return { plan: { name: "random", buffers, steps }, runs: integer(1, 3) }
})

const run = ({ plan, runs }: Case) =>
  Effect.scoped(
    Effect.gen(function* () {
      const device = yield* Device
      const [n] = plan.buffers[0]?.shape ?? [0]
      const executable = yield* device.compile(plan)
      const states = [yield* device.allocate([n ?? 0]), yield* device.allocate([n ?? 0])]
      const results: Array<Float32Array> = []
      for (let i = 0; i < runs; i++) {
        const input = Float32Array.from({ length: n ?? 0 }, (_, at) => ((at * (i + 3)) % 23) - 11)
        // the states change places: their addresses are not those of the run before
        results.push(...(yield* executable.run([input], i % 2 === 0 ? states : states.toReversed())))
      }
      for (const s of states) results.push(yield* device.read(s))
      return results
    }),
  )

describe("plans of many steps", () => {
  it("give what the interpreter gives, whatever shares memory and however threads take turns", async () => {
    await fc.assert(
      fc.asyncProperty(planCase, async (c) => {
        const expected = await reference.runPromise(run(c))
        for (const r of [two, three]) {
          const got = await r.runPromise(run(c))
          got.forEach((y, i) =>
            y.forEach((v, at) => (v === expected[i]?.[at] ? undefined : assert.fail(`${i}, ${at}: ${v}`))),
          )
        }
      }),
      { numRuns: 60, seed: 5 },
    )
  }, 120_000)
})
