import type { Dim, FitsShape, Shape, Show } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { detach } from "./detach.ts"
import { div } from "./div.ts"
import { equal } from "./equal.ts"
import { logSoftmax } from "./logSoftmax.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { pick } from "./pick.ts"
import { reshapeTo } from "./reshape.ts"
import { sub } from "./sub.ts"
import { expandTo, sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

export type Reduction = "mean" | "sum" | "none"

/** The options of the loss, as PyTorch's, in camelCase. */
export interface CrossEntropyOptions {
  /** for each class; 1 when absent */
  readonly weight?: Tensor
  /** targets of this value count for nothing: −100 when absent */
  readonly ignoreIndex?: number
  /** "mean" when absent: over the weights of the targets that count */
  readonly reduction?: Reduction
  /** how much of the target is spread over all classes: 0 when absent */
  readonly labelSmoothing?: number
}

/** the shape of the class indices of logits `[N, C, …]` */
type WithoutClasses<L> = L extends readonly [infer N extends Dim, Dim, ...infer Rest extends Shape]
  ? [N, ...Rest]
  : Shape
type Misfit<L, T> = `crossEntropy: class indices of ${Show<T>} do not fit logits of ${Show<L>}`

/**
 * The cross-entropy between logits and class indices.
 *
 * **Shapes** `[N, C, …] × [N, …] → []`, or `[N, …]` with reduction `"none"`. **Gradient** `(softmax(x) − target) · dy`,
 * weighted as the reduction does. A class that does not exist gives NaN. PyTorch's `cross_entropy`.
 *
 * @example
 * Ops.crossEntropy(logits, labels, { labelSmoothing: 0.1 })
 */
export const crossEntropy = <L extends Shape, T extends Shape, const O extends CrossEntropyOptions = object>(
  logits: Tensor<L>,
  target: FitsShape<T, WithoutClasses<L>> extends true ? Tensor<T> : Misfit<L, T>,
  options?: O,
): Tensor<O extends { readonly reduction: infer R extends Reduction } ? ("none" extends R ? T : []) : []> => {
  const { weight, ignoreIndex = -100, reduction = "mean", labelSmoothing = 0 }: CrossEntropyOptions = options ?? {}
  const x: Tensor = logits
  // the parameter's type is a sentence only where the call does not compile
  const classIndex = target as Tensor
  const logProbability = logSoftmax(x, 1)
  const counts: Tensor = sub(1, equal(classIndex, ignoreIndex))
  const perClass: Tensor | null =
    weight === undefined
      ? null
      : reshapeTo(
          weight,
          x.shape.map((d, i) => (i === 1 ? d : 1)),
        )
  const weighted = (t: Tensor): Tensor => (perClass === null ? t : mul(t, perClass))
  const own: Tensor = neg(pick(weighted(logProbability), classIndex, { ignoreIndex }))
  const spread = (): Tensor => mul(neg(sum(weighted(logProbability), { dim: 1 })), counts)
  const classes = Number(x.shape[1])
  const losses: Tensor =
    labelSmoothing === 0 ? own : add(mul(own, 1 - labelSmoothing), mul(spread(), labelSmoothing / classes))
  const reduced = (): Tensor => {
    if (reduction === "none") return losses
    if (reduction === "sum") return sum(losses)
    const total = perClass === null ? counts : pick(expandTo(detach(perClass), x.shape), classIndex, { ignoreIndex })
    return div(sum(losses), sum(total))
  }
  // the reduction decides the shape, as the type says
  return reduced() as Tensor<never>
}
