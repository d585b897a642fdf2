import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { average, reduced, total } from "../support/reference.ts"

const cases = fc.tuple(int(2, 3), int(1, 3), int(1, 3), int(1, 3)).map(([n, c, h, w]) => ({
  shapes: { x: [n, c, h, w], weight: [c], bias: [c], mean: [c], variance: [c] },
  attributes: {},
}))
type Name = "x" | "weight" | "bias" | "mean" | "variance"
type Inputs<A> = { readonly [K in Name]: A }

const normed = ({ x, weight, bias, mean, variance }: Inputs<Tensor>, training: boolean) =>
  Ops.batchNorm2d(x, { weight, bias, runningMean: mean, runningVar: variance, training, eps: 0.01, momentum: 0.2 })

const described = (reference: (inputs: Inputs<Laws.Array64>) => Laws.Array64) => ({
  name: "batchNorm2d",
  cases,
  elements: () => ({ variance: Laws.positive }),
  reference,
})
const refused = [
  {
    shapes: { x: [2, 3, 2, 2], weight: [4], bias: [4], mean: [4], variance: [4] },
    attributes: {},
    says: "expects 4 channels but the input gives 3",
  },
]

/** of the batch, channel by channel */
const moments = (x: Laws.Array64) => ({
  mean: reduced(x, { dims: [0, 2, 3] }, average),
  squares: reduced(x, { dims: [0, 2, 3] }, (xs) => total(xs.map((v) => (v - average(xs)) ** 2))),
  count: x.data.length / (x.shape[1] ?? 1),
})
const affine = (inputs: Inputs<Laws.Array64>, mean: (c: number) => number, variance: (c: number) => number) =>
  Laws.tabulate(inputs.x.shape, (...i) => {
    const c = i[1] ?? 0
    const unit = (Laws.at(inputs.x, ...i) - mean(c)) / Math.sqrt(variance(c) + 0.01)
    return unit * Laws.at(inputs.weight, c) + Laws.at(inputs.bias, c)
  })

onEveryDevice([
  ...Laws.op((inputs: Inputs<Tensor>) => normed(inputs, true).output, {
    ...described((inputs) => {
      const { mean, squares, count } = moments(inputs.x)
      return affine(
        inputs,
        (c) => Laws.at(mean, c),
        (c) => Laws.at(squares, c) / count,
      )
    }),
    differentiable: ["x", "weight", "bias"],
    refused,
  }),
  ...Laws.op((inputs: Inputs<Tensor>) => normed(inputs, false).output, {
    ...described((inputs) =>
      affine(
        inputs,
        (c) => Laws.at(inputs.mean, c),
        (c) => Laws.at(inputs.variance, c),
      ),
    ),
    name: "batchNorm2d",
    differentiable: ["x", "weight", "bias"],
  }),
  ...Laws.op((inputs: Inputs<Tensor>) => normed(inputs, true).runningMean ?? inputs.x, {
    ...described(({ x, mean }) =>
      Laws.tabulate(mean.shape, (c = 0) => 0.8 * Laws.at(mean, c) + 0.2 * Laws.at(moments(x).mean, c)),
    ),
    name: "the running mean of batchNorm2d",
    differentiable: "statistics are no part of the loss",
  }),
  ...Laws.op((inputs: Inputs<Tensor>) => normed(inputs, true).runningVar ?? inputs.x, {
    // the batch's own variance is biased, and what is kept of it is not
    ...described(({ x, variance }) => {
      const { squares, count } = moments(x)
      return Laws.tabulate(
        variance.shape,
        (c = 0) => 0.8 * Laws.at(variance, c) + (0.2 * Laws.at(squares, c)) / (count - 1),
      )
    }),
    name: "the running variance of batchNorm2d",
    differentiable: "statistics are no part of the loss",
  }),
])
