/** What does not fit is refused by every op, as PyTorch does, in a sentence that begins with the op's name. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { key } from "../../src/ops/random.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as T from "../../src/ops/Tensor.ts"
import type { ShapeMismatch } from "../../src/shapes/ShapeMismatch.ts"
import { samples } from "../support/samples.ts"

type Extents = ReadonlyArray<number>
type Row = readonly [inputs: ReadonlyArray<Extents>, output: Extents | null]

const input = (...shape: Extents): T.Tensor => T.make(shape, { _tag: "Input" })

/** computed by scripts/acceptedShapes.py */
const pytorch: { readonly [op: string]: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("acceptedShapes.json", import.meta.url), "utf8"),
)

/** where we decide otherwise, and why */
const decided: ReadonlyArray<readonly [why: string, op: string, row: Row]> = [
  ...(
    [
      ["adaptiveMaxPool2d", [2, 0, 4, 4]],
      ["avgPool2d", [2, 0, 3, 4]],
      ["interpolate", [2, 0, 5, 5]],
      ["maxPool2d", [2, 0, 2, 3]],
      ["pad", [2, 0, 9, 10]],
    ] as const
  ).map(([op, output]) => ["of no channels there is nothing to compute", op, [[[2, 0, 6, 7]], output]] as const),
  ["five dimensions are padded like four", "pad", [[[2, 2, 4, 6, 7]], [2, 2, 4, 9, 10]]],
  ["a weight for each of no channels has no elements", "batchNorm2d", [[[2, 0, 6, 7], [4], [4]], null]],
  ["a channel without values has no mean", "batchNorm2d", [[[2, 4, 0, 7], [4], [4]], null]],
  ["a channel without values has no mean", "batchNorm2d", [[[2, 4, 6, 0], [4], [4]], null]],
  [
    "which rows are asked for is known when it runs",
    "embedding",
    [
      [[3], [0, 5]],
      [3, 5],
    ],
  ],
  ["a bias has an element for each output", "linear", [[[3, 5], [4, 5], []], null]],
  ["a sample alone has one class", "nllLoss", [[[3], [3]], null]],
]

const said = (x: T.Tensor): ShapeMismatch | undefined => {
  const error = T.refusal(x)
  if (error !== undefined && error._tag !== "ShapeMismatch") throw new Error(`it fails with ${error._tag}`)
  return error
}

describe.each(Object.entries(samples).filter(([name]) => name in pytorch))("%s", (name, { call }) => {
  it("takes the shapes that PyTorch takes, and refuses the others in its own name", () => {
    for (const [shapes, output] of pytorch[name] ?? []) {
      const own = decided.find(([, op, [inputs]]) => op === name && JSON.stringify(inputs) === JSON.stringify(shapes))
      const wanted = own === undefined ? output : own[2][1]
      const y = call(...shapes.map((s) => input(...s)))
      const error = said(y)
      const given = error === undefined ? y.shape : null
      const by = error === undefined ? [] : [error.op, error.message.split(": ")[0]]
      expect({ shapes, given, by }).toEqual({ shapes, given: wanted, by: wanted === null ? [name, name] : [] })
    }
  })
})

it("the decisions of our own are about rows that there are, and that PyTorch decides otherwise", () => {
  for (const [why, op, [shapes, output]] of decided) {
    const row = pytorch[op]?.find(([inputs]) => JSON.stringify(inputs) === JSON.stringify(shapes))
    expect({ why, found: row !== undefined }).toEqual({ why, found: true })
    expect({ why, output: row?.[1] }).not.toEqual({ why, output })
  }
})

it("only what PyTorch does not have is in no table", () => {
  expect(Object.keys(samples).filter((name) => !(name in pytorch))).toEqual(["detach", "dropout", "pick"])
})

const image = input(2, 4, 6, 7)
const matrix = input(3, 5)
const weight = input(6, 4, 3, 3)
const k = T.make<[4]>([4], { _tag: "Input" })
/** a word that a typed caller cannot write */
const word = (w: string): never => w as never

/** the calls, each with what its sentence says after the op's name */
const calls: ReadonlyArray<readonly [says: string, call: () => T.Tensor]> = [
  ["conv2d: has a wrong stride: 0 is not a size", () => Ops.conv2d(image, weight, null, { stride: 0 })],
  ["conv2d: has a wrong stride: 1.5 is not a size", () => Ops.conv2d(image, weight, null, { stride: [1, 1.5] })],
  ["conv2d: has a wrong padding: -1 is not a count", () => Ops.conv2d(image, weight, null, { padding: -1 })],
  ["conv2d: has a wrong padding: full is none of", () => Ops.conv2d(image, weight, null, { padding: word("full") })],
  ["conv2d: has a wrong dilation: 0 is not a size", () => Ops.conv2d(image, weight, null, { dilation: 0 })],
  ["conv2d: has a wrong groups: 0 is not a size", () => Ops.conv2d(image, weight, null, { groups: 0 })],
  ["conv2d: has 4 groups, which do not divide", () => Ops.conv2d(image, weight, null, { groups: 4 })],
  ["conv2d: has a wrong paddingMode", () => Ops.conv2d(image, weight, null, { paddingMode: word("mirror") })],
  [
    "conv2d: has a reflect padding of 6, more than its input of 6",
    () => Ops.conv2d(image, weight, null, { padding: 6, paddingMode: "reflect" }),
  ],
  [
    'conv2d: has padding "same", which needs stride 1',
    () => Ops.conv2d(image, weight, null, { padding: "same", stride: Number("2") }),
  ],
  [
    "convTranspose2d: has a wrong outputPadding: 2 is not below",
    () => Ops.convTranspose2d(image, input(4, 3, 3, 3), null, { stride: 2, outputPadding: 2 }),
  ],
  [
    "convTranspose2d: has a wrong stride: 0 is not a size",
    () => Ops.convTranspose2d(image, input(4, 3, 3, 3), null, { stride: 0 }),
  ],
  [
    "convTranspose2d: has 3 groups, which do not divide its 4",
    () => Ops.convTranspose2d(image, input(4, 3, 3, 3), null, { groups: 3 }),
  ],
  [
    "convTranspose2d: expects a bias of 3 but is given 4",
    () => Ops.convTranspose2d(image, input(4, 3, 3, 3), input(4)),
  ],
  ["maxPool2d: has a wrong kernelSize: 0 is not a size", () => Ops.maxPool2d(image, { kernelSize: 0 })],
  ["maxPool2d: has a wrong padding: padding 2 is more", () => Ops.maxPool2d(image, { kernelSize: 3, padding: 2 })],
  ["maxPool2d: has a wrong dilation: 0 is not a size", () => Ops.maxPool2d(image, { kernelSize: 3, dilation: 0 })],
  ["avgPool2d: has a wrong stride: -1 is not a size", () => Ops.avgPool2d(image, { kernelSize: 3, stride: -1 })],
  ["avgPool2d: has a wrong divisorOverride", () => Ops.avgPool2d(image, { kernelSize: 3, divisorOverride: 0 })],
  ["adaptiveAvgPool2d: has a wrong outputSize: 0 is", () => Ops.adaptiveAvgPool2d(image, 0)],
  ["adaptiveMaxPool2d: has a wrong outputSize: 1.5 is", () => Ops.adaptiveMaxPool2d(image, [null, 1.5])],
  ["sum: there is no dimension -3 in 3×5", () => Ops.sum(matrix, { dim: -3 })],
  ["sum: dimension 1 of 3×5 is named twice", () => Ops.sum(matrix, { dim: [1, -1] })],
  ["mean: there is no dimension 2 in 3×5", () => Ops.mean(matrix, { dim: [0, 2] })],
  ["argmax: there is no dimension 0.5 in 3×5", () => Ops.argmax(matrix, 0.5)],
  ["softmax: there is no dimension -3 in 3×5", () => Ops.softmax(matrix, -3)],
  ["concat: there is no dimension -3 in 3×5", () => Ops.concat([matrix, matrix], Number("-3"))],
  ["concat: there is nothing to join", () => Ops.concat([] as ReadonlyArray<T.Tensor>, 0)],
  ["permute: [0, -3] is no order", () => Ops.permute(matrix, [0, -3])],
  ["reshape: -5 is no size of -5×-3", () => Ops.reshape(matrix, [-5, -3])],
  ["reshape: 3×5 does not fit -1×-1: only one -1", () => Ops.reshape(matrix, [-1, -1] as ReadonlyArray<number>)],
  ["expandTo: 3×5 cannot be repeated to 5", () => Ops.expandTo(matrix, [5])],
  ["sumTo: 3×5 cannot be summed to 3", () => Ops.sumTo(matrix, [3])],
  ["slice: there is no dimension 2 in 3×5", () => Ops.slice(matrix, 2, 0)],
  ["flatten: there is no dimension -3 in 3×5", () => Ops.flatten(matrix, -3)],
  ["pad: has a wrong mode: mirror is none of", () => Ops.pad(matrix, [1, 1], { mode: word("mirror") })],
  ["pad: expects pairs of whole numbers", () => Ops.pad(matrix, [1, 0.5])],
  ["interpolate: has a wrong mode: cubic is none of", () => Ops.interpolate(image, { size: 3, mode: word("cubic") })],
  ["dropout: has a wrong p: 1.5 is no number", () => Ops.dropout(matrix, { p: 1.5, key: k, stream: 1 })],
  ["dropout: has a wrong p: NaN is no number", () => Ops.dropout(matrix, { p: Number.NaN, key: k, stream: 1 })],
  ["dropout: has a wrong stream: 0.5 is not a count", () => Ops.dropout(matrix, { key: k, stream: 0.5 })],
  [
    `dropout: has a wrong key: a key has ${key(0, 0).length} numbers, not 3`,
    () => Ops.dropout(matrix, { key: input(3) as T.Tensor<[4]>, stream: 1 }),
  ],
  ["batchNorm2d: expects 5 channels", () => Ops.batchNorm2d(image, { bias: input(5), training: true }).output],
  [
    "batchNorm2d: expects 3 channels",
    () => Ops.batchNorm2d(image, { runningMean: input(4), runningVar: input(3), training: false }).output,
  ],
  [
    "batchNorm2d: needs more than one value for each channel but the input gives 1×4×1×1",
    () => Ops.batchNorm2d(input(1, 4, 1, 1), { training: true }).output,
  ],
  ["layerNorm: normalises a scalar", () => Ops.layerNorm(matrix, [])],
  ["layerNorm: normalises 5 but is given a weight of 3", () => Ops.layerNorm(matrix, [5], { weight: input(3) })],
  ["layerNorm: normalises 4 but the input gives 3×5", () => Ops.layerNorm(matrix, [4])],
  ["layerNorm: normalises 2×3×5 but the input gives 3×5", () => Ops.layerNorm(matrix, [2, 3, 5])],
  ["groupNorm: has a wrong numGroups: 0 is not a size", () => Ops.groupNorm(image, 0)],
  ["groupNorm: has 3 groups, which do not divide", () => Ops.groupNorm(image, 3)],
  ["groupNorm: has 4 channels but is given 3", () => Ops.groupNorm(image, 2, { bias: input(3) })],
  ["localResponseNorm: has a wrong size: 0 is not a size", () => Ops.localResponseNorm(image, 0)],
  ["localResponseNorm: expects", () => Ops.localResponseNorm(matrix, 5)],
  ["gelu: has a wrong approximate: erf is none of", () => Ops.gelu(matrix, { approximate: word("erf") })],
  ["huberLoss: has a wrong delta: 0 is not above 0", () => Ops.huberLoss(matrix, matrix, { delta: 0 })],
  ["mseLoss: has a wrong reduction: average", () => Ops.mseLoss(matrix, matrix, { reduction: word("average") })],
  ["nllLoss: has a wrong reduction: average", () => Ops.nllLoss(matrix, input(3), { reduction: word("average") })],
  ["nllLoss: has a wrong ignoreIndex: 0.5", () => Ops.nllLoss(matrix, input(3), { ignoreIndex: 0.5 })],
  [
    "crossEntropy: has a wrong weight: one for each of 5",
    () => Ops.crossEntropy(matrix, input(3), { weight: input(3) }),
  ],
  ["crossEntropy: has a wrong labelSmoothing: 2", () => Ops.crossEntropy(matrix, input(3), { labelSmoothing: 2 })],
  ["crossEntropy: expects probabilities of shape 3×5", () => Ops.crossEntropy(matrix, input(3, 4))],
  [
    "binaryCrossEntropyWithLogits: a weight of 2×3×5 does not fit logits of 3×5",
    () => Ops.binaryCrossEntropyWithLogits(matrix, matrix, { posWeight: input(2, 3, 5) }),
  ],
  [
    "embedding: has a wrong paddingIndex: 3 is no row of 3",
    () => Ops.embedding(input(2), input(3, 5) as T.Tensor<[3, 5]>, { paddingIndex: 3 }),
  ],
  ["pick: expects classes of shape 3 for an input of 3×5", () => Ops.pick(matrix, input(4))],
]

describe("options that cannot be meant", () => {
  it.each(calls)("%s", (says, call) => {
    const message = said(call())?.message
    expect(message).toBeDefined()
    expect(message?.slice(0, says.length)).toBe(says)
  })
})

it("a refusal passes through every op, and stays what it was", () => {
  const refused = Ops.softmax(matrix, 7)
  const before = T.refusal(refused)
  for (const [name, { inputs, call }] of Object.entries(samples))
    for (const i of inputs.keys()) {
      const y = call(...inputs.map((shape, j) => (i === j ? refused : input(...shape))))
      expect([name, i, T.refusal(y)]).toEqual([name, i, before])
    }
  expect(T.refusal(Ops.vjp(refused, matrix, { matrix }).matrix)).toBe(before)
  expect(said(Ops.vjp(matrix, input(3), { matrix }).matrix)?.message).toBe(
    "vjp needs a cotangent of 3×5 but is given 3",
  )
})
