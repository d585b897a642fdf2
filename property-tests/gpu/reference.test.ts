import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Contraction from "../../src/gpu/Contraction.ts"
import { Device, type DeviceError } from "../../src/gpu/Device.ts"
import * as K from "../../src/gpu/Kernel.ts"
import type { Plan } from "../../src/gpu/Plan.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import { erf } from "../../src/gpu/reference/erf.ts"
import { runKernel } from "./runKernel.ts"

describe("the reference device", () => {
  it.effect("adds along an axis, takes maxima, and finds where they are", () =>
    Effect.gen(function* () {
      const r = [{ axis: 64, extent: 3 }]
      const x = K.load(0, [K.axis(0), K.axis(64)])
      const kernel: K.Kernel = {
        _tag: "Kernel",
        name: "rows",
        space: [3],
        inputs: [[3, 3]],
        stores: [K.sum(r, x), K.maximum(r, x), K.argmax(r, x)],
      }
      const rows = Float32Array.of(1, 2, 3, 5, 5, 4, 1, NaN, NaN)
      const [sum, max, position] = yield* runKernel(kernel, [rows])
      assert.deepStrictEqual([...(sum ?? [])], [6, 14, NaN])
      assert.deepStrictEqual([...(max ?? [])], [3, 5, NaN])
      assert.deepStrictEqual([...(position ?? [])], [2, 0, 1])
    }).pipe(Effect.provide(Reference.layer)),
  )

  it.effect("does not see a load out of range on the side that is not chosen", () =>
    Effect.gen(function* () {
      const kernel: K.Kernel = {
        _tag: "Kernel",
        name: "shift",
        space: [4],
        inputs: [[4]],
        stores: [K.select(K.compareIndex("ge", K.axis(0), 1), K.load(0, [K.isub(K.axis(0), 1)]), 7)],
      }
      const [y] = yield* runKernel(kernel, [Float32Array.of(1, 2, 3, 4)])
      assert.deepStrictEqual([...(y ?? [])], [7, 1, 2, 3])
    }).pipe(Effect.provide(Reference.layer)),
  )

  it.effect("runs a convolution of LeNet's size fast enough to train with", () =>
    Effect.gen(function* () {
      const form: Contraction.Conv2d = {
        _tag: "Conv2d",
        pass: "forward",
        n: 16,
        c: 6,
        h: 14,
        w: 14,
        o: 16,
        oh: 10,
        ow: 10,
        kernel: [5, 5],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
      }
      const code: Contraction.Contraction = { _tag: "Contraction", name: "conv2", form, bias: false }
      const inputs = Contraction.inputShapes(code).map((s) => new Float32Array(s.reduce((a, b) => a * b, 1)).fill(1))
      const start = performance.now()
      const [y] = yield* runKernel(code, inputs)
      assert.strictEqual(y?.[0], 150)
      assert.isBelow(performance.now() - start, 3000)
    }).pipe(Effect.provide(Reference.layer)),
  )

  it.effect("refuses a released buffer, a wrong length and another device's buffer, and says which", () =>
    Effect.gen(function* () {
      const device = yield* Device
      const plan: Plan = {
        name: "double",
        buffers: [
          { shape: [2], role: { _tag: "State", slot: 0 } },
          { shape: [3], role: { _tag: "Input", slot: 0 } },
        ],
        steps: [],
      }
      const reason = (exit: Exit.Exit<unknown, DeviceError>) =>
        Exit.isFailure(exit) ? exit.cause.reasons.map((r) => (r._tag === "Fail" ? r.error.message : r._tag)).join() : ""
      const gone = yield* Effect.scoped(device.allocate([2]))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const executable = yield* device.compile(plan)
          const state = yield* device.allocate([2])
          const run = (x: Float32Array, s: typeof state) => Effect.exit(executable.run([x], [s]))
          assert.include(reason(yield* run(new Float32Array(3), gone)), "state 0 is a buffer that has been released")
          assert.include(reason(yield* run(new Float32Array(2), state)), "input 0 has 2 elements")
          const foreign = { _tag: "DeviceBuffer", shape: [2], bytes: 8 } as const
          assert.include(reason(yield* run(new Float32Array(3), foreign)), "another device")
          assert.deepStrictEqual(yield* device.live, { handles: 2, bytes: 8 + 12 })
        }),
      )
      assert.deepStrictEqual(yield* device.live, { handles: 0, bytes: 0 })
    }).pipe(Effect.provide(Reference.layer)),
  )

  it("knows the error function", () => {
    // values from tables to 16 digits
    assert.closeTo(erf(0.5), 0.5204998778130465, 1e-15)
    assert.closeTo(erf(1), 0.8427007929497149, 1e-15)
    assert.closeTo(erf(-2), -0.9953222650189527, 1e-15)
    assert.closeTo(erf(2.5), 0.9995930479825551, 1e-15)
    assert.closeTo(erf(3), 0.9999779095030014, 1e-15)
    assert.strictEqual(erf(40), 1)
    assert.strictEqual(erf(0), 0)
  })
})
