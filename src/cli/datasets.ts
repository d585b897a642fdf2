/** The data sets that the command line knows by name, in one list: a line for each. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Data from "../pipelines/Data.ts"
import type { DataError } from "../pipelines/DataError.ts"
import type { Model } from "../pipelines/Train.ts"
import * as Transforms from "../pipelines/Transforms.ts"
import type { Shape } from "../shapes/Shape.ts"
import { CliFailure } from "./CliFailure.ts"

export type Splits = Data.Splits<ReadonlyArray<number>>

interface Given {
  readonly model: Model
  readonly folder: string | undefined
  readonly seed: number
}
type Find = (
  files: Data.FilesOptions,
  given: Given,
  path: string,
) => Effect.Effect<Data.Splits<Shape>, DataError, FileSystem.FileSystem | Path.Path>

/** what a model takes: channels, height and width, where it says so */
const taken = (model: Model): readonly [number, number, number] => {
  const [channels = 1, height = 1, width = 1] = model.in.slice(1).map(Number)
  return [channels, height, width]
}

/** the folders `train` and `test` (or `val`) of a folder; without them, a fifth of its pictures is held back */
const folder: Find = Effect.fnUntraced(function* (_files, { model }, given) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const channels = taken(model)[0] === 1 ? 1 : 3
  const has = (name: string) => Effect.orElseSucceed(fs.exists(path.join(given, name)), () => false)
  const read = (place: string) => Data.imageFolder<1 | 3>(place, { channels })
  if (yield* has("train")) {
    const test = (yield* has("test")) ? "test" : "val"
    return { train: yield* read(path.join(given, "train")), test: yield* read(path.join(given, test)) }
  }
  const [train, test] = Data.stratifiedSplit(yield* read(given), [0.8, 0.2])
  return { train, test }
})

/** `--data NAME`, or `--data folder:PATH` */
const datasets: Readonly<Record<string, Find>> = {
  mnist: (files) => Data.mnist(files),
  "fashion-mnist": (files) => Data.fashionMnist(files),
  cifar10: (files) => Data.cifar10(files),
  cifar100: (files) => Data.cifar100(files),
  synthetic: (_files, { model, seed }) =>
    Data.synthetic({ seed, shape: taken(model), classes: Number(model.out.at(-1)) }),
  folder,
}

/** as they are told: `folder` wants a path */
export const dataNames: ReadonlyArray<string> = Object.keys(datasets).map((name) =>
  name === "folder" ? "folder:PATH" : name,
)

/** whether `--data` names one */
export const isData = (given: string): boolean => {
  const [name, ...path] = given.split(":")
  return Object.hasOwn(datasets, name ?? "") && (name === "folder") === (path.length > 0 && path.join(":") !== "")
}

/** pictures in the size that the model takes, and with its channels where grey and colour differ */
const fitted = (set: Data.Dataset<Shape>, model: Model): Data.Dataset<ReadonlyArray<number>> => {
  const [channels, height, width] = taken(model)
  const [c, h, w] = set.shape
  const colour = set.shape.length === 3 && c !== channels && (channels === 1 || channels === 3)
  const isImage = model.in.length === 4 && set.shape.length === 3
  // transforms of sizes that are known only here: what they give is checked when the set is read
  const open = set as Data.Dataset<ReadonlyArray<number>>
  const inColour = colour && isImage ? open.pipe(Data.map(Transforms.grayscale<1 | 3>(channels === 1 ? 1 : 3))) : open
  const sized =
    isImage && (h !== height || w !== width) ? inColour.pipe(Data.map(Transforms.resize([height, width]))) : inColour
  return sized as Data.Dataset<ReadonlyArray<number>>
}

/** the lines that say how far a download is: one at each tenth */
const progress = () => {
  const told = new Map<string, number>()
  return ({ file, receivedBytes, totalBytes }: Data.DownloadProgress): Effect.Effect<void> => {
    if (totalBytes === undefined || totalBytes === 0) return Effect.void
    const tenth = Math.floor((10 * receivedBytes) / totalBytes)
    if (told.get(file) === tenth) return Effect.void
    told.set(file, tenth)
    const megabytes = (n: number) => (n / 1e6).toFixed(1)
    return Console.error(`download  ${file}: ${megabytes(receivedBytes)} of ${megabytes(totalBytes)} MB`)
  }
}

/** the data set that `--data` names, brought to the size that the model takes */
export const findData = (
  given: string,
  options: Given,
): Effect.Effect<Splits, DataError | CliFailure, FileSystem.FileSystem | Path.Path> => {
  const [name = "", ...path] = given.split(":")
  const find = Object.hasOwn(datasets, name) ? datasets[name] : undefined
  if (find === undefined || !isData(given)) {
    return new CliFailure({ sentence: `there is no data set ${given}; there are ${dataNames.join(", ")}` })
  }
  const files = { folder: options.folder, onProgress: progress() }
  return Effect.map(find(files, options, path.join(":")), ({ train, test }) => ({
    train: fitted(train, options.model),
    test: fitted(test, options.model),
  }))
}
