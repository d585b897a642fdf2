/** Gradients against central differences of the op itself, on the interpreter. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import type * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import { key } from "../../src/ops/random.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

type Host = HostTensor.HostTensor<ReadonlyArray<number>>
type Inputs = { readonly [name: string]: Tensor.Tensor }

/** a well-spread, repeatable sequence in (−1, 1); `distinct` keeps neighbours apart, for max */
const numbers = (shape: ReadonlyArray<number>, seed: number): Host => {
  const n = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from({ length: n }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * 0.9)
  return { shape, data }
}

interface Case {
  readonly name: string
  readonly inputs: { readonly [name: string]: ReadonlyArray<number> }
  readonly op: (x: Inputs) => Tensor.Tensor
  /** made positive, or into classes, before use */
  readonly prepare?: (name: string, x: Host) => Host
  readonly skip?: ReadonlyArray<string>
}

const positive = (_: string, x: Host): Host => ({ ...x, data: x.data.map((v) => Math.abs(v) + 0.5) })
const get = (x: Inputs, name: string): Tensor.Tensor => x[name] ?? Tensor.fill(Number.NaN)
const spec = { a: [2, 3], b: [3] }
const pair = { x: [2, 3], t: [2, 3] }

const cases: ReadonlyArray<Case> = [
  { name: "add", inputs: spec, op: (x) => Ops.add(get(x, "a"), get(x, "b")) },
  { name: "sub", inputs: spec, op: (x) => Ops.sub(get(x, "a"), get(x, "b")) },
  { name: "mul", inputs: spec, op: (x) => Ops.mul(get(x, "a"), get(x, "b")) },
  { name: "div", inputs: spec, op: (x) => Ops.div(get(x, "a"), get(x, "b")), prepare: positive },
  { name: "maximum", inputs: spec, op: (x) => Ops.maximum(get(x, "a"), get(x, "b")) },
  { name: "minimum", inputs: spec, op: (x) => Ops.minimum(get(x, "a"), get(x, "b")) },
  { name: "exp", inputs: { a: [4] }, op: (x) => Ops.exp(get(x, "a")) },
  { name: "log", inputs: { a: [4] }, op: (x) => Ops.log(get(x, "a")), prepare: positive },
  { name: "sqrt", inputs: { a: [4] }, op: (x) => Ops.sqrt(get(x, "a")), prepare: positive },
  { name: "square", inputs: { a: [4] }, op: (x) => Ops.square(get(x, "a")) },
  { name: "abs", inputs: { a: [4] }, op: (x) => Ops.abs(get(x, "a")) },
  { name: "relu", inputs: { a: [6] }, op: (x) => Ops.relu(get(x, "a")) },
  { name: "sum", inputs: { a: [2, 3, 4] }, op: (x) => Ops.sum(get(x, "a"), { dim: [0, 2] }) },
  { name: "mean", inputs: { a: [2, 3, 4] }, op: (x) => Ops.mean(get(x, "a"), { dim: [-1], keepDim: true }) },
  { name: "amax", inputs: { a: [2, 3, 4] }, op: (x) => Ops.amax(get(x, "a"), { dim: 1 }) },
  { name: "logSoftmax", inputs: { a: [3, 4] }, op: (x) => Ops.logSoftmax(get(x, "a"), 1) },
  { name: "matmul", inputs: { a: [2, 3], b: [3, 4] }, op: (x) => Ops.matmul(get(x, "a"), get(x, "b")) },
  { name: "matmul batched", inputs: { a: [2, 2, 3], b: [3, 4] }, op: (x) => Ops.matmul(get(x, "a"), get(x, "b")) },
  {
    name: "linear",
    inputs: { x: [2, 3], w: [4, 3], b: [4] },
    op: (x) => Ops.linear(get(x, "x"), get(x, "w"), get(x, "b")),
  },
  {
    name: "linear of three dimensions",
    inputs: { x: [2, 2, 3], w: [4, 3] },
    op: (x) => Ops.linear(get(x, "x"), get(x, "w")),
  },
  {
    name: "conv2d",
    inputs: { x: [2, 2, 5, 6], w: [4, 1, 3, 2], b: [4] },
    op: (x) =>
      Ops.conv2d(get(x, "x"), get(x, "w"), get(x, "b"), {
        stride: [2, 1],
        padding: [1, 2],
        dilation: [1, 2],
        groups: 2,
      }),
  },
  {
    name: "conv2d same",
    inputs: { x: [1, 4, 4], w: [2, 1, 4, 3] },
    op: (x) => Ops.conv2d(get(x, "x"), get(x, "w"), null, { padding: "same" }),
  },
  ...(["reflect", "replicate", "circular"] as const).map((paddingMode): Case => ({
    name: `conv2d ${paddingMode}`,
    inputs: { x: [1, 2, 4, 4], w: [2, 2, 3, 3] },
    op: (x) => Ops.conv2d(get(x, "x"), get(x, "w"), null, { padding: 1, paddingMode }),
  })),
  ...(["constant", "reflect", "replicate", "circular"] as const).map((mode): Case => ({
    name: `pad ${mode}`,
    inputs: { x: [2, 4, 5] },
    op: (x) => Ops.pad(get(x, "x"), [1, 2, 3, 0], { mode }),
  })),
  { name: "maxPool2d", inputs: { x: [1, 2, 5, 5] }, op: (x) => Ops.maxPool2d(get(x, "x"), { kernelSize: 2 }) },
  {
    name: "maxPool2d overlapping, padded, ceil",
    inputs: { x: [1, 2, 6, 7] },
    op: (x) => Ops.maxPool2d(get(x, "x"), { kernelSize: 3, stride: 2, padding: 1, ceilMode: true }),
  },
  {
    name: "maxPool2d dilated",
    inputs: { x: [2, 6, 7] },
    op: (x) => Ops.maxPool2d(get(x, "x"), { kernelSize: [2, 3], stride: 1, dilation: 2 }),
  },
  ...(["sigmoid", "tanh", "erf", "silu", "relu6", "hardswish", "leakyRelu", "elu", "gelu", "softplus"] as const).map(
    (name): Case => ({ name, inputs: { a: [7] }, op: (x) => Ops[name](Ops.mul(get(x, "a"), 3)) }),
  ),
  ...(["rsqrt", "reciprocal"] as const).map((name): Case => ({
    name,
    inputs: { a: [7] },
    op: (x) => Ops[name](get(x, "a")),
    prepare: positive,
  })),
  { name: "gelu by tanh", inputs: { a: [7] }, op: (x) => Ops.gelu(get(x, "a"), { approximate: "tanh" }) },
  { name: "pow", inputs: spec, op: (x) => Ops.pow(get(x, "a"), get(x, "b")), prepare: positive },
  { name: "where", inputs: spec, op: (x) => Ops.where(Ops.greater(get(x, "b"), 0), get(x, "a"), 2) },
  { name: "softmax", inputs: { a: [3, 4] }, op: (x) => Ops.softmax(get(x, "a"), 1) },
  { name: "amin", inputs: { a: [2, 3, 4] }, op: (x) => Ops.amin(get(x, "a"), { dim: 1 }) },
  { name: "variance", inputs: { a: [2, 3, 4] }, op: (x) => Ops.variance(get(x, "a"), { dim: [0, 2] }) },
  { name: "permute", inputs: { a: [2, 3, 4] }, op: (x) => Ops.permute(get(x, "a"), [2, 0, 1]) },
  { name: "slice", inputs: { a: [2, 5] }, op: (x) => Ops.slice(get(x, "a"), 1, 1, -1) },
  {
    name: "concat",
    inputs: { a: [2, 3], b: [2, 2] },
    op: (x) => Ops.concat([get(x, "a"), get(x, "b"), get(x, "a")], 1),
  },
  {
    name: "embedding",
    inputs: { i: [2, 3], w: [4, 2] },
    skip: ["i"],
    prepare: (name, x) => (name === "i" ? { ...x, data: Float32Array.of(0, 3, 1, 3, 3, 2) } : x),
    op: (x) => Ops.embedding(get(x, "i"), get(x, "w") as Tensor.Tensor<[4, 2]>),
  },
  { name: "avgPool2d", inputs: { x: [1, 2, 6, 7] }, op: (x) => Ops.avgPool2d(get(x, "x"), { kernelSize: 2 }) },
  {
    name: "avgPool2d overlapping, padded, ceil",
    inputs: { x: [1, 2, 6, 7] },
    op: (x) => Ops.avgPool2d(get(x, "x"), { kernelSize: 3, stride: 2, padding: 1, ceilMode: true }),
  },
  {
    name: "avgPool2d without the padding",
    inputs: { x: [2, 6, 7] },
    op: (x) =>
      Ops.avgPool2d(get(x, "x"), { kernelSize: [3, 2], stride: 2, padding: 1, countIncludePad: false, ceilMode: true }),
  },
  ...([3, [6, 6], [4, 9], 1] as const).flatMap((size): ReadonlyArray<Case> => [
    {
      name: `adaptiveAvgPool2d to ${size}`,
      inputs: { x: [1, 2, 6, 7] },
      op: (x) => Ops.adaptiveAvgPool2d(get(x, "x"), size),
    },
    {
      name: `adaptiveMaxPool2d to ${size}`,
      inputs: { x: [1, 2, 6, 7] },
      op: (x) => Ops.adaptiveMaxPool2d(get(x, "x"), size),
    },
  ]),
  {
    name: "convTranspose2d",
    inputs: { x: [2, 4, 3, 4], w: [4, 3, 3, 2], b: [6] },
    op: (x) =>
      Ops.convTranspose2d(get(x, "x"), get(x, "w"), get(x, "b"), {
        stride: 2,
        padding: [1, 0],
        outputPadding: 1,
        dilation: [1, 2],
        groups: 2,
      }),
  },
  ...([true, false] as const).map((training): Case => ({
    name: `batchNorm2d, training ${training}`,
    inputs: { x: [3, 2, 2, 2], w: [2], b: [2], m: [2], v: [2] },
    skip: ["m", "v"],
    prepare: (name, x) => (name === "v" ? positive(name, x) : x),
    op: (x) =>
      Ops.batchNorm2d(get(x, "x"), {
        weight: get(x, "w"),
        bias: get(x, "b"),
        runningMean: get(x, "m"),
        runningVar: get(x, "v"),
        training,
      }).output,
  })),
  {
    name: "layerNorm",
    inputs: { x: [3, 2, 4], w: [2, 4], b: [2, 4] },
    op: (x) => Ops.layerNorm(get(x, "x"), [2, 4], { weight: get(x, "w"), bias: get(x, "b") }),
  },
  {
    name: "groupNorm",
    inputs: { x: [2, 4, 3], w: [4], b: [4] },
    op: (x) => Ops.groupNorm(get(x, "x"), 2, { weight: get(x, "w"), bias: get(x, "b") }),
  },
  {
    name: "localResponseNorm",
    inputs: { x: [2, 5, 3] },
    op: (x) => Ops.localResponseNorm(get(x, "x"), 4, { alpha: 0.5, k: 2 }),
  },
  {
    name: "interpolate nearest",
    inputs: { x: [1, 2, 3, 4] },
    op: (x) => Ops.interpolate(get(x, "x"), { size: [5, 3] }),
  },
  ...([true, false] as const).flatMap((alignCorners) =>
    (
      [
        [7, 5],
        [2, 3],
        [1, 9],
      ] as const
    ).map((size): Case => ({
      name: `interpolate bilinear to ${size}, corners ${alignCorners}`,
      inputs: { x: [1, 2, 3, 4] },
      op: (x) => Ops.interpolate(get(x, "x"), { size, mode: "bilinear", alignCorners }),
    })),
  ),
  { name: "mseLoss", inputs: pair, op: (x) => Ops.mseLoss(get(x, "x"), get(x, "t")) },
  { name: "l1Loss", inputs: pair, op: (x) => Ops.l1Loss(get(x, "x"), get(x, "t")) },
  { name: "huberLoss", inputs: pair, op: (x) => Ops.huberLoss(Ops.mul(get(x, "x"), 3), get(x, "t")) },
  {
    name: "binaryCrossEntropyWithLogits",
    inputs: pair,
    op: (x) => Ops.binaryCrossEntropyWithLogits(get(x, "x"), get(x, "t")),
  },
  {
    name: "dropout",
    inputs: { x: [20], k: [4] },
    skip: ["k"],
    prepare: (name, x) => (name === "k" ? { ...x, data: key(1, 2) } : x),
    op: (x) => Ops.dropout(get(x, "x"), { key: get(x, "k") as Tensor.Tensor<[4]>, stream: 7 }),
  },
  {
    name: "crossEntropy",
    inputs: { x: [3, 4], t: [3], w: [4] },
    skip: ["t", "w"],
    prepare: (name, x) =>
      name === "t" ? { ...x, data: Float32Array.of(2, -100, 0) } : name === "w" ? positive(name, x) : x,
    op: (x) => Ops.crossEntropy(get(x, "x"), get(x, "t"), { weight: get(x, "w"), labelSmoothing: 0.2 }),
  },
]

describe("the gradient agrees with central differences along random directions", () => {
  for (const c of cases)
    it.effect(c.name, () =>
      Effect.gen(function* () {
        const host = Object.entries(c.inputs).map(
          ([name, shape], i) => [name, (c.prepare ?? ((_, x) => x))(name, numbers(shape, i + 1))] as const,
        )
        const run = Effect.fnUntraced(function* (values: ReadonlyArray<readonly [string, Host]>) {
          const inputs: Inputs = Object.fromEntries(values.map(([name, x]) => [name, Tensor.constant(x)]))
          const y = c.op(inputs)
          const dy = Tensor.constant(numbers(y.shape.map(Number), 99))
          const wrt = Object.fromEntries(Object.entries(inputs).filter(([name]) => !c.skip?.includes(name)))
          const { total, dx } = yield* Program.evaluate({ total: Ops.sum(Ops.mul(y, dy)), dx: Ops.vjp(y, dy, wrt) })
          return { total: Number(total), dx: dx as { readonly [name: string]: Host } }
        })
        const { dx } = yield* run(host)
        for (const [name, gradient] of Object.entries(dx)) {
          const direction = numbers(gradient.shape, 7)
          const along = direction.data.reduce((s, v, i) => s + v * (gradient.data[i] ?? 0), 0)
          const at = (h: number) =>
            run(
              host.map(([n, x]) =>
                n === name ? [n, { ...x, data: x.data.map((v, i) => v + h * (direction.data[i] ?? 0)) }] : [n, x],
              ),
            )
          const h = 1e-2
          const difference = ((yield* at(h)).total - (yield* at(-h)).total) / (2 * h)
          expect(Math.abs(along - difference), `${name}: ${along} against ${difference}`).toBeLessThan(
            5e-3 * Math.max(1, Math.abs(difference)),
          )
        }
      }).pipe(Effect.provide(Reference.layer)),
    )
})
