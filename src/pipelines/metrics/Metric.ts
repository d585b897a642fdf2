import type { Tensor } from "../../ops/Tensor.ts"

/**
 * A figure of a whole data set: totals of its batches, added up in float64, then a number (or a matrix, or whatever else
 * it is) from them. One of your own is such a value, made as those here are.
 */
export interface Metric<out A = number> {
  readonly _tag: "Metric"
  readonly name: string
  /** what a batch adds: of any shape; a row whose label is negative is padding and adds nothing */
  readonly total: (logits: Tensor, labels: Tensor) => Tensor
  /** what is added up in the place of a batch's total, where that is not the total itself */
  readonly ofBatch?: (total: Float64Array, samples: number) => Float64Array
  readonly finish: (total: Float64Array, samples: number) => A
}

/** metrics by the names that their figures get */
export type Metrics = { readonly [name: string]: Metric<unknown> }

/** what each metric gives, by its name */
export type Figures<M> = { readonly [K in keyof M]: M[K] extends Metric<infer A> ? A : never }
