import { ofCounts, share } from "./averaged.ts"

/**
 * The harmonic mean of precision and recall, 0 to 1 (0 where both are); `"macro"` unless told. scikit-learn's `f1_score`.
 *
 * @example
 * Evaluate.f1("weighted")
 */
export const f1 = ofCounts("F1", (c) =>
  share(2 * c.truePositives, 2 * c.truePositives + c.falsePositives + c.falseNegatives),
)
