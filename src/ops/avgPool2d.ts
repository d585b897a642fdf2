import * as K from "../gpu/Kernel.ts"
import { type Pool2d as Rule, pool2d as rule } from "../shapes/pool2d.ts"
import { type Pair, pairX, pairY, type Shape } from "../shapes/Shape.ts"
import { firstFault } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { averagePooling, windowFault } from "./pooling.ts"
import type { Option, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"
import { slidingBoth } from "./windows.ts"

/** The options of average pooling, as PyTorch's, in camelCase. */
export interface AvgPool2dOptions {
  readonly kernelSize: Pair
  /** the kernel's size when absent */
  readonly stride?: Pair
  /** 0 when absent; at most half the kernel */
  readonly padding?: Pair
  /** rounds the output's size up */
  readonly ceilMode?: boolean
  /** whether zeros of the padding count in the mean: true when absent */
  readonly countIncludePad?: boolean
  /** divides by this instead of by the number of elements */
  readonly divisorOverride?: number | null
}

const op = averagePooling<Required<AvgPool2dOptions>>({
  name: "avgPool2d",
  shape: (input, options) => {
    const { divisorOverride: divisor } = options
    const isNone = divisor === null || (Number.isSafeInteger(divisor) && divisor !== 0)
    const fault = firstFault({ divisorOverride: isNone ? null : `${divisor} divides nothing` })
    return windowFault(options) ?? fault ?? rule(input, options)
  },
  windows: (input, output, geometry) => slidingBoth(input, output, { ...geometry, dilation: 1 }),
  divisor: (window, [h, w], { kernelSize, stride, padding, countIncludePad, divisorOverride }) => {
    if (divisorOverride !== null) return K.int(divisorOverride)
    // what a window that was rounded up has beyond the padding never counts
    const along = (d: 0 | 1, of: (p: Pair) => number, size: number): K.Index => {
      const [k, p, count] = [of(kernelSize), of(padding), (d === 0 ? h : w).count]
      const last = (count - 1) * of(stride) - p
      const inside = countIncludePad ? last + k <= size + p : p === 0 && last + k <= size
      if (inside) return K.int(k)
      const start = K.isub(K.imul(window[d], of(stride)), p)
      const end = K.imin(K.iadd(start, k), size + p)
      return countIncludePad ? K.isub(end, start) : K.isub(K.imin(end, size), K.imax(start, 0))
    }
    return K.imul(along(0, pairY, h.size), along(1, pairX, w.size))
  },
})

/**
 * The mean of each window.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. **Gradient** `dy` over the divisor, to each element.
 * PyTorch's `avgPool2d`.
 *
 * @example
 * Ops.avgPool2d(x, { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false })
 */
export const avgPool2d = <X extends Shape, const O extends AvgPool2dOptions>(
  x: Tensor<X>,
  options: O,
): Tensor<
  Result<
    Rule<
      X,
      O["kernelSize"],
      Option<O, "stride", O["kernelSize"]> & Pair,
      Option<O, "padding", 0> & Pair,
      1,
      Option<O, "ceilMode", false> & boolean
    >
  >
> => {
  const given: AvgPool2dOptions = options
  const { kernelSize, stride = kernelSize, padding = 0, ceilMode = false } = given
  const { countIncludePad = true, divisorOverride = null } = given
  return Op.call(op, [x], { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride })
}
