/** From samples to batches: what a step of training or evaluation takes, as a stream. */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as Stream from "effect/Stream"
import { DataError, type DataReason } from "../DataError.ts"
import type { Shape, Show } from "../../shapes/Shape.ts"
import { show } from "../../shapes/Shape.ts"
import { type Dataset, elements, type EpochKey, known, type SampleShape, type Samples } from "./Dataset.ts"

/** The label of a row that is padding: the index that cross-entropy ignores, as in PyTorch. */
export const paddingLabel = -100

/** What to do with the last batch of an epoch, where the samples do not fill it. */
export type Last =
  /** it stays short */
  | "keep"
  /** it is left out */
  | "drop"
  /** it is filled with zeros, whose label is `paddingLabel` */
  | "pad"

/** `rows` samples: `images` is `[rows, …shape]`, `labels` is `[rows]`; the first `count` rows are samples, the rest padding. */
export interface Batch<out S extends SampleShape> extends Samples {
  readonly shape: S
  readonly rows: number
  readonly count: number
}

/** The batches of a data set: a stream for each epoch. */
export interface Batches<out S extends SampleShape> extends Pipeable.Pipeable {
  readonly _tag: "Batches"
  readonly name: string
  readonly shape: S
  readonly classes: ReadonlyArray<string>
  readonly batchSize: number
  readonly last: Last
  /** batches of an epoch */
  readonly steps: number
  /** samples of an epoch: without those that `drop` leaves out */
  readonly samples: number
  /** the batches of an epoch from the `from`-th on (counted from 0), one at a time */
  readonly epoch: (key: EpochKey, from?: number) => Stream.Stream<Batch<S>, DataError>
}

const padded = (samples: Samples, rows: number, size: number): Samples => {
  const images = new Float32Array(rows * size)
  images.set(samples.images)
  const labels = new Float32Array(rows).fill(paddingLabel)
  labels.set(samples.labels)
  return { images, labels }
}

/** a shape whose sizes are known */
export type Sizes<S> = S extends SampleShape ? S : SampleShape

/** the set, or the sentence that says why its pictures make no batch */
export type OneSize<S, D> = S extends SampleShape
  ? D
  : `pictures of ${Show<S>} have sizes of their own: bring them to one with resize or a crop`

/**
 * The samples in batches of `size`; the last, where it would be short, is kept so (the default), dropped or padded.
 *
 * **Shapes** `n × [C, H, W] → [N, C, H, W]`. The stream of an epoch fails with `DataError`: `BadOption` where `size`
 * is no whole number of at least 1 or no batch remains, and what reading the samples fails with.
 *
 * @example
 * mnist.train.pipe(Data.shuffle, Data.batch(64, { last: "drop" }))
 */
export const batch: {
  (
    size: number,
    options?: { readonly last?: Last },
  ): <S extends Shape>(self: OneSize<S, Dataset<S>>) => Batches<Sizes<S>>
  <S extends Shape>(self: OneSize<S, Dataset<S>>, size: number, options?: { readonly last?: Last }): Batches<Sizes<S>>
} = dual(
  (args) => typeof args[0] !== "number",
  <S extends SampleShape>(self: Dataset<S>, size: number, options?: { readonly last?: Last }): Batches<S> => {
    const last = options?.last ?? "keep"
    const valid = Number.isInteger(size) && size >= 1
    const full = valid ? Math.floor(self.length / size) : 0
    const steps = valid && last !== "drop" ? Math.ceil(self.length / size) : full
    const refused = (reason: DataReason) => Stream.fail(new DataError({ source: self.name, reason }))
    const epoch = (key: EpochKey, from = 0): Stream.Stream<Batch<S>, DataError> => {
      if (self.refusal !== undefined) return Stream.fail(self.refusal)
      if (known(self.shape) === undefined) return refused({ _tag: "UnknownSize", shape: show(self.shape) })
      if (!valid) {
        return refused({
          _tag: "BadOption",
          option: "batch size",
          found: size,
          expected: "a whole number of at least 1",
        })
      }
      if (steps === 0) {
        const expected = `at most the ${self.length} samples there are, or last: "keep"`
        return refused({ _tag: "BadOption", option: "batch size", found: size, expected })
      }
      return Stream.suspend(() => {
        const order = self.order(key)
        return Stream.unfold(from, (step) =>
          step >= steps
            ? Effect.undefined
            : Effect.map(self.read(order.subarray(step * size, (step + 1) * size), key), (samples) => {
                const count = samples.labels.length
                const rows = last === "pad" ? size : count
                const filled = rows === count ? samples : padded(samples, rows, elements(self.shape))
                const next: Batch<S> = { ...filled, shape: self.shape, rows, count }
                return [next, step + 1] as const
              }),
        )
      })
    }
    return {
      ...Pipeable.Prototype,
      _tag: "Batches",
      name: self.name,
      shape: self.shape,
      classes: self.classes,
      batchSize: size,
      last,
      steps,
      samples: last === "drop" ? full * (valid ? size : 0) : self.length,
      epoch,
    }
  },
)

/**
 * The same batches, read `ahead` of whoever takes them (so that at most `ahead + 2` are in memory).
 *
 * A batch is plain memory here; what holds handles is prefetched with `Prefetch.mapScoped`.
 */
export const prefetch: {
  (ahead: number): <S extends SampleShape>(self: Batches<S>) => Batches<S>
  <S extends SampleShape>(self: Batches<S>, ahead: number): Batches<S>
} = dual(2, <S extends SampleShape>(self: Batches<S>, ahead: number): Batches<S> => ({
  ...self,
  epoch: (key, from) => self.epoch(key, from).pipe(Stream.rechunk(1), Stream.bufferArray({ capacity: ahead })),
}))
