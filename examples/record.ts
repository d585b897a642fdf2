/** What the longer examples do around a run: the same folder that the command line writes, with its report. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Data, Nn, Report, RunFolder, Train } from "../src/index.ts"

export const record = <E, R, S extends ReadonlyArray<number>>(
  events: Stream.Stream<Train.TrainEvent, E, R>,
  run: {
    readonly folder: string
    readonly name: string
    readonly model: Train.Model
    readonly train: Data.Dataset<S>
    readonly test: Data.Dataset<S>
    readonly normalization?: RunFolder.RunDescription["normalization"]
    readonly training: RunFolder.RunDescription["training"]
  },
) =>
  Effect.gen(function* () {
    const { folder, name, model, train, test, normalization = null, training } = run
    const files = yield* RunFolder.filesOf(folder)
    yield* RunFolder.write(
      folder,
      RunFolder.describe({
        model: { name, options: {}, input: train.shape, parameters: Nn.summary(model).parameters },
        data: { name: train.name.split(" ")[0]!.toLowerCase(), options: {}, samples: train.length },
        classes: train.classes,
        normalization,
        training,
      }),
    )
    const evaluations = yield* events.pipe(
      Train.save(files.parameters),
      Train.log(files.log),
      Train.progressBar,
      Stream.filter((event) => event._tag === "Evaluation"),
      Stream.map(({ epoch, metrics }) => ({ epoch, ...metrics })),
      Stream.runCollect,
    )
    const { parameters } = yield* Train.load(files.parameters)
    yield* Report.saveResults(folder, yield* Report.results({ model, parameters, data: test }))
    console.log(`report      ${yield* Report.write(folder)}`)
    return { evaluations, parameters }
  })
