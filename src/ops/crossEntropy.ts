import { refuse } from "../shapes/Refusal.ts"
import { type FitsShape, fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { firstFault, notShare } from "../shapes/size.ts"
import { add } from "./add.ts"
import { logSoftmax } from "./logSoftmax.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { mean } from "./mean.ts"
import {
  classFault,
  type ClassIndices,
  type ClassLossOptions,
  type Losses,
  ofBatch,
  overClasses,
  weightedBy,
  weightOf,
  type WithoutClasses,
} from "./nllLoss.ts"
import { sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/** The options of the loss, as PyTorch's, in camelCase. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** how much of the target is spread over all classes: 0 when absent */
  readonly labelSmoothing?: number
}

/** class indices, or a probability for each class */
type Target<L, T extends Shape> = FitsShape<T, L> extends true ? Tensor<T> : ClassIndices<"crossEntropy", L, T>
/** the shape of the losses before they are reduced */
type PerSample<L, T> = FitsShape<T, L> extends true ? WithoutClasses<L> : T

const ofProbabilities = (logProbability: Tensor, target: Tensor, { reduction = "mean" }: ClassLossOptions): Tensor => {
  const losses: Tensor = neg(sum(mul(logProbability, target), { dim: 1 }))
  return reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses)
}

/**
 * The cross-entropy between logits and class indices, or a probability for each class.
 *
 * **Shapes** `[N, C, …] × [N, …] → []` or `[N, C, …] × [N, C, …] → []`; `[N, …]` with reduction `"none"`. A sample alone
 * is `[C] × []` or `[C] × [C]`.
 * **Gradient** `(softmax(x) − target) · dy`, weighted as the reduction does. The mean is over the weights of the classes,
 * or over the samples where probabilities are given. A class that does not exist gives NaN. PyTorch's `cross_entropy`.
 *
 * @example
 * Ops.crossEntropy(logits, labels, { labelSmoothing: 0.1 })
 */
export const crossEntropy = Op.composed(
  "crossEntropy",
  <L extends Shape, T extends Shape, const O extends CrossEntropyOptions = object>(
    logits: Tensor<L>,
    target: Target<L, T>,
    options?: O,
  ): Tensor<Losses<PerSample<L, T>, O>> => {
    const given: CrossEntropyOptions = options ?? {}
    const { labelSmoothing = 0 } = given
    // the parameter's type is a sentence only where the call does not compile
    const asked = target as Tensor
    const fault =
      firstFault({ labelSmoothing: notShare(labelSmoothing) }) ??
      classFault(logits.shape, given) ??
      (asked.shape.length === logits.shape.length && !fitsShape(asked.shape, logits.shape)
        ? refuse(`expects probabilities of shape ${show(logits.shape)} but is given ${show(asked.shape)}`)
        : null)
    if (fault !== null) return Op.refused("crossEntropy", [logits, asked, ...weightOf(given)], fault)
    const losses = ofBatch(logits, asked, (x, asked) => {
      const logProbability: Tensor = logSoftmax(x, 1)
      const classes = Number(x.shape[1])
      if (asked.shape.length === x.shape.length) {
        const smooth = labelSmoothing === 0 ? asked : add(mul(asked, 1 - labelSmoothing), labelSmoothing / classes)
        return ofProbabilities(weightedBy(given.weight, logProbability), smooth, given)
      }
      const { counts, weighted, own, reduced } = overClasses(x, asked, given)
      if (labelSmoothing === 0) return reduced(own(logProbability))
      const spread = mul(neg(sum(weighted(logProbability), { dim: 1 })), counts)
      return reduced(add(mul(own(logProbability), 1 - labelSmoothing), mul(spread, labelSmoothing / classes)))
    })
    // the reduction decides the shape, as the type says
    return losses as Tensor<Losses<PerSample<L, T>, O>>
  },
)
