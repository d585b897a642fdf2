import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { showSummary, summary } from "../models/summary.ts"
import * as flags from "./flags.ts"
import { jsonLine } from "./output.ts"
import { findModel } from "./zoo.ts"

/** `summary`: what a model is made of; nothing runs, so `--device` and `--seed` change nothing */
export const summaryCommand = Command.make(
  "summary",
  { model: flags.model, device: flags.device, seed: flags.seed, json: flags.json },
  Effect.fnUntraced(function* ({ model: name, json }) {
    const model = yield* findModel(name)
    const table = summary(model)
    if (!json) return yield* Console.log(showSummary(table))
    for (const row of table.rows) yield* jsonLine({ event: "Layer", ...row })
    const { input, parameters, multiplyAdds } = table
    return yield* jsonLine({ event: "Model", model: name, input, output: model.out, parameters, multiplyAdds })
  }),
).pipe(
  Command.withDescription("Print a model's table: layers, shapes, parameters, multiply-adds"),
  Command.withExamples([{ command: "effect-nn summary --model lenet" }]),
)
