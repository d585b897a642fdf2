/** GFLOP/s of matrix products and convolutions; every timed result is checked in float64 at random positions. */
import * as Effect from "effect/Effect"
import type { Contraction, Conv2d, MatMul } from "../src/gpu/Contraction.ts"
import { flops, inputShapes, outputShape } from "../src/gpu/Contraction.ts"
import { Device } from "../src/gpu/Device.ts"
import { elements, type Plan } from "../src/gpu/Plan.ts"
import { values } from "../property-tests/conformance/Cases.ts"
import { element } from "./element.ts"
import { compare, type Entrant } from "./compare.ts"
import type { Bench } from "./main.ts"
import type { Job } from "./peers.ts"
import type { Result } from "./Result.ts"

const matMul = (name: string, m: number, k: number, n: number, more: Partial<MatMul> = {}): Contraction => ({
  _tag: "Contraction",
  name,
  bias: false,
  form: {
    _tag: "MatMul",
    batch: 1,
    m,
    n,
    k,
    transposeA: false,
    transposeB: false,
    batchedA: false,
    batchedB: false,
    ...more,
  },
})

/** `[out, in]` weights as linear layers have them: forward, input gradient, weight gradient */
const linear = (name: string, batch: number, from: number, to: number): ReadonlyArray<Contraction> => [
  matMul(`${name} forward`, batch, from, to, { transposeB: true }),
  matMul(`${name} inputGradient`, batch, to, from),
  matMul(`${name} weightGradient`, to, batch, from, { transposeA: true }),
]

const square = (x: number): readonly [number, number] => [x, x]

const conv = (
  name: string,
  n: number,
  c: number,
  size: number,
  o: number,
  k: number,
  { padding = 0, stride = 1, groups = 1 } = {},
): ReadonlyArray<Contraction> => {
  const out = Math.floor((size + 2 * padding - k) / stride) + 1
  const form = (pass: Conv2d["pass"]): Conv2d => ({
    _tag: "Conv2d",
    pass,
    n,
    c,
    h: size,
    w: size,
    o,
    oh: out,
    ow: out,
    groups,
    kernel: square(k),
    stride: square(stride),
    padding: square(padding),
    dilation: square(1),
  })
  return (["forward", "inputGradient", "weightGradient"] as const).map((pass) => ({
    _tag: "Contraction",
    name: `${name} ${pass}`,
    form: form(pass),
    bias: false,
  }))
}

/** what is measured: the convolutions of a model in the batch of its training steps */
export const contractions: ReadonlyArray<Contraction> = [
  matMul("matmul 256", 256, 256, 256),
  matMul("matmul 1024", 1024, 1024, 1024),
  matMul("matmul 4096×9216×64", 4096, 9216, 64),
  ...conv("lenet conv1", 64, 1, 28, 6, 3, { padding: 1 }),
  ...conv("lenet conv2", 64, 6, 14, 16, 5),
  ...conv("tinyvgg conv1", 32, 1, 28, 10, 3, { padding: 1 }),
  ...conv("tinyvgg conv2", 32, 10, 28, 10, 3, { padding: 1 }),
  ...conv("tinyvgg conv3", 32, 10, 14, 10, 3, { padding: 1 }),
  ...conv("alexnet conv1", 16, 3, 224, 64, 11, { padding: 2, stride: 4 }),
  ...conv("alexnet conv2", 16, 64, 27, 192, 5, { padding: 2 }),
  ...conv("alexnet conv3", 16, 192, 13, 384, 3, { padding: 1 }),
  ...conv("alexnet conv4", 16, 384, 13, 256, 3, { padding: 1 }),
  ...conv("alexnet conv5", 16, 256, 13, 256, 3, { padding: 1 }),
  ...conv("vgg16 3→64 224²", 4, 3, 224, 64, 3, { padding: 1 }),
  ...conv("vgg16 64→64 224²", 4, 64, 224, 64, 3, { padding: 1 }),
  ...conv("vgg16 64→128 112²", 4, 64, 112, 128, 3, { padding: 1 }),
  ...conv("vgg16 128→128 112²", 4, 128, 112, 128, 3, { padding: 1 }),
  ...conv("vgg16 128→256 56²", 4, 128, 56, 256, 3, { padding: 1 }),
  ...conv("vgg16 256→256 56²", 4, 256, 56, 256, 3, { padding: 1 }),
  ...conv("vgg16 256→512 28²", 4, 256, 28, 512, 3, { padding: 1 }),
  ...conv("vgg16 512→512 28²", 4, 512, 28, 512, 3, { padding: 1 }),
  ...conv("vgg16 512→512 14²", 4, 512, 14, 512, 3, { padding: 1 }),
  ...conv("depthwise 3×3", 8, 96, 56, 96, 3, { padding: 1, groups: 96 }),
  ...conv("1×1", 8, 256, 56, 64, 1),
]

/** measured only where `--only` names them */
export const more: ReadonlyArray<Contraction> = [
  matMul("matmul in cache", 96, 400, 64),
  ...linear("lenet fc1", 64, 400, 120),
  ...linear("lenet fc2", 64, 120, 84),
  ...linear("lenet fc3", 64, 84, 10),
  ...linear("tinyvgg fc", 32, 490, 10),
  ...linear("alexnet fc1", 16, 9216, 4096),
  ...conv("strided", 8, 64, 28, 128, 3, { padding: 1, stride: 2 }),
]

const shapeOf = (c: Contraction): string => {
  const f = c.form
  if (f._tag === "MatMul") return `${f.m}×${f.k} · ${f.k}×${f.n}`
  const extra = [
    `k${f.kernel[0]}`,
    `p${f.padding[0]}`,
    f.stride[0] > 1 ? `s${f.stride[0]}` : "",
    f.groups > 1 ? `g${f.groups}` : "",
  ]
  return `${f.n}×${f.c}×${f.h}×${f.w} → ${f.o}×${f.oh}×${f.ow} ${extra.filter((s) => s !== "").join(" ")}`
}

/** inputs by formula, as peers have them */
const inputsOf = (c: Contraction): ReadonlyArray<Float32Array> =>
  inputShapes(c).map((shape, i) => values(shape, i + 1, 1).data)

/** whether numbers at some positions are not those of the definition, in float64 */
export const wrongAt = (c: Contraction, at: ReadonlyArray<number>, found: ReadonlyArray<number>): boolean => {
  const [a = new Float32Array(), b = new Float32Array()] = inputsOf(c)
  return at.some((position, i) => {
    const [sum, size] = element(c, position, a, b)
    // each product may be off by a few roundings of float32
    return !(Math.abs((found[i] ?? Number.NaN) - sum) <= 1e-5 * size)
  })
}

/** the same contraction so many times in one run, so that what is measured is not the start of a run */
const planOf = (c: Contraction, times: number): Plan => ({
  name: c.name,
  buffers: [
    ...inputShapes(c).map((shape, slot) => ({ shape, role: { _tag: "Input", slot } as const })),
    { shape: outputShape(c), role: { _tag: "State", slot: 0 } },
  ],
  steps: Array.from({ length: times }, () => ({ code: c, inputs: [0, 1], outputs: [2] })),
})

const ours = Effect.fnUntraced(function* (c: Contraction) {
  const device = yield* Device
  const inputs = yield* Effect.forEach(inputsOf(c), (data, i) =>
    Effect.tap(device.allocate(inputShapes(c)[i] ?? []), (buffer) => device.write(buffer, data)),
  )
  const output = yield* device.allocate(outputShape(c))
  const timed = Effect.fnUntraced(function* (times: number) {
    const executable = yield* device.compile(planOf(c, times))
    return (runs: number) =>
      Effect.gen(function* () {
        const start = performance.now()
        for (let i = 0; i < runs; i++) yield* executable.run(inputs, [output])
        return performance.now() - start
      })
  })
  const once = yield* timed(1)
  const [first, second] = [yield* once(1), yield* once(3)]
  const times = Math.max(1, Math.min(100, Math.ceil(3 / Math.min(first, second / 3))))
  const run = yield* timed(times)
  return { times, run, read: device.read(output) }
})

/** one image instead of a batch */
const single = (c: Contraction): Contraction => (c.form._tag === "Conv2d" ? { ...c, form: { ...c.form, n: 1 } } : c)

const jobOf = (c: Contraction): Job => ({ kind: "contraction", form: c.form })

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  const { only } = bench.options
  const chosen = only === "" ? contractions : [...contractions, ...more].filter((c) => c.name.includes(only))
  for (const c of chosen) {
    const made = await bench.ours.make(ours(c))
    const { times, run, read } = made.value
    const total = elements(outputShape(c))
    const own: Entrant = {
      name: "ours",
      work: (flops(c) * times) / 1e9,
      run: (n) => bench.ours.run(run(n)),
      wrong: async () => {
        const result = await bench.ours.run(read)
        const at = bench.positions(total)
        return wrongAt(
          c,
          at,
          at.map((i) => result[i] ?? Number.NaN),
        )
      },
    }
    const theirs = (of: Contraction) => ({
      job: jobOf(of),
      work: flops(of) / 1e9,
      size: elements(outputShape(of)),
      wrong: async (at: ReadonlyArray<number>, found: ReadonlyArray<number>) => wrongAt(of, at, found),
    })
    const about = { suite: "contraction", name: c.name, shape: shapeOf(c), unit: "GFLOP/s" }
    const smaller = c.form._tag === "Conv2d" && c.form.n > 1 ? { ...theirs(single(c)), note: "batch 1" } : undefined
    yield await compare(bench, about, own, theirs(c), { smaller })
    await made.drop()
  }
}
