/** Data sets from pairs of IDX files. */
import * as Effect from "effect/Effect"
import { DataError, type DataReason } from "../DataError.ts"
import * as Idx from "../Idx.ts"
import { checkLabels, inMemory, numbered, type Dataset } from "./Dataset.ts"
import { type FilesOptions, findFiles } from "./files.ts"
import type { Shape } from "../../shapes/Shape.ts"

/** A set to train on and one to test on, of samples of one shape and with the same classes. */
export interface Splits<out S extends Shape> {
  readonly train: Dataset<S>
  readonly test: Dataset<S>
}

/**
 * A data set from a pair of IDX files, plain or gzip: images `[N, H, W]` of bytes (given as `[1, H, W]` floats from 0 to
 * 1) and labels `[N]`.
 *
 * Fails with `DataError`, one reason for each way a file can be wrong.
 *
 * @example
 * Data.idx({ name: "letters", shape: [1, 28, 28], images: "letters-images.gz", labels: "letters-labels.gz", classes: 26 })
 */
export const idx = Effect.fnUntraced(function* <const S extends readonly [1, number, number]>(options: {
  readonly name: string
  readonly shape: S
  readonly images: string
  readonly labels: string
  readonly classes: number | ReadonlyArray<string>
}) {
  const classes = typeof options.classes === "number" ? numbered(options.classes) : options.classes
  const wrong = (source: string, reason: DataReason) => new DataError({ source, reason })
  const images = yield* Idx.read(options.images)
  if (images.shape.length !== 3) {
    const found = images.shape.length
    return yield* wrong(options.images, { _tag: "BadRank", found, expected: "3 (count, height, width)" })
  }
  for (const dimension of [1, 2] as const) {
    const [found, expected] = [images.shape[dimension]!, options.shape[dimension]]
    if (found !== expected) {
      const offset = 4 + 4 * dimension
      return yield* wrong(options.images, { _tag: "BadSize", dimension, found, expected: `${expected}`, offset })
    }
  }
  const labels = yield* Idx.read(options.labels)
  if (labels.shape.length !== 1) {
    return yield* wrong(options.labels, { _tag: "BadRank", found: labels.shape.length, expected: "1 (count)" })
  }
  const counts = { images: images.shape[0]!, labels: labels.shape[0]! }
  if (counts.images !== counts.labels) {
    return yield* wrong(options.images, { _tag: "CountMismatch", ...counts, labelsFile: options.labels })
  }
  yield* checkLabels(labels.data, classes.length, options.labels)
  const { name, shape } = options
  return inMemory({ name, shape, classes, images: images.data, labels: labels.data, scale: 1 / 255 })
})

/** A data set of four IDX files as MNIST and its relatives are published. */
export interface IdxSet {
  readonly name: string
  /** the folder in the cache */
  readonly cache: string
  readonly mirrors: ReadonlyArray<string>
  readonly classes: ReadonlyArray<string>
  readonly md5: { readonly [K in keyof typeof idxFiles]: string }
}

/** the names that the four files have everywhere */
export const idxFiles = {
  trainImages: "train-images-idx3-ubyte.gz",
  trainLabels: "train-labels-idx1-ubyte.gz",
  testImages: "t10k-images-idx3-ubyte.gz",
  testLabels: "t10k-labels-idx1-ubyte.gz",
} as const

/** the two parts of such a set of pictures of 28×28, wherever its files are */
export const idxSplits = Effect.fnUntraced(function* (
  set: IdxSet,
  local: ReadonlyArray<{ readonly said: string; readonly folder: string }>,
  options: FilesOptions,
) {
  const published = [
    { file: idxFiles.trainImages, md5: set.md5.trainImages },
    { file: idxFiles.trainLabels, md5: set.md5.trainLabels },
    { file: idxFiles.testImages, md5: set.md5.testImages },
    { file: idxFiles.testLabels, md5: set.md5.testLabels },
  ]
  const found = yield* findFiles(set, published, local, options)
  const load = (part: "train" | "test") => {
    // all four are found, or `findFiles` has failed
    const images = found[idxFiles[`${part}Images`]] ?? ""
    const labels = found[idxFiles[`${part}Labels`]] ?? ""
    return idx({ name: `${set.name} ${part}`, shape: [1, 28, 28], images, labels, classes: set.classes })
  }
  const splits: Splits<readonly [1, 28, 28]> = { train: yield* load("train"), test: yield* load("test") }
  return splits
})
