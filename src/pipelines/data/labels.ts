import type { Shape } from "../../shapes/Shape.ts"
import { type Dataset, refuse } from "./Dataset.ts"

/** the class of every sample by its number; the same set with a refusal, where it does not say */
export const labelsOf = <S extends Shape>(
  self: Dataset<S>,
  operator: string,
): { readonly labels: ArrayLike<number> } | { readonly refused: Dataset<S> } =>
  self.labels === undefined ? { refused: refuse(self, { _tag: "NoLabels", operator }) } : { labels: self.labels() }
