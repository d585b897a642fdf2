/** What a report is made of: apart, to be imported where it is needed, since Effect's Schema takes as long to load as all the rest. */
import * as Schema from "effect/Schema"

/** what the curves need of a line; other lines are passed over */
const Line = Schema.Union([
  Schema.Struct({
    event: Schema.Literal("Step"),
    totalSteps: Schema.Finite,
    loss: Schema.Finite,
    learningRate: Schema.Finite,
  }),
  Schema.Struct({
    event: Schema.Literal("EpochEnd"),
    epoch: Schema.Finite,
    totalSteps: Schema.Finite,
    loss: Schema.Finite,
    accuracy: Schema.Finite,
    seconds: Schema.Finite,
  }),
  Schema.Struct({
    event: Schema.Literal("Evaluation"),
    epoch: Schema.Finite,
    metrics: Schema.Record(Schema.String, Schema.Unknown),
  }),
])
export const decodeLine = Schema.decodeUnknownOption(Schema.fromJsonString(Line))

const Mistake = Schema.Struct({
  /** position in the data set */
  index: Schema.Int,
  label: Schema.Int,
  predicted: Schema.Int,
  /** the probability of the class that it was taken for */
  confidence: Schema.Finite,
  /** the picture, as a PNG in a data URI */
  picture: Schema.String,
})
/** of `results.json` in the folder of a run */
const Results = Schema.Struct({
  data: Schema.String,
  samples: Schema.Int,
  classes: Schema.Array(Schema.String),
  accuracy: Schema.Finite,
  /** mean cross-entropy */
  loss: Schema.Finite,
  /** rows: the class; columns: what it was taken for */
  confusion: Schema.Array(Schema.Array(Schema.Int)),
  /** the most confident first */
  mistakes: Schema.Array(Mistake),
})
/** What a trained model does on held-out pictures. */
export type Results = typeof Results.Type

export const decodeResults = Schema.decodeUnknownEffect(Schema.fromJsonString(Results))
