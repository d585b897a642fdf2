import { type AdaptivePool2d as Rule, adaptivePool2d as rule, type OutputSize } from "../shapes/adaptivePool2d.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { firstFault, notSize, nothingIn } from "../shapes/size.ts"
import { maxPooling } from "./pooling.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"
import { adaptive } from "./windows.ts"

const op = maxPooling<{ readonly outputSize: OutputSize }>({
  name: "adaptiveMaxPool2d",
  shape: (input, { outputSize }) => {
    const sizes = typeof outputSize === "number" ? [outputSize] : outputSize.flatMap((n) => n ?? [])
    return (
      firstFault({ outputSize: notSize(sizes) }) ?? nothingIn(input, input.slice(-2), "pool") ?? rule(input, outputSize)
    )
  },
  windows: (input, output) => [adaptive(input[0], output[0]), adaptive(input[1], output[1])],
})

/**
 * The largest element of each of `outputSize` bins that cover the input evenly (`null` keeps a dimension); bin `i` reaches from `⌊i·H/H′⌋` to
 * `⌈(i + 1)·H/H′⌉`, so that uneven bins overlap.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. **Gradient** `dy` to the first of the largest.
 * PyTorch's `adaptiveMaxPool2d`.
 *
 * @example
 * Ops.adaptiveMaxPool2d(x, 6)
 */
export const adaptiveMaxPool2d = <X extends Shape, const P extends OutputSize>(
  x: Tensor<X>,
  outputSize: P,
): Tensor<Result<Rule<X, P>>> => Op.call(op, [x], { outputSize })
