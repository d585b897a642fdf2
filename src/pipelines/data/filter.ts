import { dual } from "effect/Function"
import type { Shape } from "../../shapes/Shape.ts"
import { type Dataset, refuse } from "./Dataset.ts"
import { labelsOf } from "./labels.ts"

/** What is known of a sample without reading it. */
export interface Known {
  /** its number in the set that it is from */
  readonly index: number
  readonly label: number
  /** the name of its class */
  readonly class: string
}

/**
 * The samples of which a predicate holds; of their pictures nothing is read. The classes stay as they are: `relabel`
 * makes others of them.
 *
 * Fails, when it is read, with `DataError`: `NoLabels`, and `BadOption` where no sample is left, or after an operator
 * that takes other samples in each epoch.
 *
 * @example
 * mnist.train.pipe(Data.filter(({ label }) => label < 5))
 */
export const filter: {
  (predicate: (sample: Known) => boolean): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, predicate: (sample: Known) => boolean): Dataset<S>
} = dual(2, <S extends Shape>(self: Dataset<S>, predicate: (sample: Known) => boolean): Dataset<S> => {
  const found = labelsOf(self, "filter")
  if ("refused" in found) return found.refused
  if (self.ordering === "sampled") {
    const expected =
      "a set with the same samples in every epoch: filter before sampling, and before limit after shuffle"
    return refuse(self, { _tag: "BadOption", option: "filter", found: "other samples in each epoch", expected })
  }
  const kept = Uint8Array.from({ length: self.size }, (_, index) => {
    const label = found.labels[index]!
    return predicate({ index, label, class: self.classes[label] ?? "" }) ? 1 : 0
  })
  const order = (key: Parameters<typeof self.order>[0]) => self.order(key).filter((sample) => kept[sample] === 1)
  const { length } = order({ seed: 0, epoch: 1 })
  if (length === 0) {
    return refuse(self, {
      _tag: "BadOption",
      option: "filter",
      found: "no sample",
      expected: "at least one that holds",
    })
  }
  return { ...self, length, order }
})
