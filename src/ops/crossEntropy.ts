import type { Shape } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { logSoftmax } from "./logSoftmax.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { type ClassIndices, type ClassLossOptions, type Losses, overClasses } from "./nllLoss.ts"
import { sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/** The options of the loss, as PyTorch's, in camelCase. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** how much of the target is spread over all classes: 0 when absent */
  readonly labelSmoothing?: number
}

/**
 * The cross-entropy between logits and class indices.
 *
 * **Shapes** `[N, C, …] × [N, …] → []`, or `[N, …]` with reduction `"none"`. **Gradient** `(softmax(x) − target) · dy`,
 * weighted as the reduction does. A class that does not exist gives NaN. PyTorch's `cross_entropy`.
 *
 * @example
 * Ops.crossEntropy(logits, labels, { labelSmoothing: 0.1 })
 */
export const crossEntropy = Op.composed(
  "crossEntropy",
  <L extends Shape, T extends Shape, const O extends CrossEntropyOptions = object>(
    logits: Tensor<L>,
    target: ClassIndices<"crossEntropy", L, T>,
    options?: O,
  ): Tensor<Losses<T, O>> => {
    const given: CrossEntropyOptions = options ?? {}
    const { labelSmoothing = 0 } = given
    const logProbability: Tensor = logSoftmax(logits as Tensor, 1)
    // the parameter's type is a sentence only where the call does not compile
    const { counts, weighted, own, reduced } = overClasses(logits, target as Tensor, given)
    const spread = (): Tensor => mul(neg(sum(weighted(logProbability), { dim: 1 })), counts)
    const losses: Tensor =
      labelSmoothing === 0
        ? own(logProbability)
        : add(mul(own(logProbability), 1 - labelSmoothing), mul(spread(), labelSmoothing / Number(logits.shape[1])))
    // the reduction decides the shape, as the type says
    return reduced(losses) as Tensor<Losses<T, O>>
  },
)
