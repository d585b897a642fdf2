/** gpu.js's device in a page, against the reference: what the tests do in Node, for the modes that only browsers have. */
import * as Effect from "effect/Effect"
import * as Contraction from "../../../src/gpu/Contraction.ts"
import { Device } from "../../../src/gpu/Device.ts"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import { elements, type Plan } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { runKernel } from "../../gpu/runKernel.ts"

const noise = (n: number, seed = 1) =>
  Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin((i + 1) * 12.9898 * seed) * 1.5))
const numbers = [0, 1, -1, 0.5, -0.5, 2, -2.5, 3, 0.29, 0.31, 7, -7.5, 12, 20, -60, 60, 1e5, Infinity, -Infinity, NaN]
const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b] as const))
const [left, right] = [Float32Array.from(pairs, ([a]) => a), Float32Array.from(pairs, ([, b]) => b)]
const [x, y] = [K.load(0, [K.axis(0)]), K.load(1, [K.axis(0)])]
const kernel = (
  name: string,
  space: ReadonlyArray<number>,
  inputs: ReadonlyArray<ReadonlyArray<number>>,
  ...stores: ReadonlyArray<K.Value>
): K.Kernel => ({ _tag: "Kernel", name, space, inputs, stores })
const n = pairs.length
const many = 300_000
const r3 = [{ axis: 64, extent: 3 }]
const row = K.load(0, [K.axis(0), K.axis(64)])
const flat = K.iadd(K.imul(K.axis(0), 401), K.axis(1))
const convolution = (pass: Contraction.Conv2d["pass"]): Contraction.Contraction => ({
  _tag: "Contraction",
  name: pass,
  bias: false,
  form: {
    _tag: "Conv2d",
    pass,
    n: 3,
    c: 4,
    h: 9,
    w: 8,
    o: 6,
    oh: 5,
    ow: 6,
    groups: 2,
    kernel: [3, 2],
    stride: [2, 2],
    padding: [2, 2],
    dilation: [2, 1],
  },
})

type Case = readonly [K.Kernel | Contraction.Contraction, ReadonlyArray<Float32Array>]
const cases: ReadonlyArray<Case> = [
  [
    kernel("unary", [n], [[n]], ...[K.neg, K.abs, K.exp, K.log, K.sqrt, K.tanh, K.erf, K.floor].map((f) => f(x))),
    [left],
  ],
  [
    kernel("binary", [n], [[n], [n]], ...[K.add, K.sub, K.mul, K.div, K.min, K.max, K.pow].map((f) => f(x, y))),
    [left, right],
  ],
  [
    kernel(
      "conditions",
      [n],
      [[n], [n]],
      ...(["lt", "le", "gt", "ge", "eq", "ne"] as const).map((op) => K.select(K.compare(op, x, y), 1, 0)),
      K.select(K.isNaN(x), 1, 0),
    ),
    [left, right],
  ],
  [
    kernel("rows", [5], [[5, 3]], K.sum(r3, row), K.maximum(r3, row), K.argmax(r3, row)),
    [Float32Array.of(1, 2, 3, 5, 5, 4, 1, NaN, NaN, -Infinity, -Infinity, -Infinity, Infinity, NaN, 1)],
  ],
  [
    kernel("tenths", [], [[many]], K.sum([{ axis: 64, extent: many }], K.load(0, [K.axis(64)]))),
    [new Float32Array(many).fill(0.1)],
  ],
  [kernel("division", [1021, 401], [], K.toFloat(K.isub(K.idiv(flat, 7), K.imul(K.axis(0), 57)))), []],
  [
    kernel(
      "five",
      [3, 4, 5, 2, 7],
      [[7, 2, 3, 5, 4]],
      K.load(
        0,
        [4, 3, 0, 2, 1].map((a) => K.axis(a)),
      ),
    ),
    [noise(840)],
  ],
  [
    kernel(
      "wide",
      [6],
      Array.from({ length: 12 }, () => [6]),
      Array.from({ length: 12 }, (_, i): K.Value => K.load(i, [K.axis(0)])).reduce((a, b) => K.add(a, b)),
    ),
    Array.from({ length: 12 }, (_, i) => noise(6, i + 1)),
  ],
  ...(["forward", "inputGradient", "weightGradient"] as const).map((pass): Case => {
    const c = convolution(pass)
    return [c, Contraction.inputShapes(c).map((shape, i) => noise(elements(shape), i + 1))]
  }),
]

const wrong = (actual: number, expected: number): boolean => {
  if (Number.isNaN(expected)) return !Number.isNaN(actual)
  if (!Number.isFinite(expected)) return actual !== expected
  return Math.abs(actual - expected) > 1e-6 + 1e-4 * Math.abs(expected)
}

/** state that lives on while plans come and go, and a plan that runs after a later one is gone */
const state = Effect.scoped(
  Effect.gen(function* () {
    const device = yield* Device
    const buffer = yield* device.allocate([4])
    yield* device.write(buffer, Float32Array.of(1, 2, 3, 4))
    const plan: Plan = {
      name: "increment",
      buffers: [
        { shape: [4], role: { _tag: "State", slot: 0 } },
        { shape: [2, 2], role: { _tag: "Output", slot: 0 } },
      ],
      steps: [
        { code: kernel("increment", [4], [[4]], K.add(x, 1)), inputs: [0], outputs: [0] },
        {
          code: kernel("transpose", [2, 2], [[2, 2]], K.load(0, [K.axis(1), K.axis(0)])),
          inputs: [0],
          outputs: [1],
        },
      ],
    }
    const first = yield* device.compile(plan)
    for (let i = 0; i < 3; i++) yield* Effect.scoped(Effect.flatMap(device.compile(plan), (e) => e.run([], [buffer])))
    const [transposed] = yield* first.run([], [buffer])
    return [...(transposed ?? []), ...(yield* device.read(buffer))]
  }),
)

export const main = (mode: GpuJs.Mode): Promise<unknown> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const device = yield* Device
      const problems: Array<string> = []
      for (const [code, inputs] of cases) {
        const expected = yield* runKernel(code, inputs).pipe(Effect.provide(Reference.layer))
        const actual = yield* runKernel(code, inputs)
        expected.forEach((e, store) =>
          e.forEach((v, i) => {
            const given = inputs.slice(0, 2).map((a) => a[i])
            const got = actual[store]?.[i] ?? 0
            if (wrong(got, v)) problems.push(`${code.name}.${store} of ${given} at ${i}: ${got} is not ${v}`)
          }),
        )
      }
      const kept = yield* state
      return { info: device.info, problems: problems.slice(0, 20), state: kept, live: yield* device.live }
    }).pipe(Effect.provide(GpuJs.layer({ mode, plain: true }))),
  )
