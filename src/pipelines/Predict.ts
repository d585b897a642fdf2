/**
 * What a trained model says of pictures: class names and probabilities, calls from anywhere being answered in batches.
 *
 * @example
 * const { fromFile } = yield* Predict.fromRun("runs/lenet")
 * const { label, probability } = yield* fromFile("digit.png")
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type { Device, DeviceError } from "../gpu/Device.ts"
import { mixesSamples } from "../models/Layer.ts"
import { parametersRefusal } from "../models/StateDict.ts"
import { zoo } from "../models/zoo.ts"
import type { HostTensor } from "../ops/HostTensor.ts"
import * as Ops from "../ops/Ops.ts"
import * as Program from "../ops/Program.ts"
import * as State from "../ops/State.ts"
import * as Tensor from "../ops/Tensor.ts"
import { elements } from "./data/Dataset.ts"
import { InvalidOption } from "./InvalidOption.ts"
import type { MissingPackage } from "./MissingPackage.ts"
import { platformReason } from "./platformReason.ts"
import { makeBatcher } from "./predict/batcher.ts"
import { decodeSmall, decodeTo, planes } from "./predict/decode.ts"
import { toMnist } from "./predict/digit.ts"
import { PredictError } from "./predict/PredictError.ts"
import * as RunFolder from "./RunFolder.ts"
import { forward, type HostParameters, type Model, split } from "./train/Model.ts"
import { load } from "./train/save.ts"

export { PredictError, type PredictReason } from "./predict/PredictError.ts"

/** A class, and how probable it is that a picture is of it, 0 to 1. */
export interface ClassProbability {
  readonly label: string
  readonly index: number
  readonly probability: number
}

/** What a model says of one picture: the most probable class, and all of them, the most probable first. */
export interface Prediction extends ClassProbability {
  readonly classes: ReadonlyArray<ClassProbability>
}

/** why a prediction fails: the picture is at fault, or running the model */
export type PredictFailure = PredictError | Program.RunError

/** A picture's numbers, `[C, H, W]` as the model takes them, from the bytes of its file. */
export type Prepare = (bytes: Uint8Array, source: string) => Effect.Effect<Float32Array, PredictError | MissingPackage>

/** What a predictor is made of. */
export interface PredictOptions {
  readonly model: Model
  readonly parameters: HostParameters
  /** the names of the model's outputs, in order; numbers unless told */
  readonly classes?: ReadonlyArray<string>
  /** how the bytes of a picture become what the model takes; resized to cover its input unless told */
  readonly prepare?: Prepare
  /** pictures that are predicted at once, at most; 32 unless told, and 1 for a model without running statistics */
  readonly batchSize?: number
  /** how long a picture waits for others; 2 milliseconds unless told */
  readonly maxDelay?: Duration.Input
}

/** A model that is ready to predict, for as long as the scope lasts that made it. Safe to call from many fibers. */
export interface Predictor {
  /** the shape of one picture, `[C, H, W]` */
  readonly shape: ReadonlyArray<number>
  readonly classes: ReadonlyArray<string>
  /** of numbers as the model takes them; `source` is what an error calls them */
  readonly predict: (image: HostTensor | Float32Array, source?: string) => Effect.Effect<Prediction, PredictFailure>
  /** of the bytes of a picture: PNG, JPEG, WebP, GIF, TIFF, SVG */
  readonly fromBytes: (bytes: Uint8Array, source?: string) => Effect.Effect<Prediction, PredictFailure | MissingPackage>
  /** of the file of a picture */
  readonly fromFile: (path: string) => Effect.Effect<Prediction, PredictFailure | MissingPackage, FileSystem.FileSystem>
}

/** What was done to pixels between 0 and 1, for each channel or one for all: `(x − mean) / std`. */
export type Normalization = RunFolder.RunDescription["normalization"]

/**
 * Pictures resized to cover `[C, H, W]` (bilinear, antialiased), from 0 to 1, then normalised.
 *
 * Decoding needs the optional package `sharp`.
 */
export const resizedTo = (shape: ReadonlyArray<number>, normalization: Normalization = null): Prepare => {
  const [channels = 1, height = 1, width = 1] = shape
  return (bytes, source) =>
    Effect.map(decodeTo(bytes, source, [channels, height, width]), (picture) =>
      normalized(planes(picture), channels, normalization),
    )
}

/**
 * Pictures of one digit, brought to the form of MNIST's: in gray, inverted where the background is light, cropped to the
 * ink, scaled into 20×20 and centred by its centre of mass in 28×28, then normalised. A shadow over the background and
 * dust on it do no harm.
 *
 * Decoding needs the optional package `sharp`.
 */
export const asMnist =
  (normalization: Normalization = null): Prepare =>
  (bytes, source) =>
    Effect.flatMap(decodeSmall(bytes, source), (picture) => {
      const digit = toMnist(picture)
      return digit === undefined
        ? new PredictError({ source, reason: { _tag: "Blank" } })
        : Effect.succeed(normalized(digit, 1, normalization))
    })

const normalized = (data: Float32Array, channels: number, normalization: Normalization): Float32Array => {
  if (normalization === null) return data
  const { mean, std } = normalization
  const pixels = data.length / channels
  return data.map((x, i) => {
    const channel = Math.floor(i / pixels)
    return (x - (mean[channel] ?? mean[0] ?? 0)) / (std[channel] ?? std[0] ?? 1)
  })
}

/** the sizes of batches that are compiled: few, so that each stays compiled */
const sizesOf = (batchSize: number): ReadonlyArray<number> =>
  [...new Set([64, 16, 4, 1].map((part) => Math.ceil(batchSize / part)))].toSorted((a, b) => a - b)

const predictionOf = (
  probabilities: Float32Array,
  classes: ReadonlyArray<string>,
  source: string,
): Effect.Effect<Prediction, PredictError> => {
  if (!probabilities.every(Number.isFinite)) return new PredictError({ source, reason: { _tag: "NotFinite" } })
  const all = Array.from(probabilities, (probability, index) => ({
    label: classes[index] ?? String(index),
    index,
    probability,
  })).toSorted((a, b) => b.probability - a.probability || a.index - b.index)
  return Effect.succeed({ ...all[0]!, classes: all })
}

/**
 * Puts a model's parameters on the device, ready to predict: for as long as the scope lasts.
 *
 * Calls that come while others wait are answered together, in batches of at most `batchSize`; none waits for others
 * longer than `maxDelay`. What is wrong with one picture fails its own call only.
 *
 * Fails with `ShapeMismatch`, `DeviceError`, and with `InvalidOption` for a nonsensical option.
 *
 * @example
 * const { predict } = yield* Predict.make({ model: net, parameters, classes: ["cat", "dog"] })
 * const { label, probability } = yield* predict(pixels)
 */
export const make = Effect.fnUntraced(function* (
  options: PredictOptions,
): Effect.fn.Return<Predictor, Tensor.GraphError | DeviceError | InvalidOption, Device | Scope.Scope> {
  const { model, parameters, batchSize: most = 32, maxDelay = "2 millis" } = options
  if (!Number.isInteger(most) || most < 1) {
    return yield* new InvalidOption({ sentence: `batchSize is ${most}, it must be a whole number of at least 1` })
  }
  // an answer never depends on who else asks
  const batchSize = mixesSamples(model) ? 1 : most
  const refused = model.refusal ?? parametersRefusal(model, parameters)
  if (refused !== undefined) return yield* refused
  const shape = model.in.slice(1).map(Number)
  const outputs = Number(model.out.at(-1))
  const classes = options.classes ?? Array.from({ length: outputs }, (_, i) => String(i))
  if (model.out.length !== 2 || classes.length > outputs) {
    const sentence = `there are ${classes.length} classes, but the model gives ${outputs} numbers for a picture`
    return yield* new InvalidOption({ sentence: `${sentence}; give one name for each` })
  }
  const size = elements(shape)
  const state = yield* State.make({ ...split(model, parameters) })
  const program = yield* Program.compile(
    { state, images: Tensor.input("N", ...shape) },
    ({ state, images }) => ({ probabilities: Ops.softmax(forward(model, state, images, {}).logits, 1) }),
    { name: "predict" },
  )
  const sizes = sizesOf(batchSize)

  interface Asked {
    readonly data: Float32Array
    readonly source: string
  }
  const answer = Effect.fnUntraced(function* (asked: ReadonlyArray<Asked>) {
    const rows = sizes.find((n) => n >= asked.length) ?? batchSize
    const images = new Float32Array(rows * size)
    for (const [i, { data }] of asked.entries()) images.set(data, i * size)
    const rowsOf: [number, ...Array<number>] = [rows, ...shape]
    const values = { state, images: { shape: rowsOf, data: images } }
    // the model gives `[N, classes]`
    const { data } = (yield* program.run(values)).probabilities as HostTensor
    return asked.map(({ source }, i) => predictionOf(data.slice(i * outputs, (i + 1) * outputs), classes, source))
  })
  const closed = () => new PredictError({ source: "a picture", reason: { _tag: "Closed" } })
  const ask = yield* makeBatcher(answer, closed, { batchSize, maxDelay })

  const predict: Predictor["predict"] = (image, source = "the picture") =>
    Effect.suspend(() => {
      const [found, data] =
        image instanceof Float32Array ? [[image.length], image] : [image.shape.map(Number), image.data]
      const fits = image instanceof Float32Array ? data.length === size : found.join() === shape.join()
      return fits && data.length === size
        ? ask({ data, source })
        : new PredictError({ source, reason: { _tag: "WrongShape", found, expected: shape } })
    })
  const prepare = options.prepare ?? resizedTo(shape)
  const fromBytes: Predictor["fromBytes"] = (bytes, source = "the picture") =>
    Effect.flatMap(prepare(bytes, source), (data) => predict(data, source))
  const fromFile: Predictor["fromFile"] = Effect.fnUntraced(function* (path) {
    const fs = yield* FileSystem.FileSystem
    const bytes = yield* Effect.mapError(
      fs.readFile(path),
      (error) => new PredictError({ source: path, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
    )
    return yield* fromBytes(bytes, path)
  })
  return { shape, classes, predict, fromBytes, fromFile }
})

/**
 * A predictor from the folder of a run that `effect-nn train` wrote: its model, parameters, classes and normalisation. A
 * model of MNIST gets its pictures as `asMnist` makes them, any other as `resizedTo` does.
 *
 * Fails with `RunFolderError`, `SafetensorsError`, and as `make` does.
 *
 * @example
 * const { fromFile } = yield* Predict.fromRun("runs/lenet")
 */
export const fromRun = Effect.fnUntraced(function* (
  folder: string,
  options: Pick<PredictOptions, "prepare" | "batchSize" | "maxDelay"> = {},
) {
  const { model: described, data, classes, normalization, files } = yield* RunFolder.read(folder)
  const model = Object.hasOwn(zoo, described.name) ? zoo[described.name]?.() : undefined
  if (model === undefined) {
    const paths = yield* Path.Path
    const sentence = `${paths.join(folder, RunFolder.fileName)} names the model ${described.name}, which this version does not have`
    return yield* new InvalidOption({ sentence: `${sentence}; build it yourself and give it to Predict.make` })
  }
  const { parameters } = yield* load((yield* RunFolder.filesOf(folder, files)).parameters)
  const prepare = data.name === "mnist" ? asMnist(normalization) : resizedTo(described.input, normalization)
  return yield* make({ model, parameters, classes, prepare, ...options })
})
