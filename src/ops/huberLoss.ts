import type { Shape } from "../shapes/Shape.ts"
import { firstFault } from "../shapes/size.ts"
import { abs } from "./abs.ts"
import { less } from "./less.ts"
import { mul } from "./mul.ts"
import { square } from "./square.ts"
import { sub } from "./sub.ts"
import { where } from "./where.ts"
import { type ElementLosses, type ElementLossOptions, reduceLoss, type Target } from "./elementLoss.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

export interface HuberLossOptions extends ElementLossOptions {
  /** where the parabola becomes a line: 1 when absent */
  readonly delta?: number
}

/**
 * The squared difference over 2 up to `delta` (1 when not given), and a straight line beyond it.
 *
 * **Shapes** `S × S → []`, or `S` with reduction `"none"`. **Gradient** `x − t` held between `−delta` and `delta`, times `dy`. PyTorch's `huber_loss`.
 */
export const huberLoss = Op.composed(
  "huberLoss",
  <A extends Shape, B extends Shape, const O extends HuberLossOptions = object>(
    input: Tensor<A>,
    target: Target<"huberLoss", A, B>,
    options?: O,
  ): Tensor<ElementLosses<A, B, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const [x, t]: [Tensor, Tensor] = [input, target as Tensor]
    const { delta = 1 }: HuberLossOptions = options ?? {}
    const fault = firstFault({ delta: delta > 0 ? null : `${delta} is not above 0` })
    if (fault !== null) return Op.refused("huberLoss", [x, t], fault)
    const distance = abs(sub(x, t))
    const far = mul(sub(distance, delta / 2), delta)
    return reduceLoss(where(less(distance, delta), mul(square(distance), 0.5), far), options ?? {})
  },
)
