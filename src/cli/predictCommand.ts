import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Predict from "../pipelines/Predict.ts"
import * as flags from "./flags.ts"
import { deviceOf, jsonLine } from "./output.ts"

const pictures = Argument.String("picture").pipe(
  Argument.withDescription("files of pictures: PNG, JPEG, WebP, GIF, TIFF, SVG"),
  Argument.atLeast(1),
)
const run = Flag.String("run").pipe(
  Flag.withDescription("folder that train wrote (runs/lenet unless told)"),
  Flag.withDefault("runs/lenet"),
)
const top = Flag.Int("top").pipe(
  Flag.filter(
    (n) => n >= 1,
    () => "a whole number of at least 1",
  ),
  Flag.withDescription("how many classes to name for each picture (3 unless told)"),
  Flag.withDefault(3),
)

const percent = (p: number): string => `${(100 * p).toFixed(1)} %`

const line = (file: string, { label, probability, classes }: Predict.Prediction, top: number): string => {
  const others = classes.slice(1, top).map((c) => `${c.label} ${percent(c.probability)}`)
  const then = others.length === 0 ? "" : ` (then ${others.join(", ")})`
  return `${file}: ${label}, ${percent(probability)} sure${then}`
}

/** `predict`: what a trained model says of pictures, and how sure it is */
export const predictCommand = Command.make(
  "predict",
  { pictures, run, top, device: flags.device, threads: flags.threads, seed: flags.seed, json: flags.json },
  Effect.fnUntraced(function* ({ pictures, run, top, json, ...given }) {
    const layer = yield* deviceOf(given)
    const predictions = Effect.gen(function* () {
      const { fromFile } = yield* Predict.fromRun(run)
      // all are tried: one that cannot be read takes no other with it, and is told at the end
      const results = yield* Effect.forEach(pictures, (file) => Effect.result(fromFile(file)), { concurrency: 16 })
      for (const [i, result] of results.entries()) {
        const file = pictures[i]!
        if (result._tag === "Failure") continue
        const { label, probability, classes } = result.success
        yield* json
          ? jsonLine({ event: "Prediction", file, label, probability, classes: classes.slice(0, top) })
          : Console.log(line(file, result.success, top))
      }
      const failure = results.find((r) => r._tag === "Failure")
      if (failure !== undefined) return yield* Effect.fail(failure.failure)
      return undefined
    })
    return yield* predictions.pipe(Effect.scoped, Effect.provide(layer))
  }),
).pipe(
  Command.withDescription("Say what pictures show, by a trained model; a digit may be drawn or photographed"),
  Command.withExamples([
    { command: "effect-nn predict --run runs/lenet digit.png" },
    { command: "effect-nn predict --run runs/lenet one.png two.jpg --top 1 --json" },
  ]),
)
