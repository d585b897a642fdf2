import * as Ops from "../../ops/Ops.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import type { Metric } from "./Metric.ts"
import { classesOf, classIndices, column, oneHot } from "./oneHot.ts"

/**
 * The share of samples whose class is among the `k` of the largest logits, 0 to 1; of equal logits the first counts as
 * the larger, as in `argmax`. scikit-learn's `top_k_accuracy_score`.
 *
 * @example
 * Evaluate.run({ model, parameters, data: test, metrics: { top5: Evaluate.topK(5) } })
 */
export const topK = (k: number): Metric => ({
  _tag: "Metric",
  name: `top-${k} accuracy`,
  total: (logits, labels) => {
    const classes = classesOf(logits)
    const own = oneHot(labels, classes)
    const sumOverClasses = (x: Tensor): Tensor => Ops.sum(x, { dim: 1 })
    const score = column(sumOverClasses(Ops.where(own, logits, 0)))
    // what is not beaten counts as ahead, so that a row with NaN is never counted as right
    const tied: Tensor = Ops.mul(Ops.equal(score, logits), Ops.lessEqual(column(labels), classIndices(classes)))
    const beaten = sumOverClasses(Ops.add(Ops.greater(score, logits) as Tensor, tied))
    const isSample = sumOverClasses(own)
    return Ops.sum(Ops.mul(isSample, Ops.greater(beaten, classes - k + 0.5) as Tensor))
  },
  finish: ([correct = 0], samples) => correct / samples,
})
