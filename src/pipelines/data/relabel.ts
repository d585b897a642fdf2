import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type { Shape } from "../../shapes/Shape.ts"
import { DataError } from "../DataError.ts"
import { type Dataset, numbered } from "./Dataset.ts"

/**
 * The same samples with classes of one's own: `f` gives the new class of an old one. torchvision's `target_transform`.
 *
 * Fails, when it is read, with `DataError` (`LabelOutOfRange`) where that is none of the classes.
 *
 * @example
 * mnist.train.pipe(Data.relabel(["even", "odd"], (label) => label % 2))
 */
export const relabel: {
  (
    classes: number | ReadonlyArray<string>,
    f: (label: number) => number,
  ): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, classes: number | ReadonlyArray<string>, f: (label: number) => number): Dataset<S>
} = dual(
  3,
  <S extends Shape>(
    self: Dataset<S>,
    given: number | ReadonlyArray<string>,
    f: (label: number) => number,
  ): Dataset<S> => {
    const classes = typeof given === "number" ? numbered(given) : given
    const { labels } = self
    return {
      ...self,
      classes,
      ...(labels === undefined ? {} : { labels: () => Float32Array.from(labels(), (label) => f(label)) }),
      read: (samples, key) =>
        Effect.flatMap(self.read(samples, key), (read) => {
          const renamed = read.labels.map((label) => f(label))
          const wrong = renamed.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes.length))
          if (wrong < 0) return Effect.succeed({ ...read, labels: renamed })
          const [index, label] = [samples[wrong]!, renamed[wrong]!]
          const reason = { _tag: "LabelOutOfRange", index, label, classes: classes.length } as const
          return Effect.fail(new DataError({ source: self.name, reason }))
        }),
    }
  },
)
