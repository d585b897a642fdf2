import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import { Device } from "../gpu/Device.ts"
import * as Data from "../pipelines/Data.ts"
import * as Evaluate from "../pipelines/Evaluate.ts"
import * as Train from "../pipelines/Train.ts"
import { CliFailure } from "./CliFailure.ts"
import * as flags from "./flags.ts"
import { count, describeDevice, deviceOf, jsonLine } from "./output.ts"
import { findData } from "./datasets.ts"
import { findModel } from "./zoo.ts"

/** the file of parameters that the flags name */
const fileOf = Effect.fnUntraced(function* (run: string | undefined, weights: string | undefined) {
  const paths = yield* Path.Path
  if (run !== undefined && weights !== undefined) {
    return yield* new CliFailure({ sentence: "--run and --weights both name parameters; give one of them" })
  }
  if (weights !== undefined) return weights
  if (run !== undefined) return paths.join(run, "model.safetensors")
  return yield* new CliFailure({
    sentence: "nothing to evaluate: give --run with the folder of a run, or --weights with a safetensors file",
  })
})

/** `evaluate`: how good trained parameters are on the test images */
export const evaluateCommand = Command.make(
  "evaluate",
  {
    run: flags.run,
    weights: flags.weights,
    model: flags.optionalModel,
    data: flags.data,
    dataFolder: flags.dataFolder,
    limit: flags.limit,
    device: flags.device,
    threads: flags.threads,
    seed: flags.seed,
    json: flags.json,
  },
  Effect.fnUntraced(function* (given) {
    const { json, seed, limit } = given
    const layer = yield* deviceOf(given)
    const file = yield* fileOf(given.run, given.weights)
    const { parameters, metadata } = yield* Train.load(file)
    const name = given.model ?? metadata["model"]
    if (name === undefined) {
      const sentence = `${file} does not say which model its parameters are of; give --model`
      return yield* new CliFailure({ sentence })
    }
    if (metadata["model"] !== undefined && metadata["model"] !== name) {
      const sentence = `${file} holds the parameters of ${metadata["model"]}, not of ${name}; leave --model out`
      return yield* new CliFailure({ sentence })
    }
    const model = yield* findModel(name)
    const { test } = yield* findData(given.data, { model, folder: given.dataFolder, seed })
    const data = limit === undefined ? test : Data.limit(test, limit)
    const metrics = { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }
    const evaluation = Effect.gen(function* () {
      const { info } = yield* Device
      if (!json) yield* Console.log(`${describeDevice(info)}\nmodel   ${name}, parameters of ${file}`)
      const began = yield* Clock.currentTimeMillis
      const figures = yield* Evaluate.run({ model, parameters, data, metrics })
      const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
      if (json) {
        return yield* jsonLine({ event: "Evaluation", model: name, device: info, data: data.name, ...figures, seconds })
      }
      const { loss, accuracy } = figures
      return yield* Console.log(
        `${data.name}: ${count(data.length)} images, loss ${loss.toFixed(4)}, acc ${accuracy.toFixed(4)}, ` +
          `time ${seconds.toFixed(1)} sec`,
      )
    })
    return yield* Effect.provide(evaluation, layer)
  }),
).pipe(
  Command.withDescription("Measure trained parameters on the test images"),
  Command.withExamples([
    { command: "effect-nn evaluate --run runs/lenet" },
    { command: "effect-nn evaluate --weights model.safetensors --model lenet" },
  ]),
)
