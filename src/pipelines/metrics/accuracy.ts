import { countCorrect } from "../train/batchValues.ts"
import type { Metric } from "./Metric.ts"

/** The share of samples whose class has the largest logit, 0 to 1. scikit-learn's `accuracy_score`. */
export const accuracy: Metric = {
  _tag: "Metric",
  name: "accuracy",
  total: countCorrect,
  finish: ([correct = 0], samples) => correct / samples,
}
