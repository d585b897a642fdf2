import * as K from "../gpu/Kernel.ts"
import { reduce } from "../shapes/reduce.ts"
import type { Shape } from "../shapes/Shape.ts"
import { nothingIn } from "../shapes/size.ts"
import { div } from "./div.ts"
import { equal } from "./equal.ts"
import { mul } from "./mul.ts"
import * as Op from "./Op.ts"
import { expandTo, keep, type Reduced, reducedDims, type ReduceOptions, type Reduction, reduction, sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<Reduction> = Op.primitive({
  name: "amax",
  shape: ([x = []], { dims, keepDim }) =>
    nothingIn(
      x,
      dims.map((d) => x[d]),
      "compare",
    ) ?? reduce(x, dims, keepDim),
  kernel: ({ inputs: [x = []], at, attributes }) => {
    const { axes, point } = reduction(x, attributes, at)
    return [K.maximum(axes, K.load(0, point))]
  },
  gradient: Op.linear((dy, { x, y, attributes: { dims } }) => {
    const won = equal(x, expandTo(keep(y, x.shape, dims), x.shape))
    const shared = div(keep(dy, x.shape, dims), sum(won, { dim: dims, keepDim: true }))
    return mul(won, expandTo(shared, x.shape))
  }),
})

/**
 * The largest element over dimensions, all of them when none are named; NaN wins.
 *
 * **Shapes** `S → S` without the dimensions, or with 1 in their place (`keepDim`). **Gradient** `dy`, shared evenly
 * among equals. PyTorch's `amax`.
 */
export const amax = <S extends Shape, const O extends ReduceOptions = object>(
  x: Tensor<S>,
  options?: O,
): Tensor<Reduced<S, O>> =>
  Op.call(op, [x], { dims: reducedDims(x.shape, options ?? {}), keepDim: options?.keepDim ?? false })
