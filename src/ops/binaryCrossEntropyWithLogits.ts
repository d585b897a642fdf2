import { broadcast } from "../shapes/broadcast.ts"
import { isRefusal, refuse } from "../shapes/Refusal.ts"
import { type FitsShape, fitsShape, type Shape, type Show, show } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { mul } from "./mul.ts"
import { logOnePlusExp } from "./softplus.ts"
import { neg } from "./neg.ts"
import { sub } from "./sub.ts"
import { type ElementLosses, type ElementLossOptions, reduceLoss } from "./elementLoss.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

export interface BinaryCrossEntropyOptions extends ElementLossOptions {
  /** of each element; 1 when absent */
  readonly weight?: Tensor
  /** how much more a positive target counts than a negative one; 1 when absent */
  readonly posWeight?: Tensor
}

/** a target has the shape of its logits, or this sentence says so */
type Same<A, B extends Shape> =
  FitsShape<A, B> extends true
    ? true
    : `binaryCrossEntropyWithLogits: a target of ${Show<B>} does not fit logits of ${Show<A>}`

/**
 * The cross-entropy between logits and probabilities of one class against none, without overflow.
 *
 * **Shapes** `S × S → []`, or `S` with reduction `"none"`. **Gradient** `(sigmoid(x) − t)·dy`, weighted. PyTorch's `binary_cross_entropy_with_logits`.
 */
export const binaryCrossEntropyWithLogits = Op.composed(
  "binaryCrossEntropyWithLogits",
  <A extends Shape, B extends Shape, const O extends BinaryCrossEntropyOptions = object>(
    input: Tensor<A>,
    target: Same<A, NoInfer<B>> extends true ? Tensor<B> : Same<A, B>,
    options?: O,
  ): Tensor<ElementLosses<A, B, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const [x, t]: [Tensor, Tensor] = [input, target as Tensor]
    const { weight, posWeight }: BinaryCrossEntropyOptions = options ?? {}
    const wrong = [t, weight, posWeight].find((w, i) => {
      const both = w === undefined ? x.shape : broadcast(x.shape, w.shape)
      return isRefusal(both) || !fitsShape(both, x.shape) || (i === 0 && !fitsShape(t.shape, x.shape))
    })
    if (wrong !== undefined)
      return Op.refused(
        "binaryCrossEntropyWithLogits",
        [x, t, weight, posWeight].flatMap((w) => w ?? []),
        refuse(
          `${wrong === t ? "a target" : "a weight"} of ${show(wrong.shape)} does not fit logits of ${show(x.shape)}`,
        ),
      )
    const positive = posWeight === undefined ? t : mul(t, posWeight)
    const losses = add(mul(sub(1, t), logOnePlusExp(x)), mul(positive, logOnePlusExp(neg(x))))
    return reduceLoss(weight === undefined ? losses : mul(losses, weight), options ?? {})
  },
)
