import { type Dim, type FitsShape, fitsShape, type Shape, type Show, show } from "../shapes/Shape.ts"
import { firstFault, nothingIn, notOneOf } from "../shapes/size.ts"
import { detach } from "./detach.ts"
import { div } from "./div.ts"
import { equal } from "./equal.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { pick } from "./pick.ts"
import { reshapeTo } from "./reshape.ts"
import { sub } from "./sub.ts"
import { expandTo, sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

export type Reduction = "mean" | "sum" | "none"
/** the sentence about a reduction that there is not, or `null` */
export const notReduction = (reduction: string): string | null => notOneOf(reduction, ["mean", "sum", "none"])

export const weightOf = ({ weight }: ClassLossOptions = {}): ReadonlyArray<Tensor> =>
  weight === undefined ? [] : [weight]

/** why a loss over classes cannot be meant, if it cannot */
export const classFault = (x: Shape, { weight, ignoreIndex = -100, reduction = "mean" }: ClassLossOptions) => {
  const [c] = x.length === 1 ? x : x.slice(1)
  return (
    firstFault({
      reduction: notReduction(reduction),
      ignoreIndex: Number.isSafeInteger(ignoreIndex) ? null : `${ignoreIndex} is no class`,
      weight:
        weight === undefined || c === undefined || fitsShape(weight.shape, [c])
          ? null
          : `one for each of ${c} classes, not ${show(weight.shape)}`,
    }) ?? nothingIn(x, [c], "choose")
  )
}

/** The options of a loss over classes, as PyTorch's, in camelCase. */
export interface ClassLossOptions {
  /** for each class; 1 when absent */
  readonly weight?: Tensor
  /** targets of this value count for nothing: −100 when absent */
  readonly ignoreIndex?: number
  /** "mean" when absent: over the weights of the targets that count */
  readonly reduction?: Reduction
}

/** the shape of the class indices of logits `[N, C, …]` or `[C]` */
export type WithoutClasses<L> = L extends readonly [infer N extends Dim, Dim, ...infer Rest extends Shape]
  ? [N, ...Rest]
  : L extends readonly [Dim]
    ? []
    : Shape
/** class indices for logits of shape `L`, or the sentence that says why they do not fit */
export type ClassIndices<Name extends string, L, T extends Shape> =
  FitsShape<T, WithoutClasses<L>> extends true
    ? Tensor<T>
    : `${Name}: class indices of ${Show<T>} do not fit logits of ${Show<L>}`
/** the shape of a loss after its reduction, `T` being that of the targets */
export type Losses<T, O> = O extends { readonly reduction: infer R extends Reduction }
  ? "none" extends R
    ? T
    : []
  : []

/** a weight for each class, as a factor of `[N, C, …]` */
const acrossClasses = (weight: Tensor, x: Tensor): Tensor =>
  reshapeTo(
    weight,
    x.shape.map((d, i) => (i === 1 ? d : 1)),
  )

/** `x` times the weight of each class, where there are weights */
export const weightedBy = (weight: Tensor | undefined, x: Tensor): Tensor =>
  weight === undefined ? x : mul(x, acrossClasses(weight, x))

/** a sample without a batch as a batch of one */
export const asBatch = (t: Tensor): Tensor => reshapeTo(t, [1, ...t.shape])

/** the loss of a batch, or of a sample without one: `of` is given a batch */
export const ofBatch = (x: Tensor, target: Tensor, of: (x: Tensor, target: Tensor) => Tensor): Tensor => {
  if (x.shape.length !== 1) return of(x, target)
  const losses = of(asBatch(x), asBatch(target))
  return losses.shape.length === 0 ? losses : reshapeTo(losses, [])
}

/** what losses over classes share: the weights, the targets that count, and the mean over both */
export const overClasses = (
  x: Tensor,
  target: Tensor,
  { weight, ignoreIndex = -100, reduction = "mean" }: ClassLossOptions,
) => {
  const counts: Tensor = sub(1, equal(target, ignoreIndex))
  const perClass = weight === undefined ? null : acrossClasses(weight, x)
  const weighted = (t: Tensor): Tensor => weightedBy(weight, t)
  const own = (t: Tensor): Tensor => neg(pick(weighted(t), target, { ignoreIndex }))
  const reduced = (losses: Tensor): Tensor => {
    if (reduction === "none") return losses
    if (reduction === "sum") return sum(losses)
    const total = perClass === null ? counts : pick(expandTo(detach(perClass), x.shape), target, { ignoreIndex })
    return div(sum(losses), sum(total))
  }
  return { counts, weighted, own, reduced }
}

/**
 * The negative of the log-probability of each sample's class.
 *
 * **Shapes** `[N, C, …] × [N, …] → []`, or `[N, …]` with reduction `"none"`; a sample alone is `[C] × []`.
 * **Gradient** `−weight·dy` in the place of the class. A class that does not exist gives NaN. PyTorch's `nll_loss`.
 */
export const nllLoss = Op.composed(
  "nllLoss",
  <L extends Shape, T extends Shape, const O extends ClassLossOptions = object>(
    logProbabilities: Tensor<L>,
    target: ClassIndices<"nllLoss", L, T>,
    options?: O,
  ): Tensor<Losses<T, O>> => {
    // the parameter's type is a sentence only where the call does not compile
    const fault = classFault(logProbabilities.shape, options ?? {})
    if (fault !== null) return Op.refused("nllLoss", [logProbabilities, target as Tensor, ...weightOf(options)], fault)
    const losses = ofBatch(logProbabilities, target as Tensor, (x, t) => {
      const { own, reduced } = overClasses(x, t, options ?? {})
      return reduced(own(x))
    })
    // the reduction decides the shape, as the type says
    return losses as Tensor<Losses<T, O>>
  },
)
