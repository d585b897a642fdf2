/**
 * Training: a run is a stream of typed events, and everything that observes it is an operator on that stream.
 */
export { fit, type FitError, type FitOptions } from "./train/fit.ts"
export { evaluateEachEpoch, type EvaluateOptions } from "./train/evaluateEachEpoch.ts"
export { log } from "./train/log.ts"
export { OutputError } from "./train/OutputError.ts"
export { progressBar } from "./train/progressBar.ts"
export type { HostParameters, Model, Parameters } from "./train/Model.ts"
export { reduceOnPlateau, type ReduceOnPlateauOptions } from "./train/reduceOnPlateau.ts"
export type { Run, RunState, TrainState, Weights } from "./train/RunState.ts"
export { load, save, type SaveOptions } from "./train/save.ts"
export {
  type EpochEnd,
  epochLine,
  type Evaluation,
  NonFiniteLoss,
  type Saved,
  type Start,
  type Step,
  toJson,
  type TrainEvent,
} from "./train/TrainEvent.ts"
