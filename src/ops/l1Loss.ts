import type { Shape } from "../shapes/Shape.ts"
import { abs } from "./abs.ts"
import { sub } from "./sub.ts"
import { type ElementLosses, type ElementLossOptions, reduceLoss, type Target } from "./elementLoss.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The absolute difference.
 *
 * **Shapes** `S × S → []`, or `S` with reduction `"none"`. **Gradient** `sign(x − t)·dy`. PyTorch's `l1_loss`.
 */
export const l1Loss = Op.composed(
  "l1Loss",
  <A extends Shape, B extends Shape, const O extends ElementLossOptions = object>(
    input: Tensor<A>,
    target: Target<"l1Loss", A, B>,
    options?: O,
  ): Tensor<ElementLosses<A, B, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const [x, t]: [Tensor, Tensor] = [input, target as Tensor]
    return reduceLoss(abs(sub(x, t)), options ?? {})
  },
)
