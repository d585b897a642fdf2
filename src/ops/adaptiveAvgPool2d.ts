import * as K from "../gpu/Kernel.ts"
import { type AdaptivePool2d as Rule, adaptivePool2d as rule, type OutputSize } from "../shapes/adaptivePool2d.ts"
import type { Shape } from "../shapes/Shape.ts"
import { firstFault, notSize, nothingIn } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { averagePooling } from "./pooling.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"
import { adaptive, binEnd, binStart } from "./windows.ts"

const op = averagePooling<{ readonly outputSize: OutputSize }>({
  name: "adaptiveAvgPool2d",
  shape: (input, { outputSize }) => {
    const sizes = typeof outputSize === "number" ? [outputSize] : outputSize.flatMap((n) => n ?? [])
    return (
      firstFault({ outputSize: notSize(sizes) }) ?? nothingIn(input, input.slice(-2), "pool") ?? rule(input, outputSize)
    )
  },
  windows: (input, output) => [adaptive(input[0], output[0]), adaptive(input[1], output[1])],
  divisor: ([y, x], [h, w]) => {
    const extent = (o: K.Index, { size, count }: { readonly size: number; readonly count: number }): K.Index =>
      size % count === 0 ? K.int(size / count) : K.isub(binEnd(o, size, count), binStart(o, size, count))
    return K.imul(extent(y, h), extent(x, w))
  },
})

/**
 * The mean of each of `outputSize` bins that cover the input evenly (`null` keeps a dimension); bin `i` reaches from `⌊i·H/H′⌋` to
 * `⌈(i + 1)·H/H′⌉`, so that uneven bins overlap.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. **Gradient** `dy` over the bin's size, to each element.
 * PyTorch's `adaptiveAvgPool2d`.
 *
 * @example
 * Ops.adaptiveAvgPool2d(x, 6)
 */
export const adaptiveAvgPool2d = <X extends Shape, const P extends OutputSize>(
  x: Tensor<X>,
  outputSize: P,
): Tensor<Result<Rule<X, P>>> => Op.call(op, [x], { outputSize })
