/** What a trained model does on held-out pictures, kept so that a report can be made of it again. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mixesSamples } from "../../models/Layer.ts"
import { parametersRefusal } from "../../models/StateDict.ts"
import type { HostTensor } from "../../ops/HostTensor.ts"
import * as Ops from "../../ops/Ops.ts"
import * as Program from "../../ops/Program.ts"
import * as State from "../../ops/State.ts"
import * as Tensor from "../../ops/Tensor.ts"
import { batch } from "../data/batches.ts"
import type { Dataset } from "../data/Dataset.ts"
import { loadSharp } from "../images/sharp.ts"
import type { Results } from "./schemas.ts"
import { batchValues } from "../train/batchValues.ts"
import { forward, type HostParameters, type Model, refusalOf, split } from "../train/Model.ts"

/** mistakes that are shown, and pixels of a side that small pictures are enlarged to */
const [shown, least] = [24, 84]

interface Wrong {
  readonly index: number
  readonly label: number
  readonly predicted: number
  readonly confidence: number
  readonly pixels: Float32Array
}

/** the PNG of a sample `[C, H, W]`, its darkest number black and its lightest white */
const encode = Effect.fnUntraced(function* (pixels: Float32Array, shape: ReadonlyArray<number>) {
  const { default: sharp } = yield* loadSharp("to encode the pictures of a report")
  const [channels = 1, height = 1, width = 1] = shape
  const [low, high] = pixels.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity] as const)
  const kept = channels === 3 ? 3 : 1
  const data = new Uint8Array(width * height * kept)
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < kept; c++) {
      data[i * kept + c] = Math.round((255 * (pixels[c * width * height + i]! - low)) / Math.max(high - low, 1e-9))
    }
  }
  const times = Math.max(1, Math.floor(least / Math.max(width, height)))
  const png = yield* Effect.promise(() =>
    sharp(data, { raw: { width, height, channels: kept } })
      .resize({ width: width * times, height: height * times, fit: "fill", kernel: "nearest" })
      .png({ compressionLevel: 9, palette: kept === 1 })
      .toBuffer(),
  )
  return `data:image/png;base64,${base64(png)}`
})

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""))

/**
 * Runs a model over a data set: its confusion matrix, its accuracy and loss, and the mistakes that it was surest of, with
 * their pictures. Encoding them needs the optional package `sharp`.
 *
 * Fails with `ShapeMismatch`, `DataError`, `DeviceError`, `MissingPackage`.
 */
export const results = Effect.fnUntraced(function* (options: {
  readonly model: Model
  readonly parameters: HostParameters
  readonly data: Dataset<ReadonlyArray<number>>
}) {
  const { model, parameters, data } = options
  const { shape, classes } = data
  const refused = refusalOf(model, shape, classes.length) ?? parametersRefusal(model, parameters)
  if (refused !== undefined) return yield* refused
  const outputs = Number(model.out.at(-1))
  const state = yield* State.make({ ...split(model, parameters) })
  const program = yield* Program.compile(
    { state, images: Tensor.input("N", ...shape) },
    ({ state, images }) => ({ probabilities: Ops.softmax(forward(model, state, images, {}).logits, 1) }),
    { name: "results" },
  )
  const confusion = classes.map(() => classes.map(() => 0))
  let [index, right, loss] = [0, 0, 0]
  let worst: ReadonlyArray<Wrong> = []
  yield* Stream.runForEach(
    batch(data, 256, { last: mixesSamples(model) ? "keep" : "pad" }).epoch({ seed: 0, epoch: 1 }),
    (given) =>
      Effect.gen(function* () {
        const found = yield* program.run({ state, images: batchValues(given).images })
        // the model gives `[N, classes]`
        const { data: all } = found.probabilities as HostTensor
        const size = given.images.length / given.rows
        const wrong: Array<Wrong> = []
        for (let row = 0; row < given.count; row++, index++) {
          // outputs beyond the classes are nobody's
          const own = all.subarray(row * outputs, row * outputs + classes.length)
          const label = given.labels[row]!
          let predicted = 0
          for (let c = 1; c < own.length; c++) if (own[c]! > own[predicted]!) predicted = c
          confusion[label]![predicted]!++
          loss -= Math.log(Math.max(own[label]!, 1e-37))
          if (predicted === label) {
            right++
            continue
          }
          const pixels = given.images.slice(row * size, (row + 1) * size)
          wrong.push({ index, label, predicted, confidence: own[predicted]!, pixels })
        }
        worst = [...worst, ...wrong].toSorted((a, b) => b.confidence - a.confidence).slice(0, shown)
        yield* Effect.yieldNow
      }),
  )
  const mistakes = yield* Effect.forEach(worst, ({ pixels, ...rest }) =>
    Effect.map(encode(pixels, shape), (picture) => ({ ...rest, picture })),
  )
  const made: Results = {
    data: data.name,
    samples: index,
    classes,
    accuracy: right / index,
    loss: loss / index,
    confusion,
    mistakes,
  }
  return made
}, Effect.scoped)
