import type { Shape } from "../shapes/Shape.ts"
import { square } from "./square.ts"
import { sub } from "./sub.ts"
import { type ElementLosses, type ElementLossOptions, reduceLoss, type Target } from "./elementLoss.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The squared difference.
 *
 * **Shapes** `S × S → []`, or `S` with reduction `"none"`. **Gradient** `2·(x − t)·dy`. PyTorch's `mse_loss`.
 */
export const mseLoss = Op.composed(
  "mseLoss",
  <A extends Shape, B extends Shape, const O extends ElementLossOptions = object>(
    input: Tensor<A>,
    target: Target<"mseLoss", A, B>,
    options?: O,
  ): Tensor<ElementLosses<A, B, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const [x, t]: [Tensor, Tensor] = [input, target as Tensor]
    return reduceLoss(square(sub(x, t)), options ?? {})
  },
)
