/** A set of labelled samples as plain data: how many, of which shape, in which order, and how to read some of them. */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as Random from "../../ops/random.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { DataError, type DataReason } from "../DataError.ts"

/** The shape of one sample of a batch, `[C, H, W]` for an image. */
export type SampleShape = ReadonlyArray<number>

/** What the random choices of an epoch depend on, and nothing else. */
export interface EpochKey {
  readonly seed: number
  /** counted from 1 */
  readonly epoch: number
}

/** Some samples, one after the other: `images` is `[n, …shape]` row-major, `labels` has `n` class indices. */
export interface Samples {
  readonly images: Float32Array
  readonly labels: Float32Array
  /** the shape of each, where samples have sizes of their own */
  readonly shapes?: ReadonlyArray<SampleShape>
}

/**
 * How an epoch's order comes about: the same in every epoch, the same samples in another order, or other samples (as a
 * weighted draw gives them).
 */
export type Ordering = "fixed" | "shuffled" | "sampled"

/**
 * A set of samples of shape `S` with a class each; `[3, "H", "W"]` is a shape whose pictures have sizes of their own.
 * Operators give another set; a nonsensical option is remembered, and fails when the set is read.
 */
export interface Dataset<out S extends Shape> extends Pipeable.Pipeable {
  readonly _tag: "Dataset"
  readonly name: string
  readonly shape: S
  readonly classes: ReadonlyArray<string>
  /** how many samples an epoch has */
  readonly length: number
  /** samples are known by numbers below this one */
  readonly size: number
  /** the class of every sample, by its number, where that is known without reading it */
  readonly labels?: () => ArrayLike<number>
  readonly ordering: Ordering
  /** how many `map`s lie below: each has random numbers of its own */
  readonly maps: number
  /** whether a sample is another one in another epoch */
  readonly random: boolean
  /** the numbers of the samples that an epoch takes, in order */
  readonly order: (key: EpochKey) => Uint32Array
  readonly read: (samples: Uint32Array, key: EpochKey) => Effect.Effect<Samples, DataError>
  readonly refusal?: DataError
}

type Defaults = "order" | "size" | "ordering" | "maps" | "random"

/** the parts of a data set that are not what they are unless told */
export type DatasetParts<S extends Shape> = Omit<Dataset<S>, "_tag" | "pipe" | Defaults> &
  Partial<Pick<Dataset<S>, Defaults>>

/**
 * A data set from its parts: for a source of one's own. `read` is given numbers below `length` and an epoch's key, and
 * gives those samples in that order; `labels`, where given, lets `filter` and the splits work without reading.
 */
export const make = <const S extends Shape>(parts: DatasetParts<S>): Dataset<S> => ({
  ...Pipeable.Prototype,
  _tag: "Dataset",
  size: parts.length,
  ordering: "fixed",
  maps: 0,
  random: false,
  order: () => Uint32Array.from({ length: parts.length }, (_, i) => i),
  ...parts,
})

/** the shape where all its sizes are known */
export const known = (shape: Shape): SampleShape | undefined =>
  shape.every((d): d is number => typeof d === "number") ? shape : undefined

export const elements = (shape: SampleShape): number => shape.reduce((n, d) => n * d, 1)

/** the same set, that fails with this reason when it is read; the first reason stays */
export const refuse = <S extends Shape>(self: Dataset<S>, reason: DataReason): Dataset<S> =>
  self.refusal === undefined ? { ...self, refusal: new DataError({ source: self.name, reason }) } : self

const shuffleStream = Random.stream("shuffle")

/** the numbers 0 … n − 1 in random order (Fisher–Yates); two draws for each, since one has 22 bits only */
export const permutation = (uniform: (element: number) => number, n: number): Uint32Array => {
  const order = Uint32Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((uniform(2 * i) + uniform(2 * i + 1) * 2 ** -22) * (i + 1))
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return order
}

/**
 * The same samples in a random order, another one in each epoch. The order depends on seed and epoch only.
 *
 * @example
 * mnist.train.pipe(Data.shuffle, Data.batch(64))
 */
export const shuffle = <S extends Shape>(self: Dataset<S>): Dataset<S> => ({
  ...self,
  ordering: self.ordering === "sampled" ? "sampled" : "shuffled",
  order: (key) => {
    const order = self.order(key)
    return permutation(Random.uniform(Random.key(key.seed, key.epoch), shuffleStream), order.length).map(
      (i) => order[i]!,
    )
  },
})

/** how some of an order are ordered: some of a shuffled set are others in the next epoch */
const part = (self: Dataset<Shape>): Ordering => (self.ordering === "fixed" ? "fixed" : "sampled")

/** The first `count` samples of each epoch (all of them where there are fewer). */
export const limit: {
  (count: number): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, count: number): Dataset<S>
} = dual(2, <S extends Shape>(self: Dataset<S>, count: number): Dataset<S> => {
  if (!Number.isInteger(count) || count < 1) {
    return refuse(self, { _tag: "BadOption", option: "limit", found: count, expected: "a whole number of at least 1" })
  }
  const length = Math.min(self.length, count)
  return { ...self, length, ordering: part(self), order: (key) => self.order(key).subarray(0, count) }
})

/** The samples at these positions of the set, in this order. */
export const subset: {
  (positions: Iterable<number>): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, positions: Iterable<number>): Dataset<S>
} = dual(2, <S extends Shape>(self: Dataset<S>, positions: Iterable<number>): Dataset<S> => {
  const chosen = Array.from(positions)
  const wrong = chosen.find((i) => !Number.isInteger(i) || i < 0 || i >= self.length)
  const expected = `positions from 0 to ${self.length - 1}, at least one`
  if (wrong !== undefined || chosen.length === 0) {
    return refuse(self, { _tag: "BadOption", option: "subset", found: wrong ?? "no position", expected })
  }
  return {
    ...self,
    length: chosen.length,
    ordering: part(self),
    order: (key) => {
      const order = self.order(key)
      return Uint32Array.from(chosen, (i) => order[i]!)
    },
  }
})

/** fails where a label is no class index */
export const checkLabels = (
  labels: ArrayLike<number>,
  classes: number,
  source: string,
): Effect.Effect<void, DataError> => {
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      return Effect.fail(new DataError({ source, reason: { _tag: "LabelOutOfRange", index, label, classes } }))
    }
  }
  return Effect.void
}

/** the set of samples that lie in memory as bytes or floats; each element is multiplied by `scale` as it is read */
export const inMemory = <const S extends SampleShape>(parts: {
  readonly name: string
  readonly shape: S
  readonly classes: ReadonlyArray<string>
  readonly images: Uint8Array | Float32Array
  readonly labels: ArrayLike<number>
  readonly scale?: number
}): Dataset<S> => {
  const size = elements(parts.shape)
  const scale = parts.scale ?? 1
  const { images: all } = parts
  // a table of the 256 values, each rounded once from the exact quotient, as PyTorch's ToTensor does
  const values = all instanceof Uint8Array ? Float32Array.from({ length: 256 }, (_, i) => i * scale) : undefined
  return make({
    name: parts.name,
    shape: parts.shape,
    classes: parts.classes,
    length: parts.labels.length,
    labels: () => parts.labels,
    read: (samples) =>
      Effect.sync(() => {
        const images = new Float32Array(samples.length * size)
        const labels = new Float32Array(samples.length)
        for (let n = 0; n < samples.length; n++) {
          const [from, to] = [samples[n]! * size, n * size]
          labels[n] = parts.labels[samples[n]!]!
          if (values !== undefined) for (let i = 0; i < size; i++) images[to + i] = values[all[from + i]!]!
          else for (let i = 0; i < size; i++) images[to + i] = all[from + i]! * scale
        }
        return { images, labels }
      }),
  })
}

/** the classes 0, 1, … as names */
export const numbered = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, i) => String(i))

/**
 * A data set from arrays: `images` holds the samples one after the other, each of `shape`; `labels` their classes.
 *
 * `classes` is the number of classes or their names. Fails with `DataError`: `BadOption`, `CountMismatch`,
 * `LabelOutOfRange`.
 *
 * @example
 * Data.fromArrays({ shape: [1, 2, 2], images: new Float32Array(12), labels: [0, 1, 0], classes: 2 })
 */
export const fromArrays = <const S extends SampleShape>(options: {
  readonly name?: string
  readonly shape: S
  readonly images: Float32Array | Uint8Array
  readonly labels: ArrayLike<number>
  readonly classes: number | ReadonlyArray<string>
  /** multiplies each element as it is read (1/255 for bytes, as torchvision's `ToTensor`, unless told); 1 for floats */
  readonly scale?: number
}): Effect.Effect<Dataset<S>, DataError> =>
  Effect.gen(function* () {
    const name = options.name ?? "arrays"
    const size = elements(options.shape)
    const refused = (option: string, found: unknown, expected: string) =>
      new DataError({ source: name, reason: { _tag: "BadOption", option, found, expected } })
    if (!options.shape.every((d) => Number.isInteger(d) && d > 0)) {
      return yield* refused("shape", `[${options.shape.join(", ")}]`, "whole sizes of at least 1")
    }
    if (options.images.length % size !== 0) {
      const shape = options.shape.join("×")
      return yield* refused("images", `${options.images.length} elements`, `a multiple of ${size} (${shape})`)
    }
    const count = options.images.length / size
    if (count === 0) return yield* refused("images", "no samples", "at least one sample")
    if (count !== options.labels.length) {
      const reason = {
        _tag: "CountMismatch",
        images: count,
        labels: options.labels.length,
        labelsFile: "labels",
      } as const
      return yield* new DataError({ source: name, reason })
    }
    const classes = typeof options.classes === "number" ? numbered(options.classes) : options.classes
    yield* checkLabels(options.labels, classes.length, name)
    const scale = options.scale ?? (options.images instanceof Uint8Array ? 1 / 255 : 1)
    return inMemory({ name, shape: options.shape, classes, images: options.images, labels: options.labels, scale })
  })
