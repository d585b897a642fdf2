import { product } from "../../ops/matmul.ts"
import * as Ops from "../../ops/Ops.ts"
import type { Metric } from "./Metric.ts"
import { classesOf, oneHot } from "./oneHot.ts"

/** How many samples of each class (rows) were taken for each class (columns). */
export type ConfusionMatrix = ReadonlyArray<ReadonlyArray<number>>

/** the rows of a square matrix that lies row-major in memory */
const rows = (total: Float64Array): ConfusionMatrix => {
  const classes = Math.round(Math.sqrt(total.length))
  return Array.from({ length: classes }, (_, i) => Array.from(total.subarray(i * classes, (i + 1) * classes)))
}

/**
 * How many samples of each class (rows) were taken for each class (columns). scikit-learn's `confusion_matrix`.
 *
 * @example
 * const { matrix } = yield* Evaluate.run({ model, parameters, data: test, metrics: { matrix: Evaluate.confusionMatrix } })
 * matrix[4]?.[9] // how many fours were taken for nines
 */
export const confusionMatrix: Metric<ConfusionMatrix> = {
  _tag: "Metric",
  name: "confusion matrix",
  total: (logits, labels) => {
    const classes = classesOf(logits)
    // padding has a row of zeros among the labels, so it adds nothing
    return product(oneHot(labels, classes), oneHot(Ops.argmax(logits, 1), classes), true, false)
  },
  finish: rows,
}
