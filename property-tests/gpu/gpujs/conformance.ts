import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Device, DeviceError } from "../../../src/gpu/Device.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import type { Plan } from "../../../src/gpu/Plan.ts"
import { elements } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { inputShapes } from "../../../src/gpu/Contraction.ts"
import { runKernel } from "../runKernel.ts"
import {
  binary,
  binaryOf,
  close,
  compare,
  contractions,
  countGpuBuffers,
  f,
  noise,
  normal,
  numbers,
  pow,
  unary,
  unaryOf,
} from "./cases.ts"
import { layerOf, type Present } from "./modes.ts"

const x = (d = 1) => K.load(0, K.point(Array.from({ length: d })))
const pointwise = (name: string, n: number, inputs: number, ...stores: ReadonlyArray<K.Value>): K.Kernel => ({
  _tag: "Kernel",
  name,
  space: [n],
  inputs: Array.from({ length: inputs }, () => [n]),
  stores,
})

/** what every mode of gpu.js must do; one that is absent is reported as skipped, with the reason */
export const conformance = ({ mode, absent }: Present): void => {
  const title = absent === undefined ? `gpu.js ${mode}` : `gpu.js ${mode} (absent: ${absent})`
  const suite = absent === undefined ? describe : describe.skip
  suite(title, { timeout: 120_000 }, () => {
    it.layer(layerOf(mode))((it) => {
      it.effect("says what runs", () =>
        Effect.gen(function* () {
          const { info } = yield* Device
          assert.strictEqual(info.name, `gpujs-${mode}`)
          assert.strictEqual(info.backend, mode)
        }),
      )

      it.effect.each(Object.keys(unary) as ReadonlyArray<K.UnaryOp>)("computes %s", (op) =>
        Effect.gen(function* () {
          const [meaning, relative, absolute] = unary[op]
          const [y] = yield* runKernel(pointwise(op, numbers.length, 1, unaryOf[op](x())), [numbers])
          numbers.forEach((v, i) => {
            if (normal(f(meaning(v)))) close(y?.[i] ?? 0, meaning(v), relative, absolute, `${op}(${v})`)
          })
        }),
      )

      const pairs = [...numbers].flatMap((a) => [...numbers].map((b) => [a, b] as const))
      const [left, right] = [Float32Array.from(pairs, ([a]) => a), Float32Array.from(pairs, ([, b]) => b)]
      it.effect.each(Object.keys(binary) as ReadonlyArray<K.BinaryOp>)("computes %s", (op) =>
        Effect.gen(function* () {
          const [meaning, relative] = binary[op]
          const value = binaryOf[op](x(), K.load(1, [K.axis(0)]))
          const [y] = yield* runKernel(pointwise(op, pairs.length, 2, value), [left, right])
          pairs.forEach(([a, b], i) => {
            const expected = meaning(a, b)
            // a power's relative error grows with its logarithm, which float32 holds to 1e-7
            const tolerance =
              op === "pow" ? relative * Math.max(1, Math.abs(Math.log(Math.abs(expected) || 1)) / 20) : relative
            if (normal(expected) && normal(a) && normal(b))
              close(y?.[i] ?? 0, expected, tolerance, 0, `${op}(${a}, ${b})`)
          })
        }),
      )

      it.effect("computes powers, minima and maxima with constants", () =>
        Effect.gen(function* () {
          const constants = [0, 1, 2, 3, -1, 0.5, -2, -0.5, NaN]
          const stores = constants.flatMap((c) => [K.pow(x(), c), K.max(x(), c), K.min(c, x())])
          const outputs = yield* runKernel(pointwise("constants", numbers.length, 1, ...stores), [numbers])
          constants.forEach((c, i) =>
            numbers.forEach((v, n) => {
              const expected = f(pow(v, c))
              if (normal(expected)) close(outputs[3 * i]?.[n] ?? 0, expected, 2e-5, 0, `pow(${v}, ${c})`)
              close(outputs[3 * i + 1]?.[n] ?? 0, Math.max(v, c), 0, 0, `max(${v}, ${c})`)
              close(outputs[3 * i + 2]?.[n] ?? 0, Math.min(v, c), 0, 0, `min(${v}, ${c})`)
            }),
          )
        }),
      )

      it.effect.each(Object.keys(compare) as ReadonlyArray<K.Comparison>)("compares with %s as IEEE does", (op) =>
        Effect.gen(function* () {
          const value = K.select(K.compare(op, x(), K.load(1, [K.axis(0)])), 1, 0)
          const [y] = yield* runKernel(pointwise(op, pairs.length, 2, value), [left, right])
          pairs.forEach(([a, b], i) => assert.strictEqual(y?.[i], compare[op](a, b) ? 1 : 0, `${a} ${op} ${b}`))
        }),
      )

      it.effect("tells NaN from every other number, and joins conditions", () =>
        Effect.gen(function* () {
          const nan = K.isNaN(x())
          const positive = K.compare("gt", x(), 0)
          const even = K.compareIndex("eq", K.imod(K.axis(0), 2), 0)
          const stores = [nan, K.not(nan), K.and(positive, even), K.or(nan, positive, even)].map((c) =>
            K.select(c, 1, 0),
          )
          const outputs = yield* runKernel(pointwise("conditions", numbers.length, 1, ...stores), [numbers])
          numbers.forEach((v, i) => {
            const expected = [v !== v, v === v, v > 0 && i % 2 === 0, v !== v || v > 0 || i % 2 === 0]
            expected.forEach((e, n) => assert.strictEqual(outputs[n]?.[i], e ? 1 : 0, `condition ${n} of ${v}`))
          })
        }),
      )

      it.effect("reduces with NaN winning and the first of equals", () =>
        Effect.gen(function* () {
          const rows = [
            [1, 2, 3],
            [5, 5, 4],
            [1, NaN, NaN],
            [-Infinity, -Infinity, -Infinity],
            [-1, -1, -2],
            [Infinity, NaN, 1],
            [0, Infinity, 2],
          ]
          const r = [{ axis: 64, extent: 3 }]
          const at = K.load(0, [K.axis(0), K.axis(64)])
          const kernel: K.Kernel = {
            _tag: "Kernel",
            name: "rows",
            space: [rows.length],
            inputs: [[rows.length, 3]],
            stores: [K.sum(r, at), K.maximum(r, at), K.argmax(r, at)],
          }
          const [sum, max, position] = yield* runKernel(kernel, [Float32Array.from(rows.flat())])
          assert.deepStrictEqual(
            [...(sum ?? [])],
            rows.map((v) => v.reduce((a, b) => a + b)),
          )
          assert.deepStrictEqual(
            [...(max ?? [])],
            rows.map((v) => Math.max(...v)),
          )
          assert.deepStrictEqual([...(position ?? [])], [2, 0, 1, 0, 0, 1, 1])
        }),
      )

      it.effect("sums four million tenths to within 1e-5, and finds the maximum and a winner late among many", () =>
        Effect.gen(function* () {
          const n = 4_000_000
          const sum = (extent: number): K.Kernel => ({
            _tag: "Kernel",
            name: "tenths",
            space: [],
            inputs: [[extent]],
            stores: [
              K.sum([{ axis: 64, extent }], K.load(0, [K.axis(64)])),
              K.maximum([{ axis: 64, extent }], K.load(0, [K.axis(64)])),
            ],
          })
          const tenths = new Float32Array(n).fill(0.1)
          tenths[n - 7] = 0.125
          const [total, max] = yield* runKernel(sum(n), [tenths])
          close(total?.[0] ?? 0, n * f(0.1) + 0.025, 1e-5, 0, "the sum")
          assert.strictEqual(max?.[0], 0.125)
          const r = [
            { axis: 64, extent: 130 },
            { axis: 65, extent: 31 },
          ]
          const position: K.Kernel = {
            ...sum(4030),
            inputs: [[130, 31]],
            stores: [K.argmax(r, K.load(0, [K.axis(64), K.axis(65)]))],
          }
          const [at] = yield* runKernel(position, [Float32Array.from({ length: 4030 }, (_, i) => (i === 4001 ? 2 : 1))])
          assert.deepStrictEqual([...(at ?? [])], [4001])
        }),
      )

      it.effect("sums over several long axes as the reference does", () =>
        Effect.gen(function* () {
          const r = [
            { axis: 64, extent: 67 },
            { axis: 65, extent: 5 },
            { axis: 66, extent: 101 },
          ]
          const at = K.load(0, [K.axis(64), K.axis(0), K.axis(65), K.axis(66)])
          const kernel: K.Kernel = {
            _tag: "Kernel",
            name: "channels",
            space: [3],
            inputs: [[67, 3, 5, 101]],
            stores: [K.div(K.sum(r, K.mul(at, at)), 67 * 505), K.add(K.maximum(r, at), K.toFloat(K.axis(0)))],
          }
          const data = noise(67 * 3 * 505)
          const expected = yield* runKernel(kernel, [data]).pipe(Effect.provide(Reference.layer))
          const actual = yield* runKernel(kernel, [data])
          expected.forEach((e, s) => e.forEach((v, i) => close(actual[s]?.[i] ?? 0, v, 2e-6, 0, `store ${s} at ${i}`)))
        }),
      )

      it.effect.each(contractions)("computes $name", (contraction) =>
        Effect.gen(function* () {
          const inputs = inputShapes(contraction).map((shape, i) => noise(elements(shape), i + 1))
          const [expected] = yield* runKernel(contraction, inputs).pipe(Effect.provide(Reference.layer))
          const [actual] = yield* runKernel(contraction, inputs)
          expected?.forEach((v, i) => close(actual?.[i] ?? 0, v, 1e-5, 1e-5, `element ${i}`))
        }),
      )

      it.effect("sees only the chosen side of a select, whatever the other would load", () =>
        Effect.gen(function* () {
          const shifted = K.load(0, [K.isub(K.axis(0), 5)])
          const value = K.select(
            K.compareIndex("ge", K.axis(0), 5),
            K.add(shifted, 1),
            K.load(0, [K.iadd(K.axis(0), 3)]),
          )
          const [y] = yield* runKernel(pointwise("shift", 8, 1, value), [Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7)])
          assert.deepStrictEqual([...(y ?? [])], [3, 4, 5, 6, 7, 1, 2, 3])
        }),
      )

      it.effect("takes indices from data", () =>
        Effect.gen(function* () {
          const kernel: K.Kernel = {
            _tag: "Kernel",
            name: "gather",
            space: [4, 2],
            inputs: [[5, 2], [4]],
            stores: [K.load(0, [K.toIndex(K.load(1, [K.axis(0)])), K.axis(1)])],
          }
          const table = Float32Array.from({ length: 10 }, (_, i) => i * i)
          const [y] = yield* runKernel(kernel, [table, Float32Array.of(4, 0, 2.9, 1)])
          assert.deepStrictEqual([...(y ?? [])], [64, 81, 0, 1, 16, 25, 4, 9])
        }),
      )

      it.effect("computes with more inputs than one kernel of a GPU takes", () =>
        Effect.gen(function* () {
          const [n, count] = [6, 19]
          const load = (i: number) => K.load(i, [K.axis(0)])
          const sum = Array.from({ length: count }, (_, i) => K.mul(load(i), i + 1)).reduce<K.Value>(
            (a, b) => K.add(a, b),
            K.constant(0),
          )
          const guarded = K.select(K.compareIndex("ge", K.axis(0), 3), K.load(0, [K.isub(K.axis(0), 3)]), load(1))
          const r = [{ axis: 64, extent: n }]
          const inside = Array.from({ length: count }, (_, i) => K.load(i, [K.axis(64)])).reduce<K.Value>(
            (a, b) => K.add(a, b),
            K.constant(1),
          )
          const kernel = pointwise(
            "wide",
            n,
            count,
            sum,
            K.mul(sum, guarded),
            K.sum(r, K.mul(inside, K.load(2, [K.axis(0)]))),
          )
          const inputs = Array.from({ length: count }, (_, i) => noise(n, i + 1))
          const expected = yield* runKernel(kernel, inputs).pipe(Effect.provide(Reference.layer))
          const actual = yield* runKernel(kernel, inputs)
          expected.forEach((e, s) =>
            e.forEach((v, i) => close(actual[s]?.[i] ?? 0, v, 1e-5, 1e-4, `store ${s} at ${i}`)),
          )
        }),
      )

      it.effect("folds five dimensions, and takes apart indices up to 2^24 exactly", () =>
        Effect.gen(function* () {
          const [a, b, c, d, e] = K.point([3, 4, 5, 2, 7]) as [K.Index, K.Index, K.Index, K.Index, K.Index]
          const five: K.Kernel = {
            _tag: "Kernel",
            name: "five",
            space: [3, 4, 5, 2, 7],
            inputs: [[7, 2, 3, 5, 4]],
            stores: [K.load(0, [e, d, a, c, b])],
          }
          const data = noise(840)
          const [expected] = yield* runKernel(five, [data]).pipe(Effect.provide(Reference.layer))
          const [actual] = yield* runKernel(five, [data])
          assert.deepStrictEqual(actual, expected)

          const rows: K.Kernel = {
            _tag: "Kernel",
            name: "exact",
            space: [4099, 1021],
            inputs: [],
            stores: [K.toFloat(K.isub(K.idiv(K.iadd(K.imul(K.axis(0), 1021), K.axis(1)), 7), K.imul(K.axis(0), 145)))],
          }
          const [y] = yield* runKernel(rows, [])
          let wrong = 0
          for (let i = 0; i < 4099 * 1021; i++) {
            if (y?.[i] !== Math.floor(i / 7) - Math.floor(i / 1021) * 145) wrong++
          }
          assert.strictEqual(wrong, 0)
        }),
      )

      it.effect("keeps state on the device, updates it in place, and indexes it in another shape for nothing", () =>
        Effect.gen(function* () {
          const device = yield* Device
          const program = Effect.gen(function* () {
            const p = yield* device.allocate([2, 3])
            const m = yield* device.allocate([6])
            yield* device.write(p, Float32Array.of(1, 2, 3, 4, 5, 6))
            const at = [K.axis(0)]
            const momentum = K.add(K.mul(K.load(1, at), 0.5), K.load(2, at))
            const plan: Plan = {
              name: "step",
              buffers: [
                { shape: [2, 3], role: { _tag: "State", slot: 0 } },
                { shape: [6], role: { _tag: "State", slot: 1 } },
                { shape: [3, 2], role: { _tag: "Input", slot: 0 } },
                { shape: [3, 2], role: { _tag: "Output", slot: 0 } },
                { shape: [1], role: { _tag: "Constant", data: Float32Array.of(10) } },
                { shape: [3, 2], role: { _tag: "Temp" } },
              ],
              steps: [
                {
                  code: pointwise("update", 6, 3, K.sub(K.load(0, at), momentum), momentum),
                  inputs: [0, 1, 2],
                  outputs: [0, 1],
                },
                {
                  code: {
                    _tag: "Kernel",
                    name: "view",
                    space: [3, 2],
                    inputs: [[3, 2], [1]],
                    stores: [K.add(K.load(0, [K.axis(0), K.axis(1)]), K.load(1, [K.int(0)]))],
                  },
                  inputs: [0, 4],
                  outputs: [5],
                },
                {
                  code: {
                    _tag: "Kernel",
                    name: "flip",
                    space: [3, 2],
                    inputs: [[3, 2]],
                    stores: [K.load(0, [K.isub(2, K.axis(0)), K.axis(1)])],
                  },
                  inputs: [5],
                  outputs: [3],
                },
              ],
            }
            const executable = yield* device.compile(plan)
            const gradient = Float32Array.of(1, 1, 1, 2, 2, 2)
            yield* executable.run([gradient], [p, m])
            const [y] = yield* executable.run([gradient], [p, m])
            // momentum 1.5 and 3 in the second step: p - 2.5 and p - 5
            assert.deepStrictEqual([...(yield* device.read(p))], [-1.5, -0.5, 0.5, -1, 0, 1])
            assert.deepStrictEqual([...(yield* device.read(m))], [1.5, 1.5, 1.5, 3, 3, 3])
            assert.deepStrictEqual([...(y ?? [])], [10, 11, 10.5, 9, 8.5, 9.5])
            const held = yield* device.allocate([6])
            yield* device.write(held, new Float32Array(6))
            const [z] = yield* executable.run([held], [p, m])
            assert.strictEqual(z?.length, 6)
            assert.deepStrictEqual([...(yield* device.read(m))], [0.75, 0.75, 0.75, 1.5, 1.5, 1.5])
            assert.isAbove((yield* device.live).handles, 3)
          })
          yield* Effect.scoped(program)
          assert.deepStrictEqual(yield* device.live, { handles: 0, bytes: 0 })
        }),
      )

      it.effect("lets state outlive the plan that wrote it", () =>
        Effect.gen(function* () {
          const device = yield* Device
          const p = yield* device.allocate([4])
          const plan: Plan = {
            name: "increment",
            buffers: [{ shape: [4], role: { _tag: "State", slot: 0 } }],
            steps: [{ code: pointwise("increment", 4, 1, K.add(x(), 1)), inputs: [0], outputs: [0] }],
          }
          for (let i = 0; i < 3; i++) {
            yield* Effect.scoped(Effect.flatMap(device.compile(plan), (e) => e.run([], [p])))
          }
          assert.deepStrictEqual([...(yield* device.read(p))], [3, 3, 3, 3])
        }),
      )

      it.effect("refuses buffers of others, released ones, and wrong sizes, with the reason", () =>
        Effect.gen(function* () {
          const device = yield* Device
          const stale = yield* Effect.scoped(device.allocate([2]))
          const errors = [
            yield* Effect.flip(device.read(stale)),
            yield* Effect.flip(device.read({ _tag: "DeviceBuffer", shape: [2], bytes: 8 })),
            yield* Effect.flip(Effect.flatMap(device.allocate([2]), (b) => device.write(b, new Float32Array(3)))),
            yield* Effect.flip(runKernel(pointwise("two", 2, 1, x()), [new Float32Array(3)])),
          ]
          for (const error of errors) assert.instanceOf(error, DeviceError)
          assert.match(errors[0]?.message ?? "", /has been released/)
          assert.match(errors[3]?.message ?? "", /input 0 has 3 elements/)
        }),
      )

      it.effect("does not grow over 200 steps", () =>
        Effect.gen(function* () {
          const device = yield* Device
          const n = 50_000
          const p = yield* device.allocate([n])
          const plan: Plan = {
            name: "grow",
            buffers: [
              { shape: [n], role: { _tag: "State", slot: 0 } },
              { shape: [n], role: { _tag: "Input", slot: 0 } },
              { shape: [n], role: { _tag: "Temp" } },
              { shape: [], role: { _tag: "Output", slot: 0 } },
            ],
            steps: [
              { code: pointwise("a", n, 2, K.add(x(), K.load(1, [K.axis(0)]))), inputs: [0, 1], outputs: [2] },
              { code: pointwise("b", n, 1, K.mul(x(), 0.5)), inputs: [2], outputs: [0] },
              {
                code: {
                  _tag: "Kernel",
                  name: "c",
                  space: [],
                  inputs: [[n]],
                  stores: [K.sum([{ axis: 64, extent: n }], K.load(0, [K.axis(64)]))],
                },
                inputs: [0],
                outputs: [3],
              },
            ],
          }
          const executable = yield* device.compile(plan)
          const ones = new Float32Array(n).fill(1)
          const before = yield* device.live
          const created = yield* Effect.promise(() => countGpuBuffers(mode))
          const memory = () => process.memoryUsage().rss
          let [at20, last] = [0, 0]
          for (let i = 0; i < 200; i++) {
            const [total] = yield* executable.run([ones], [p])
            last = total?.[0] ?? 0
            if (i === 20) at20 = memory()
          }
          close(last, n, 1e-5, 0, "the fixed point")
          assert.deepStrictEqual(yield* device.live, before)
          assert.strictEqual(created(), 0, "GPU buffers made by 200 steps")
          // Dawn holds what it has once staged until some 300 MB; it is its buffers that must not grow
          if (mode !== "webgpu") assert.isBelow(memory() - at20, 60e6)
        }),
      )
    })
  })
}
