/** What losses between two tensors of one shape share: their operands' types and their reduction. */
import type { Broadcast } from "../shapes/broadcast.ts"
import type { Shape } from "../shapes/Shape.ts"
import { firstFault } from "../shapes/size.ts"
import { mean } from "./mean.ts"
import { type Losses, notReduction, type Reduction } from "./nllLoss.ts"
import * as Op from "./Op.ts"
import type { Checked, Result } from "./Result.ts"
import { sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

/** "mean" when absent: over all elements */
export interface ElementLossOptions {
  readonly reduction?: Reduction
}

/** the target of an input of shape `A`, or the sentence that says why it does not fit */
export type Target<Name extends string, A, B extends Shape> = Checked<Name, Broadcast<A, NoInfer<B>>, Tensor<B>>

export type ElementLosses<A, B, O> = Losses<Result<Broadcast<A, B>>, O>

export const reduceLoss = <L extends Shape>(losses: Tensor, { reduction = "mean" }: ElementLossOptions): Tensor<L> => {
  const fault = firstFault({ reduction: notReduction(reduction) })
  if (fault !== null) return Op.refused("loss", [losses], fault)
  // the reduction decides the shape, as the caller's type says
  return (reduction === "none" ? losses : reduction === "sum" ? sum(losses) : mean(losses)) as Tensor<L>
}
