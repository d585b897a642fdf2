/** The header of a checkpoint, its parts, and what operators remember in one: apart, to be loaded by `schemas` only. */
import * as Schema from "effect/Schema"

const Text = Schema.String

export const Identity = Schema.Struct({
  model: Text,
  /** names and shapes of parameters and buffers */
  parameters: Text,
  loss: Text,
  optimizer: Text,
  /** its numbers at some steps: the learning rate and what follows from it */
  schedule: Text,
  data: Text,
  batchSize: Schema.Int,
  /** what becomes of the last batch of an epoch */
  last: Text,
  /** the first batch of the first epoch: the order of the samples, and what is done to them */
  firstBatch: Text,
  seed: Schema.Int,
  /** what a step computes: every option of the model, the loss and the optimiser */
  step: Text,
})

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const Progress = Schema.Struct({
  /** that the run is in, counted from 1 */
  epoch: Count,
  /** of this epoch that are done: what was consumed, not what was read ahead */
  step: Count,
  /** since the beginning of the run */
  totalSteps: Count,
  /** of the epoch so far, so that its line is the same after an interruption */
  totals: Schema.Struct({ loss: Schema.Finite, correct: Count, samples: Count, seconds: Schema.Finite }),
  /** what the learning rate of the optimiser is multiplied by */
  rateScale: Schema.Finite,
  /** the last step, where nobody has seen its event yet: it is told first when the run goes on */
  untold: Schema.NullOr(Schema.Struct({ loss: Schema.Finite, learningRate: Schema.Finite })),
})

/** What the header of a checkpoint says. */
export const Header = Schema.Struct({
  format: Schema.Literal("effect-nn checkpoint"),
  version: Schema.Literal(1),
  /** the version of effect-nn that wrote it */
  library: Schema.String,
  /** what computed it: `backend` says whether multiply-adds are fused */
  device: Schema.Struct({ name: Schema.String, backend: Schema.String, description: Schema.String }),
  identity: Identity,
  progress: Progress,
  /** random numbers are those of seed and step: the key of the next step follows from them */
  generator: Schema.Struct({ seed: Schema.Int, key: Schema.Array(Schema.Int) }),
  /** what operators remember, but for the tensors */
  memories: Schema.Record(Schema.String, Schema.Json),
})
export type Header = typeof Header.Type

/** from the text in a file */
export const decodeHeader = Schema.decodeUnknownResult(Schema.fromJsonString(Header))
/** to such a text */
export const encodeHeader = Schema.encodeSync(Schema.fromJsonString(Header))

const Best = Schema.NullOr(Schema.Finite)

/** what `earlyStopping` remembers, but for the best parameters */
const Stopping = Schema.Struct({ best: Best, bad: Schema.Int, bestSteps: Schema.Int })
export type Stopping = typeof Stopping.Type
export const decodeStopping = Schema.decodeUnknownOption(Stopping)
export const encodeStopping = Schema.encodeSync(Stopping)

/** what `reduceOnPlateau` remembers as JSON, which knows no infinity: before the first metric there is no best one */
const Plateau = Schema.Struct({ best: Best, bad: Schema.Int, cooldown: Schema.Int })
export type Plateau = typeof Plateau.Type
export const decodePlateau = Schema.decodeUnknownOption(Plateau)

/** what `checkpoint` remembers itself: what the run has shown so far, and the best of it */
const Kept = Schema.Struct({
  best: Best,
  history: Schema.Array(
    Schema.Struct({
      event: Schema.Literals(["EpochEnd", "Evaluation"]),
      epoch: Schema.Int,
      totalSteps: Schema.Int,
      figures: Schema.Record(Schema.String, Schema.NullOr(Schema.Finite)),
    }),
  ),
})
export type Kept = typeof Kept.Type
export const decodeKept = Schema.decodeUnknownOption(Kept)
export const encodeKept = Schema.encodeSync(Kept)

/** what of a log's line says when it was */
export const decodeLine = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ event: Schema.String, totalSteps: Schema.optionalKey(Schema.Int) })),
)
