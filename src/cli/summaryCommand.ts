import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { pytorch, shapes, torchinfo, torchsummary } from "../models/styles.ts"
import { showSummary, summary } from "../models/summary.ts"
import type { Model } from "../pipelines/Train.ts"
import * as flags from "./flags.ts"
import { jsonLine } from "./output.ts"
import { findModel } from "./zoo.ts"

const styles = {
  table: (model: Model) => showSummary(summary(model)),
  torchsummary,
  torchinfo,
  pytorch,
  shapes,
} as const
const styleNames = ["table", "torchsummary", "torchinfo", "pytorch", "shapes"] as const

const style = Flag.Literals("style", styleNames).pipe(
  Flag.withDescription("the form of the summary (table unless told); --json has only one"),
  Flag.withDefault("table"),
)
const named = Argument.String("name").pipe(
  Argument.withDescription("the network, instead of --model"),
  Argument.optional,
)

/** `summary`: what a model is made of; nothing runs, so `--device` and `--seed` change nothing */
export const summaryCommand = Command.make(
  "summary",
  { named, model: flags.model, style, device: flags.device, seed: flags.seed, json: flags.json },
  Effect.fnUntraced(function* ({ named, model: flagged, style, json }) {
    const name = Option.getOrElse(named, () => flagged)
    const model = yield* findModel(name)
    if (!json) return yield* Console.log(styles[style](model))
    const { input, rows, parameters, trainable, multiplyAdds } = summary(model)
    const layers = rows.map(({ name, kind, output, parameters, multiplyAdds }) => ({
      name,
      kind,
      outputShape: output,
      parameters,
      multiplyAdds,
    }))
    const totals = { totalParams: parameters, trainableParams: trainable, multiplyAdds }
    return yield* jsonLine({ model: name, input, output: model.out, ...totals, layers })
  }),
).pipe(
  Command.withDescription("Print a model's table: layers, shapes, parameters, multiply-adds"),
  Command.withExamples([
    { command: "effect-nn summary lenet" },
    { command: "effect-nn summary alexnet --style pytorch" },
    { command: "effect-nn summary resnet18 --json" },
  ]),
)
