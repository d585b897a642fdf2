/** What the programs of training and of evaluation share. */
import * as Ops from "../../ops/Ops.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import type { Batch } from "../data/batches.ts"

/** a batch as the inputs `images` and `labels` of a program */
export const batchValues = (batch: Batch<ReadonlyArray<number>>) => {
  const shape: [number, ...Array<number>] = [batch.rows, ...batch.shape]
  const rows: [number] = [batch.rows]
  return { images: { shape, data: batch.images }, labels: { shape: rows, data: batch.labels } }
}

/** how many of a batch have their label as the class of the largest logit; padding has no such label */
export const countCorrect = (logits: Tensor, labels: Tensor): Tensor<[]> =>
  // a sum over all dimensions has none
  Ops.sum(Ops.equal(Ops.argmax(logits, 1) as Tensor, labels)) as Tensor<[]>
