/** The schema of `run.json`: loaded when one is read or written, not to start. */
import * as Schema from "effect/Schema"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Options = Schema.Record(Schema.String, Schema.Json)

/** The schema of `run.json`. */
export const RunDescription = Schema.Struct({
  format: Schema.Literal("effect-nn run"),
  /** of this form */
  version: Schema.Literal(1),
  /** the version of effect-nn that wrote it */
  library: Schema.String,
  model: Schema.Struct({
    /** as in the zoo: `lenet` */
    name: Schema.String,
    /** what its builder was given: `{ "numClasses": 10 }`; empty for its defaults */
    options: Options,
    /** the shape of one sample, `[C, H, W]` */
    input: Schema.Array(Count),
    /** its parameters, in number */
    parameters: Count,
  }),
  data: Schema.Struct({
    /** as on the command line: `mnist` */
    name: Schema.String,
    options: Options,
    /** samples that it was trained on */
    samples: Count,
  }),
  /** the names of the classes, in the order of the model's outputs */
  classes: Schema.Array(Schema.String),
  /**
   * What was done to pixels between 0 and 1, for each channel (or one for all of them): `(x − mean) / std`; `null` for
   * nothing.
   */
  normalization: Schema.NullOr(Schema.Struct({ mean: Schema.Array(Schema.Finite), std: Schema.Array(Schema.Finite) })),
  training: Schema.Struct({
    epochs: Count,
    batchSize: Count,
    seed: Count,
    loss: Schema.String,
    optimizer: Schema.String,
    /** what the optimiser was given: `{ "lr": 0.001, "schedule": "cosine" }` */
    options: Options,
  }),
  /** beside `run.json`, by their paths from it */
  files: Schema.Struct({ parameters: Schema.String, log: Schema.String, checkpoints: Schema.String }),
})
/** What `run.json` says. */
export type RunDescription = typeof RunDescription.Type

/** from the text of a file */
export const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(RunDescription))
/** to JSON */
export const encode = Schema.encodeEffect(RunDescription)
