import type { Shape } from "../shapes/Shape.ts"
import { amax } from "./amax.ts"
import { neg } from "./neg.ts"
import type { Reduced, ReduceOptions } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The smallest element over dimensions, all of them when none are named; NaN wins.
 *
 * **Shapes** `S → S` without the dimensions, or with 1 in their place (`keepDim`). **Gradient** `dy`, shared evenly
 * among equals. PyTorch's `amin`.
 */
export const amin = Op.composed(
  "amin",
  <S extends Shape, const O extends ReduceOptions = object>(x: Tensor<S>, options?: O): Tensor<Reduced<S, O>> =>
    neg(amax(neg(x), options)),
)
