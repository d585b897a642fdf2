import { ofCounts, share } from "./averaged.ts"

/**
 * The share of what was taken for a class that is of it, 0 to 1 (0 where nothing was); `"macro"` unless told.
 * scikit-learn's `precision_score`.
 *
 * @example
 * Evaluate.precision("perClass")
 */
export const precision = ofCounts("precision", (c) => share(c.truePositives, c.truePositives + c.falsePositives))
