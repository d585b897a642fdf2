/**
 * Training: a run is a stream of typed events, and everything that observes it is an operator on that stream.
 */
export { fit, type FitOptions } from "./train/fit.ts"
export type { FitError } from "./train/makeRun.ts"
export { checkpoint, type CheckpointOptions } from "./train/checkpoint.ts"
export { CheckpointError, type CheckpointReason } from "./train/CheckpointError.ts"
export {
  type Checkpoint as CheckpointFile,
  type CheckpointContents,
  type Header as CheckpointHeader,
  resume,
} from "./train/checkpointFile.ts"
export { earlyStopping, type EarlyStoppingOptions } from "./train/earlyStopping.ts"
export { evaluateEachEpoch, evaluateEvery, type EvaluateOptions } from "./train/evaluateEachEpoch.ts"
export type { Every } from "./train/every.ts"
export { limitSteps, limitTime } from "./train/limits.ts"
export { log } from "./train/log.ts"
export { OutputError } from "./train/OutputError.ts"
export { on } from "./train/on.ts"
export type { Origin } from "./train/origin.ts"
export { progressBar } from "./train/progressBar.ts"
export type { HostParameters, Model, Parameters } from "./train/Model.ts"
export type { Memories, Memory, Progress } from "./train/Progress.ts"
export { reduceOnPlateau, type ReduceOnPlateauOptions } from "./train/reduceOnPlateau.ts"
export type { Watched } from "./train/watched.ts"
export type { Captured, Run, RunState, TrainState, Weights } from "./train/RunState.ts"
export { load, save, type SaveOptions } from "./train/save.ts"
export type { AuxiliaryWeights } from "./train/stepProgram.ts"
export {
  type Checkpoint,
  type EpochEnd,
  epochLine,
  type Evaluation,
  NonFiniteLoss,
  type Resumed,
  type Saved,
  type Start,
  type Step,
  type Stopped,
  toJson,
  type TrainEvent,
} from "./train/TrainEvent.ts"
