import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as Command from "effect/cli/Command"
import { showSummary, summary } from "../models/summary.ts"
import { Device } from "../gpu/Device.ts"
import * as Data from "../pipelines/Data.ts"
import * as Evaluate from "../pipelines/Evaluate.ts"
import * as Loss from "../pipelines/Loss.ts"
import type * as Optim from "../pipelines/Optim.ts"
import * as RunFolder from "../pipelines/RunFolder.ts"
import * as Train from "../pipelines/Train.ts"
import * as flags from "./flags.ts"
import { count, describeDevice, deviceOf, jsonLine } from "./output.ts"
import { reportOf } from "./reportCommand.ts"
import { findOptimizer, learningRateOf, type ScheduleName } from "./optimizers.ts"
import { findData, findModel, type Splits } from "./zoo.ts"

interface TrainFlags {
  readonly model: string
  readonly data: "mnist" | "synthetic"
  readonly dataFolder: string | undefined
  readonly epochs: number
  readonly batchSize: number
  readonly lr: number
  readonly optimizer: Optim.OptimizerName
  readonly momentum: number | undefined
  readonly weightDecay: number | undefined
  readonly schedule: ScheduleName
  readonly limit: number | undefined
  readonly out: string | undefined
  readonly device: Parameters<typeof deviceOf>[0]["device"]
  readonly threads: number | undefined
  readonly seed: number
  readonly json: boolean
  readonly checkpointEvery: string
  readonly keep: number
  readonly resume: boolean
}

const limited = <S extends Data.SampleShape>(data: Data.Dataset<S>, limit: number | undefined): Data.Dataset<S> =>
  limit === undefined ? data : Data.limit(data, limit)

/** what `run.json` says: all that it takes to build the model again and to prepare pictures for it */
const describe = (
  given: TrainFlags,
  model: Train.Model,
  data: Data.Dataset<Data.SampleShape>,
  optimizer: Optim.Optimizer,
) =>
  RunFolder.describe({
    model: { name: given.model, options: {}, input: data.shape, parameters: summary(model).parameters },
    data: { name: given.data, options: given.limit === undefined ? {} : { limit: given.limit }, samples: data.length },
    classes: data.classes,
    normalization: null,
    training: {
      epochs: given.epochs,
      batchSize: given.batchSize,
      seed: given.seed,
      loss: "crossEntropy",
      optimizer: optimizer.name,
      options: {
        lr: given.lr,
        schedule: given.schedule,
        momentum: given.momentum ?? null,
        weightDecay: given.weightDecay ?? null,
      },
    },
  })

/** the checkpoint to go on from; a run that was ended before its first one begins anew */
const checkpointOf = Effect.fnUntraced(function* (out: string, checkpoints: string, json: boolean) {
  yield* RunFolder.read(out)
  return yield* Train.resume(checkpoints).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "Missing",
      () => {
        const text = `no checkpoint in ${checkpoints} yet: the run begins anew`
        return Effect.as(json ? jsonLine({ event: "Anew", path: checkpoints }) : Console.log(text), undefined)
      },
    ),
  )
})

/** what is said of a run that goes on */
const saidResumed = ({ path, epoch, step, totalSteps }: Train.Resumed) =>
  Console.log(`resumed ${path}: epoch ${epoch}, ${count(step)} of its steps done, ${count(totalSteps)} of the run's`)

/** the run itself, once its device is there */
const train = Effect.fnUntraced(function* (
  given: TrainFlags,
  model: Train.Model,
  found: Splits,
  optimizerOf: (lr: Optim.LearningRate) => Optim.Optimizer,
) {
  const { model: name, seed, json, epochs, batchSize } = given
  const paths = yield* Path.Path
  const [images, held] = [limited(found.train, given.limit), limited(found.test, given.limit)]
  const data = images.pipe(Data.shuffle, Data.batch(batchSize))
  const lr = learningRateOf(given.schedule, { lr: given.lr, steps: epochs * data.steps, epochs })
  const optimizer = optimizerOf(lr)
  const out = given.out ?? paths.join("runs", name)
  const { parameters: weights, log, checkpoints } = yield* RunFolder.filesOf(out)
  const { info } = yield* Device
  const table = summary(model)
  const scheduled = given.schedule === "none" ? "" : ` (${given.schedule})`
  if (json) {
    yield* jsonLine({ event: "Model", model: name, parameters: table.parameters, multiplyAdds: table.multiplyAdds })
  } else {
    yield* Console.log(describeDevice(info))
    yield* Console.log(`model   ${name}\n${showSummary(table)}`)
    yield* Console.log(
      `data    ${given.data}: ${count(images.length)} images to train on, ${count(held.length)} to test on; ` +
        `${optimizer.name}, lr ${given.lr}${scheduled}, batches of ${batchSize}, seed ${seed}`,
    )
  }
  const resume = given.resume ? yield* checkpointOf(out, checkpoints, json) : undefined
  const saidSaved = (saved: Train.Saved) =>
    json
      ? jsonLine({ ...Train.toJson(saved), interrupted: true })
      : Console.log(
          `interrupted in epoch ${saved.epoch}, after ${count(saved.totalSteps)} steps; ` +
            `parameters so far are in ${saved.path}, the log in ${log}`,
        )
  const metadata = { model: name, data: given.data, device: info.name }
  const events = Train.fit({
    model,
    loss: Loss.crossEntropy(),
    optimizer,
    data,
    epochs,
    seed,
    resume,
  }).pipe(
    // a folder whose run does not fit these flags stays as it is
    Stream.tap((event) =>
      event._tag === "Start" ? RunFolder.write(out, describe(given, model, images, optimizer)) : Effect.void,
    ),
    Stream.tap((event) =>
      event._tag === "Start" && event.resumed !== undefined && !json ? saidResumed(event.resumed) : Effect.void,
    ),
    Train.evaluateEachEpoch(held, { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }),
    given.checkpointEvery === "none"
      ? (self) => self
      : Train.checkpoint(checkpoints, {
          // the flag takes nothing else
          every: given.checkpointEvery as Train.Every,
          keep: given.keep,
          best: { metric: { evaluation: "accuracy" }, mode: "max" },
        }),
    Train.save(weights, { metadata, onInterrupted: saidSaved }),
    Train.log(log),
  )
  yield* json
    ? Stream.runForEach(events, (event) => jsonLine(Train.toJson(event)))
    : Stream.runDrain(Train.progressBar(events))
  const report = yield* reportOf({ folder: out, parameters: weights, model, data: held })
  yield* json
    ? jsonLine({ event: "Done", parameters: weights, log, report })
    : Console.log(`parameters  ${weights}\nlog         ${log}\nreport      ${report.page ?? report.missing}`)
})

/** `train`: trains a model of the zoo, showing how it goes, and writes its parameters and a log */
export const trainCommand = Command.make(
  "train",
  {
    model: flags.model,
    data: flags.data,
    dataFolder: flags.dataFolder,
    epochs: flags.epochs,
    batchSize: flags.batchSize,
    lr: flags.lr,
    optimizer: flags.optimizer,
    momentum: flags.momentum,
    weightDecay: flags.weightDecay,
    schedule: flags.schedule,
    limit: flags.limit,
    out: flags.out,
    device: flags.device,
    threads: flags.threads,
    seed: flags.seed,
    json: flags.json,
    checkpointEvery: flags.checkpointEvery,
    keep: flags.keep,
    resume: flags.resume,
  },
  Effect.fnUntraced(function* (given) {
    const layer = yield* deviceOf(given)
    // what can be wrong without a device is told before one is started
    const model = yield* findModel(given.model)
    const optimizerOf = yield* findOptimizer(given.optimizer, given)
    const found = yield* findData(given.data, { model, folder: given.dataFolder, seed: given.seed })
    yield* Effect.provide(train(given, model, found, optimizerOf), layer)
  }),
).pipe(
  Command.withDescription("Train a model; Ctrl-C ends it cleanly, with what was trained saved, and --resume goes on"),
  Command.withExamples([
    {
      command:
        "effect-nn train --model lenet --data mnist --epochs 2 --batch-size 64 --lr 0.001 --optimizer adam --out runs/lenet",
    },
    { command: "effect-nn train --model lenet --data mnist --epochs 2 --out runs/lenet --resume" },
  ]),
)
