/** Contractions of many shapes and all options, for tests: fixed ones, and random ones by fast-check. */
import * as fc from "fast-check"
import type { Contraction, Conv2d, MatMul } from "../../../src/gpu/Contraction.ts"

export const matmul = (form: Partial<MatMul>, bias = false): Contraction => ({
  _tag: "Contraction",
  name: "matmul",
  bias,
  form: {
    _tag: "MatMul",
    batch: 1,
    m: 5,
    n: 6,
    k: 7,
    transposeA: false,
    transposeB: false,
    batchedA: false,
    batchedB: false,
    ...form,
  },
})

type Conv2dInput = Omit<Conv2d, "_tag" | "oh" | "ow">

/** the output's size follows from the rest, as PyTorch computes it */
export const conv2d = (form: Partial<Conv2dInput>, bias = false): Contraction => {
  const f: Conv2dInput = {
    pass: "forward",
    n: 2,
    c: 4,
    h: 9,
    w: 8,
    o: 6,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 1,
    ...form,
  }
  const out = (size: number, d: 0 | 1) =>
    Math.floor((size + 2 * f.padding[d] - f.dilation[d] * (f.kernel[d] - 1) - 1) / f.stride[d]) + 1
  return {
    _tag: "Contraction",
    name: "conv2d",
    bias: bias && f.pass === "forward",
    form: { _tag: "Conv2d", ...f, oh: out(f.h, 0), ow: out(f.w, 1) },
  }
}

export const passes = ["forward", "inputGradient", "weightGradient"] as const

const size = (max: number) => fc.integer({ min: 1, max })

export const anyMatmul: fc.Arbitrary<Contraction> = fc
  .record({
    batch: size(3),
    m: size(90),
    n: size(90),
    k: fc.oneof(
      size(70),
      size(700),
      size(200).map((x) => 4 * x),
    ),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    batchedA: fc.boolean(),
    batchedB: fc.boolean(),
    bias: fc.boolean(),
  })
  .map(({ bias, ...form }) =>
    // a batch that neither side has would be the same product again and again
    matmul({ ...form, batch: form.batchedA || form.batchedB ? form.batch : 1 }, bias),
  )

const pair = <A>(a: fc.Arbitrary<A>) => fc.tuple(a, a)

export const anyConv2d: fc.Arbitrary<Contraction> = fc
  .record({
    pass: fc.constantFrom(...passes),
    n: size(3),
    groups: fc.constantFrom(1, 1, 2, 3),
    cg: size(7),
    og: size(9),
    kernel: pair(size(4)),
    stride: pair(size(3)),
    padding: pair(fc.integer({ min: 0, max: 3 })),
    dilation: pair(size(2)),
    extra: pair(fc.integer({ min: 0, max: 12 })),
    bias: fc.boolean(),
  })
  .map(({ cg, og, extra, bias, ...form }) => {
    // large enough for the window to fit once
    const least = (d: 0 | 1) => Math.max(1, form.dilation[d] * (form.kernel[d] - 1) + 1 - 2 * form.padding[d])
    const [h, w] = [least(0) + extra[0], least(1) + extra[1]]
    return conv2d({ ...form, c: cg * form.groups, o: og * form.groups, h, w }, bias)
  })

/** documented cases: each exercises a path of its own in the printer */
export const documented: ReadonlyArray<readonly [title: string, Contraction]> = [
  ["a linear layer", matmul({ m: 64, n: 120, k: 400, transposeB: true }, true)],
  ["its weight's gradient", matmul({ m: 120, n: 400, k: 64, transposeA: true })],
  ["aligned tiles", matmul({ m: 64, n: 64, k: 64 })],
  ["both transposed", matmul({ m: 68, n: 132, k: 64, transposeA: true, transposeB: true })],
  ["a batch with one matrix on the right", matmul({ batch: 3, batchedA: true, m: 5, n: 8, k: 12 }, true)],
  ["a batch with one matrix on the left", matmul({ batch: 3, batchedB: true, m: 5, n: 8, k: 12, transposeA: true })],
  ["a batch on both sides", matmul({ batch: 3, batchedA: true, batchedB: true, m: 33, n: 9, k: 11 })],
  [
    "a batch, left transposed, one on the right",
    matmul({ batch: 2, batchedA: true, m: 8, n: 4, k: 12, transposeA: true }),
  ],
  ["one element", matmul({ m: 1, n: 1, k: 1 }, true)],
  ["one row", matmul({ m: 1, n: 130, k: 33 })],
  ["one column", matmul({ m: 130, n: 1, k: 33 })],
  ["a split sum with a bias", matmul({ m: 10, n: 7, k: 5000 }, true)],
  ["a split sum over a batch", matmul({ batch: 2, batchedA: true, batchedB: true, m: 10, n: 8, k: 3001 })],
  ["no terms, with a bias", matmul({ m: 5, n: 6, k: 0 }, true)],
  ["no terms", matmul({ m: 5, n: 6, k: 0 })],
  ["no rows", matmul({ m: 0, n: 6, k: 3 })],
  ...passes.flatMap((pass): ReadonlyArray<readonly [string, Contraction]> => [
    [`conv2d ${pass}`, conv2d({ pass }, true)],
    [`conv2d ${pass}, 1×1`, conv2d({ pass, kernel: [1, 1], padding: [0, 0], h: 6, w: 6 }, true)],
    [`conv2d ${pass}, 1×1, unaligned`, conv2d({ pass, kernel: [1, 1], padding: [0, 0], h: 5, w: 7, c: 5, o: 3 }, true)],
    [`conv2d ${pass}, 1×1, stride 2`, conv2d({ pass, kernel: [1, 1], padding: [0, 0], stride: [2, 2] }, true)],
    [`conv2d ${pass}, no padding`, conv2d({ pass, padding: [0, 0] }, true)],
    [`conv2d ${pass}, stride, dilation`, conv2d({ pass, stride: [2, 3], dilation: [2, 1], padding: [2, 0] }, true)],
    [`conv2d ${pass}, groups`, conv2d({ pass, groups: 2, stride: [2, 2] }, true)],
    [`conv2d ${pass}, depthwise`, conv2d({ pass, groups: 4, o: 8 }, true)],
    [`conv2d ${pass}, whole image`, conv2d({ pass, kernel: [9, 8], padding: [0, 0] }, true)],
    [`conv2d ${pass}, padding over the kernel`, conv2d({ pass, kernel: [2, 2], padding: [3, 4] }, true)],
    [`conv2d ${pass}, one row of pixels`, conv2d({ pass, kernel: [1, 3], padding: [0, 1], h: 1, w: 16 }, true)],
    [`conv2d ${pass}, wide`, conv2d({ pass, n: 2, c: 32, o: 64, h: 16, w: 16 }, true)],
  ]),
]
