import { type Pool2d as Rule, pool2d as rule } from "../shapes/pool2d.ts"
import type { Pair, Shape } from "../shapes/Shape.ts"
import { firstFault, notSize } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { maxPooling, windowFault } from "./pooling.ts"
import type { Option, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"
import { slidingBoth } from "./windows.ts"

/** The options of max pooling, as PyTorch's, in camelCase. */
export interface MaxPool2dOptions {
  readonly kernelSize: Pair
  /** the kernel's size when absent */
  readonly stride?: Pair
  /** 0 when absent; at most half the kernel */
  readonly padding?: Pair
  /** 1 when absent */
  readonly dilation?: Pair
  /** rounds the output's size up */
  readonly ceilMode?: boolean
}

const op = maxPooling<Required<MaxPool2dOptions>>({
  name: "maxPool2d",
  shape: (input, options) =>
    windowFault(options) ?? firstFault({ dilation: notSize(options.dilation) }) ?? rule(input, options),
  windows: (input, output, geometry) => slidingBoth(input, output, geometry),
})

/**
 * The largest element of each window; padding counts as −∞, and NaN wins.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. **Gradient** `dy` to the first of the largest.
 * PyTorch's `maxPool2d`.
 *
 * @example
 * Ops.maxPool2d(x, { kernelSize: 3, stride: 2 })
 */
export const maxPool2d = <X extends Shape, const O extends MaxPool2dOptions>(
  x: Tensor<X>,
  options: O,
): Tensor<
  Result<
    Rule<
      X,
      O["kernelSize"],
      Option<O, "stride", O["kernelSize"]> & Pair,
      Option<O, "padding", 0> & Pair,
      Option<O, "dilation", 1> & Pair,
      Option<O, "ceilMode", false> & boolean
    >
  >
> => {
  const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: MaxPool2dOptions = options
  return Op.call(op, [x], { kernelSize, stride, padding, dilation, ceilMode })
}
