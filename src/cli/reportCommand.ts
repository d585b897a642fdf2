import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import type * as Data from "../pipelines/Data.ts"
import * as Report from "../pipelines/Report.ts"
import * as Train from "../pipelines/Train.ts"
import * as flags from "./flags.ts"
import { jsonLine } from "./output.ts"

/** the page of a report, or the sentence that says why there is none */
interface Reported {
  readonly page?: string
  readonly missing?: string
}

/** the report of a run that has just ended: its page, or the sentence that says why there is none */
export const reportOf = (options: {
  readonly folder: string
  readonly parameters: string
  readonly model: Train.Model
  readonly data: Data.Dataset<Data.SampleShape>
}) =>
  Effect.gen(function* () {
    const { folder, model, data } = options
    const { parameters } = yield* Train.load(options.parameters)
    yield* Report.saveResults(folder, yield* Report.results({ model, parameters, data }))
    const written: Reported = { page: yield* Report.write(folder) }
    return written
  }).pipe(
    // the run itself is done and saved: what only a report needs may be missing
    Effect.catchTag("MissingPackage", (error) => Effect.succeed<Reported>({ missing: error.message })),
  )

/** `report`: makes the page of a run again, from what is in its folder */
export const reportCommand = Command.make(
  "report",
  {
    folder: Argument.String("run").pipe(Argument.withDescription("folder that train wrote: runs/lenet")),
    device: flags.device,
    seed: flags.seed,
    json: flags.json,
  },
  Effect.fnUntraced(function* ({ folder, json }) {
    const page = yield* Report.write(folder)
    yield* json ? jsonLine({ event: "Report", page }) : Console.log(`report      ${page}`)
  }),
).pipe(
  Command.withDescription("Make the page of a run again: curves, confusion matrix, worst mistakes"),
  Command.withExamples([{ command: "effect-nn report runs/lenet" }]),
)
