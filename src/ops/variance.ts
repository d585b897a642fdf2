import type { Shape } from "../shapes/Shape.ts"
import { mean, sizeOf } from "./mean.ts"
import { mul } from "./mul.ts"
import { square } from "./square.ts"
import { sub } from "./sub.ts"
import { type Reduced, reducedDims, type ReduceOptions, sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The variance over dimensions, all of them when none are named: the sum of squared distances from the mean over
 * `count − correction` (correction 1 when not given: the unbiased estimate).
 *
 * **Shapes** `S → S` without the dimensions, or with 1 in their place (`keepDim`).
 * **Gradient** `2·dy·(x − mean) / (count − correction)`. PyTorch's `var`.
 */
export const variance = Op.composed(
  "variance",
  <S extends Shape, const O extends ReduceOptions & { readonly correction?: number } = object>(
    x: Tensor<S>,
    options?: O,
  ): Tensor<Reduced<S, O>> => {
    const dim = reducedDims(x.shape, options ?? {})
    const centred = sub(x as Tensor, mean(x as Tensor, { dim, keepDim: true }))
    const total = sum(square(centred), { dim, keepDim: options?.keepDim ?? false })
    // the reduction decides the shape, as the type says
    return mul(total, 1 / (sizeOf(x.shape, dim) - (options?.correction ?? 1))) as Tensor<Reduced<S, O>>
  },
)
