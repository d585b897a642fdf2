import type { Shape } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { mul } from "./mul.ts"
import { logOnePlusExp } from "./softplus.ts"
import { neg } from "./neg.ts"
import { sub } from "./sub.ts"
import { type ElementLosses, type ElementLossOptions, reduceLoss, type Target } from "./elementLoss.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

export interface BinaryCrossEntropyOptions extends ElementLossOptions {
  /** of each element; 1 when absent */
  readonly weight?: Tensor
  /** how much more a positive target counts than a negative one; 1 when absent */
  readonly posWeight?: Tensor
}

/**
 * The cross-entropy between logits and probabilities of one class against none, without overflow.
 *
 * **Shapes** `S × S → []`, or `S` with reduction `"none"`. **Gradient** `(sigmoid(x) − t)·dy`, weighted. PyTorch's `binary_cross_entropy_with_logits`.
 */
export const binaryCrossEntropyWithLogits = Op.composed(
  "binaryCrossEntropyWithLogits",
  <A extends Shape, B extends Shape, const O extends BinaryCrossEntropyOptions = object>(
    input: Tensor<A>,
    target: Target<"binaryCrossEntropyWithLogits", A, B>,
    options?: O,
  ): Tensor<ElementLosses<A, B, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const [x, t]: [Tensor, Tensor] = [input, target as Tensor]
    const { weight, posWeight }: BinaryCrossEntropyOptions = options ?? {}
    const positive = posWeight === undefined ? t : mul(t, posWeight)
    const losses = add(mul(sub(1, t), logOnePlusExp(x)), mul(positive, logOnePlusExp(neg(x))))
    return reduceLoss(weight === undefined ? losses : mul(losses, weight), options ?? {})
  },
)
