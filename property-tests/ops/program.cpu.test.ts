/** Programs and their state, on the interpreter. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

const weights = { w: HostTensor.make([2, 2], [1, 2, 3, 4]), m: HostTensor.make([2, 2], [0, 0, 0, 0]) }

const momentum = Effect.gen(function* () {
  const state = yield* State.make(weights)
  const step = yield* Program.compile(
    { state, x: Tensor.input("N", 2), lr: Tensor.scalar() },
    ({ state: { w, m }, x, lr }) => {
      const loss = Ops.sum(Ops.square(Ops.linear(x, w)))
      const next = Ops.add(Ops.mul(m, 0.9), Ops.grad(loss, { w }).w)
      // keys in another order than the state's
      return { state: { m: next, w: Ops.sub(w, Ops.mul(next, lr)) }, loss }
    },
  )
  return { state, step }
})
const x3 = HostTensor.make([3, 2], [1, 2, 3, 4, 5, 6])

/** the same in float64, written out */
const expected = (steps: number) => {
  let [w, m] = [
    [1, 2, 3, 4],
    [0, 0, 0, 0],
  ]
  const losses: Array<number> = []
  for (let s = 0; s < steps; s++) {
    const g = [0, 0, 0, 0]
    let loss = 0
    for (let n = 0; n < 3; n++)
      for (let o = 0; o < 2; o++) {
        const x = [x3.data[n * 2] ?? 0, x3.data[n * 2 + 1] ?? 0]
        const y = (w[o * 2] ?? 0) * (x[0] ?? 0) + (w[o * 2 + 1] ?? 0) * (x[1] ?? 0)
        loss += y * y
        for (let i = 0; i < 2; i++) g[o * 2 + i] = (g[o * 2 + i] ?? 0) + 2 * y * (x[i] ?? 0)
      }
    losses.push(loss)
    m = m.map((v, i) => v * 0.9 + (g[i] ?? 0))
    w = w.map((v, i) => v - 0.001 * (m[i] ?? 0))
  }
  return { w, m, losses }
}

const run = <A, E>(effect: Effect.Effect<A, E, Device | Scope.Scope>) =>
  effect.pipe(Effect.scoped, Effect.provide(Reference.layer))

describe("a step", () => {
  it.effect("updates its state in place, run after run", () =>
    run(
      Effect.gen(function* () {
        const made = yield* momentum
        let state = made.state
        const losses: Array<number> = []
        for (let i = 0; i < 4; i++) {
          const result = yield* made.step.run({ state, x: x3, lr: 0.001 })
          state = result.state
          losses.push(result.loss)
        }
        const want = expected(4)
        const { w, m } = yield* State.read(state)
        losses.forEach((l, i) => expect(l / (want.losses[i] ?? 0)).toBeCloseTo(1, 5))
        w.data.forEach((v, i) => expect(v).toBeCloseTo(want.w[i] ?? 0, 3))
        m.data.forEach((v, i) => expect(v / (want.m[i] ?? 0)).toBeCloseTo(1, 4))
      }),
    ),
  )

  it.effect("leaves the handle that it was given stale, and a copy valid", () =>
    run(
      Effect.gen(function* () {
        const { state, step } = yield* momentum
        const kept = yield* State.copy(state)
        yield* step.run({ state, x: x3, lr: 0.001 })
        const error = yield* Effect.flip(step.run({ state, x: x3, lr: 0.001 }))
        expect(error._tag).toBe("StaleState")
        expect(error.message).toContain("State.copy")
        expect((yield* State.read(kept)).w.data).toEqual(weights.w.data)
      }),
    ),
  )

  it.effect("binds the names of its dimensions anew for each size", () =>
    run(
      Effect.gen(function* () {
        const program = yield* Program.compile({ x: Tensor.input("N", 2) }, ({ x }) => ({
          total: Ops.sum(x),
          mean: Ops.mean(x),
          y: Ops.mul(x, 2),
        }))
        for (const n of [1, 2, 3, 4, 5, 6, 1]) {
          const result = yield* program.run({
            x: HostTensor.make(
              [n, 2],
              Float32Array.from({ length: 2 * n }, () => 1),
            ),
          })
          expect([result.total, result.mean, result.y.shape, result.y.data.length]).toEqual([2 * n, 1, [n, 2], 2 * n])
        }
      }),
    ),
  )

  it.effect("refuses a state that is another's", () =>
    run(
      Effect.gen(function* () {
        const { step } = yield* momentum
        const give = (state: unknown) =>
          // a state that a typed caller cannot give
          Effect.flip(step.run({ state: state as never, x: x3, lr: 0.1 }))
        const small = yield* State.make({ ...weights, w: HostTensor.make([1, 2], [1, 2]) })
        const other = yield* State.make({ w: weights.w })
        expect((yield* give(small)).message).toBe("state.w: it takes 2×2, but is given 1×2")
        expect((yield* give(other)).message).toBe("state.m: the state that is given does not hold it")
        expect((yield* give(undefined)).message).toBe("state: it takes a state, but is given none")
      }),
    ),
  )

  it.effect("refuses values that do not fit, and says which", () =>
    run(
      Effect.gen(function* () {
        const program = yield* Program.compile({ x: Tensor.input("N", 2), y: Tensor.input("N") }, ({ x, y }) => ({
          total: Ops.add(Ops.sum(x), Ops.sum(y)),
        }))
        const give = (x: ReadonlyArray<number>, y: ReadonlyArray<number>, data = 4) =>
          Effect.flip(
            program.run({
              // shapes that a typed caller cannot give
              x: { shape: x, data: new Float32Array(data) } as never,
              y: { shape: y, data: new Float32Array(2) } as never,
            }),
          )
        expect((yield* give([2, 3], [2])).message).toBe("x: it takes N×2, but is given 2×3")
        expect((yield* give([2, 2], [3])).message).toBe("y: it takes N, and N is 2, but is given 3")
        expect((yield* give([2, 2], [2], 5)).message).toBe("x: its shape 2×2 does not hold 5 numbers")
      }),
    ),
  )
})

describe("compiling", () => {
  it.effect("fails with the first shapes that do not fit", () =>
    run(
      Effect.gen(function* () {
        const spec = { a: Tensor.input("N", 3), b: Tensor.input(4, 2) }
        // the parameter's type is the sentence: a typed caller cannot get here
        const product = Program.compile(spec, ({ a, b }) => ({
          y: Ops.relu(Ops.matmul(a, b as never)) as Tensor.Tensor,
        }))
        const error = yield* Effect.flip(product)
        expect(error._tag).toBe("ShapeMismatch")
        expect(error.message).toBe("matmul: N×3 times 4×2: the inner sizes differ (3 and 4)")
      }),
    ),
  )

  it.effect("fails where a gradient is asked of an op that has none", () =>
    run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          Program.compile({ x: Tensor.input(2, 3) }, ({ x }) => Ops.grad(Ops.sum(Ops.argmax(x, 1)), { x })),
        )
        expect(error.message).toMatch(/^argmax has no gradient: .*Ops\.detach/)
      }),
    ),
  )

  it.effect("fails where a state is given back in another shape", () =>
    run(
      Effect.gen(function* () {
        const state = yield* State.make(weights)
        const error = yield* Effect.flip(
          Program.compile({ state }, ({ state: { w, m } }) => ({ state: { w: Ops.sum(w), m } })),
        )
        expect(error.message).toBe("state.w: it holds 2×2 but is given back as a scalar")
      }),
    ),
  )

  it.effect("releases everything with its scope", () =>
    Effect.gen(function* () {
      const device = yield* Device
      yield* Effect.scoped(Effect.flatMap(momentum, ({ state, step }) => step.run({ state, x: x3, lr: 0.1 })))
      expect(yield* device.live).toEqual({ handles: 0, bytes: 0 })
    }).pipe(Effect.provide(Reference.layer)),
  )
})
