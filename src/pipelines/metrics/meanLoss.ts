import { crossEntropy, type Loss } from "../Loss.ts"
import type { Metric } from "./Metric.ts"

/** The mean of a loss over the samples; that of the cross-entropy unless told. */
export const meanLoss = (loss: Loss = crossEntropy()): Metric => ({
  _tag: "Metric",
  name: "loss",
  total: loss.sum,
  finish: ([total = 0], samples) => total / samples,
})
