/** Losses as plain data: how the outputs of a model are compared with what they should be. */
import * as Ops from "../ops/Ops.ts"
import type { Tensor } from "../ops/Tensor.ts"

/** A loss between the logits of a batch and its labels. */
export interface Loss {
  readonly _tag: "Loss"
  readonly name: string
  /** what training follows: the mean over the samples of the batch; padding counts for nothing */
  readonly mean: (logits: Tensor, labels: Tensor) => Tensor<[]>
  /** the sum over the samples, for a mean over more than a batch; padding counts for nothing */
  readonly sum: (logits: Tensor, labels: Tensor) => Tensor<[]>
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** how much of the target is spread over all classes: 0 unless told */
  readonly labelSmoothing?: number
}

/** the loss works on logits of any model; that they are `[N, C]` and the labels `[N]`, the op checks itself */
type Logits = Tensor<readonly [number, number]>
type Labels = Tensor<readonly [number]>

/**
 * The cross-entropy between logits and class indices. PyTorch's `CrossEntropyLoss`.
 *
 * **Shapes** `[N, C] × [N] → []`.
 */
export const crossEntropy = (options: CrossEntropyOptions = {}): Loss => ({
  _tag: "Loss",
  name: "crossEntropy",
  mean: (logits, labels) => Ops.crossEntropy(logits as Logits, labels as Labels, { ...options, reduction: "mean" }),
  sum: (logits, labels) => Ops.crossEntropy(logits as Logits, labels as Labels, { ...options, reduction: "sum" }),
})
