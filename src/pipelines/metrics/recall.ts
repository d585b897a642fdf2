import { ofCounts, share } from "./averaged.ts"

/**
 * The share of the samples of a class that was taken for it, 0 to 1 (0 where there are none); `"macro"` unless told.
 * scikit-learn's `recall_score`.
 *
 * @example
 * Evaluate.recall("micro")
 */
export const recall = ofCounts("recall", (c) => share(c.truePositives, c.truePositives + c.falseNegatives))
