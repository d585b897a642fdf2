import type { Shape } from "../shapes/Shape.ts"
import { mul } from "./mul.ts"
import { type Reduced, reducedDims, type ReduceOptions, sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The mean over dimensions, all of them when none are named.
 *
 * **Shapes** `S → S` without the dimensions, or with 1 in their place (`keepDim`). **Gradient** `dy / count`, repeated.
 * PyTorch's `mean`.
 */
export const mean = Op.composed(
  "mean",
  <S extends Shape, const O extends ReduceOptions = object>(x: Tensor<S>, options?: O): Tensor<Reduced<S, O>> =>
    mul(sum(x, options), 1 / sizeOf(x.shape, reducedDims(x.shape, options ?? {}))),
)

/** how many elements the dimensions hold; NaN while a name among them is not bound */
export const sizeOf = (shape: Shape, dims: ReadonlyArray<number>): number =>
  dims.reduce((n, d) => n * Number(shape[d] ?? 1), 1)
