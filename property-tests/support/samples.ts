/** One call of every op, for what is said of all of them: a missing one does not compile. */
import { key } from "../../src/ops/random.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type * as Tensor from "../../src/ops/Tensor.ts"

type Shape = ReadonlyArray<number>
type OpName = Exclude<keyof typeof Ops, "grad" | "vjp">

export interface Sample {
  readonly inputs: ReadonlyArray<Shape>
  readonly call: (...inputs: ReadonlyArray<Tensor.Tensor>) => Tensor.Tensor
}

const sample = (inputs: ReadonlyArray<Shape>, call: (...x: Array<Tensor.Tensor>) => Tensor.Tensor): Sample => ({
  inputs,
  // `call` gets as many tensors as there are inputs
  call: call as Sample["call"],
})
const image = [2, 4, 6, 7]
const matrix = [3, 5]
const one = (call: (x: Tensor.Tensor) => Tensor.Tensor): Sample => sample([matrix], call)
const two = (call: (a: Tensor.Tensor, b: Tensor.Tensor) => Tensor.Tensor): Sample => sample([matrix, [5]], call)

export const samples: { readonly [Name in OpName]: Sample } = {
  abs: one(Ops.abs),
  adaptiveAvgPool2d: sample([image], (x) => Ops.adaptiveAvgPool2d(x, 4)),
  adaptiveMaxPool2d: sample([image], (x) => Ops.adaptiveMaxPool2d(x, 4)),
  add: two((a, b) => Ops.add(a, b)),
  amax: one((x) => Ops.amax(x, { dim: 1 })),
  amin: one((x) => Ops.amin(x, { dim: 1 })),
  argmax: one((x) => Ops.argmax(x, 1)),
  avgPool2d: sample([image], (x) => Ops.avgPool2d(x, { kernelSize: 3, stride: 2, padding: 1 })),
  batchNorm2d: sample(
    [image, [4], [4]],
    (x, weight, bias) => Ops.batchNorm2d(x, { weight, bias, training: true }).output,
  ),
  binaryCrossEntropyWithLogits: sample([matrix, matrix], (x, t) => Ops.binaryCrossEntropyWithLogits(x, t)),
  concat: sample([matrix, matrix], (a, b) => Ops.concat([a, b], 1)),
  conv2d: sample([image, [6, 4, 3, 3], [6]], (x, w, b) => Ops.conv2d(x, w, b, { padding: 1 })),
  convTranspose2d: sample([image, [4, 3, 3, 3]], (x, w) => Ops.convTranspose2d(x, w, null, { stride: 2 })),
  crossEntropy: sample([matrix, [3]], (x, t) => Ops.crossEntropy(x, t)),
  detach: one(Ops.detach),
  div: two((a, b) => Ops.div(a, b)),
  dropout: sample([matrix, [key(0, 0).length]], (x, k) => Ops.dropout(x, { key: k as Tensor.Tensor<[4]>, stream: 1 })),
  elu: one((x) => Ops.elu(x)),
  embedding: sample([[3], matrix], (i, w) => Ops.embedding(i, w as Tensor.Tensor<[3, 5]>)),
  equal: two((a, b) => Ops.equal(a, b)),
  erf: one(Ops.erf),
  exp: one(Ops.exp),
  expandTo: one((x) => Ops.expandTo(x, [2, 3, 5])),
  flatten: sample([image], (x) => Ops.flatten(x)),
  gelu: one((x) => Ops.gelu(x)),
  greater: two((a, b) => Ops.greater(a, b)),
  greaterEqual: two((a, b) => Ops.greaterEqual(a, b)),
  groupNorm: sample([image], (x) => Ops.groupNorm(x, 2)),
  hardswish: one(Ops.hardswish),
  huberLoss: sample([matrix, matrix], (x, t) => Ops.huberLoss(x, t)),
  interpolate: sample([image], (x) => Ops.interpolate(x, { size: 5, mode: "bilinear" })),
  l1Loss: sample([matrix, matrix], (x, t) => Ops.l1Loss(x, t)),
  layerNorm: one((x) => Ops.layerNorm(x, [5])),
  leakyRelu: one((x) => Ops.leakyRelu(x)),
  less: two((a, b) => Ops.less(a, b)),
  lessEqual: two((a, b) => Ops.lessEqual(a, b)),
  linear: sample([matrix, [4, 5], [4]], (x, w, b) => Ops.linear(x, w, b)),
  localResponseNorm: sample([image], (x) => Ops.localResponseNorm(x, 5)),
  log: one(Ops.log),
  logSoftmax: one((x) => Ops.logSoftmax(x, 1)),
  matmul: sample([matrix, [5, 4]], (a, b) => Ops.matmul(a, b)),
  maximum: two((a, b) => Ops.maximum(a, b)),
  maxPool2d: sample([image], (x) => Ops.maxPool2d(x, { kernelSize: 3, stride: 2 })),
  mean: one((x) => Ops.mean(x, { dim: 1 })),
  minimum: two((a, b) => Ops.minimum(a, b)),
  mseLoss: sample([matrix, matrix], (x, t) => Ops.mseLoss(x, t)),
  mul: two((a, b) => Ops.mul(a, b)),
  neg: one(Ops.neg),
  nllLoss: sample([matrix, [3]], (x, t) => Ops.nllLoss(x, t)),
  pad: sample([image], (x) => Ops.pad(x, [1, 2, 3, 0], { mode: "reflect" })),
  permute: sample([image], (x) => Ops.permute(x, [0, 3, 1, 2])),
  pick: sample([matrix, [3]], (x, i) => Ops.pick(x, i)),
  pow: two((a, b) => Ops.pow(a, b)),
  reciprocal: one(Ops.reciprocal),
  relu: one(Ops.relu),
  relu6: one(Ops.relu6),
  reshape: one((x) => Ops.reshape(x, [15])),
  rsqrt: one(Ops.rsqrt),
  sigmoid: one(Ops.sigmoid),
  sign: one(Ops.sign),
  silu: one(Ops.silu),
  slice: one((x) => Ops.slice(x, 1, 1, 3)),
  softmax: one((x) => Ops.softmax(x, 1)),
  softplus: one((x) => Ops.softplus(x)),
  sqrt: one(Ops.sqrt),
  square: one(Ops.square),
  sub: two((a, b) => Ops.sub(a, b)),
  sum: one((x) => Ops.sum(x, { dim: 1 })),
  sumTo: one((x) => Ops.sumTo(x, [5])),
  tanh: one(Ops.tanh),
  variance: one((x) => Ops.variance(x, { dim: 1 })),
  where: two((a, b) => Ops.where(Ops.greater(a, 0), b, 0)),
}
