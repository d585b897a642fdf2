/** The flags that commands share, with what is said where a value cannot be meant. */
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { type DeviceName, deviceNames } from "../gpu/devices.ts"
import { optimizerNames, scheduleNames } from "./optimizers.ts"
import { dataNames, isData } from "./datasets.ts"
import { modelNames } from "./zoo.ts"

const whole = (name: string, least: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (n) => n >= least && Number.isSafeInteger(n),
      () => `a whole number of at least ${least}`,
    ),
    Flag.withDescription(description),
  )
const finite = (name: string, isPossible: (x: number) => boolean, expected: string, description: string) =>
  Flag.Finite(name).pipe(
    Flag.filter(isPossible, () => expected),
    Flag.withDescription(description),
  )

const orUndefined = <A>(flag: Flag.Flag<A>) => Flag.optional(flag).pipe(Flag.map(Option.getOrUndefined))

const devices: ReadonlyArray<"auto" | DeviceName> = ["auto", ...deviceNames]

export const device = Flag.Literals("device", devices).pipe(
  Flag.withDescription("what runs it; auto takes the best there is (auto unless told)"),
  Flag.withDefault("auto"),
)
export const threads = orUndefined(
  whole("threads", 1, "threads of the device wasm (as many as there are processors unless told)"),
)
export const seed = whole(
  "seed",
  0,
  "decides initial parameters, the order of the data and every random choice (0 unless told)",
).pipe(Flag.withDefault(0))
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("print one JSON object per line, for programs"),
  Flag.withDefault(false),
)
const modelFlag = Flag.String("model").pipe(Flag.withDescription(`the network: ${modelNames.join(", ")}`))
export const model = modelFlag.pipe(Flag.withDefault("lenet"))
export const optionalModel = orUndefined(modelFlag)
export const data = Flag.String("data").pipe(
  Flag.filter(isData, () => `one of ${dataNames.join(", ")}`),
  Flag.withDescription(`the data set: ${dataNames.join(", ")} (mnist unless told)`),
  Flag.withDefault("mnist"),
)
export const dataFolder = orUndefined(
  Flag.String("data-folder").pipe(
    Flag.withDescription(
      "a folder with the files of the data set (looked for on this machine, then downloaded, unless told)",
    ),
  ),
)
export const limit = orUndefined(whole("limit", 1, "use only the first so many images, for a quick look"))
export const epochs = whole("epochs", 1, "passes over the data (2 unless told)").pipe(Flag.withDefault(2))
export const batchSize = whole("batch-size", 1, "images of a step (64 unless told)").pipe(Flag.withDefault(64))
export const lr = finite("lr", (x) => x > 0, "a number above 0", "learning rate (0.001 unless told)").pipe(
  Flag.withDefault(0.001),
)
export const momentum = orUndefined(
  finite("momentum", (x) => x >= 0, "a number of at least 0", "of sgd and rmsprop (0 unless told)"),
)
export const weightDecay = orUndefined(
  finite(
    "weight-decay",
    (x) => x >= 0,
    "a number of at least 0",
    "L2, or decoupled for adamw (0 unless told, 0.01 for adamw)",
  ),
)
export const optimizer = Flag.Literals("optimizer", optimizerNames).pipe(
  Flag.withDescription("how parameters follow their gradients (adam unless told)"),
  Flag.withDefault("adam"),
)
export const schedule = Flag.Literals("schedule", scheduleNames).pipe(
  Flag.withDescription("how the learning rate goes over the run (none unless told: it stays)"),
  Flag.withDefault("none"),
)
export const out = orUndefined(
  Flag.String("out").pipe(Flag.withDescription("folder for parameters and log (runs/<model> unless told)")),
)
export const checkpointEvery = Flag.String("checkpoint-every").pipe(
  Flag.filter(
    (text) => text === "none" || /^[1-9]\d* (epoch|step|second|minute|hour)s?$/.test(text),
    () => '"1 epoch", "500 steps", "10 minutes" or none',
  ),
  Flag.withDescription('how often all that the run goes on from is written, as in "500 steps" ("1 epoch" unless told)'),
  Flag.withDefault("1 epoch"),
)
export const keep = whole("keep", 1, "how many of the latest checkpoints stay, beside the best (2 unless told)").pipe(
  Flag.withDefault(2),
)
export const resume = Flag.Boolean("resume").pipe(
  Flag.withDescription("go on from the latest sound checkpoint in --out"),
  Flag.withDefault(false),
)
export const run = orUndefined(
  Flag.String("run").pipe(Flag.withDescription("folder that train wrote; its model.safetensors is evaluated")),
)
export const weights = orUndefined(
  Flag.String("weights").pipe(Flag.withDescription("a safetensors file of parameters, instead of --run")),
)
