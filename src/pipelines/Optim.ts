/**
 * Optimisers: `{ init, update }` pairs over named parameters, one file each; what takes an optimiser and gives another;
 * and schedules of the learning rate.
 */
export {
  init,
  type LearningRate,
  make,
  type Named,
  type NamedStep,
  type Optimizer,
  type Rule,
  type Slots,
  update,
  type Updated,
  type UpdateStep,
} from "./optim/Optimizer.ts"
export { adagrad, type AdagradOptions } from "./optim/adagrad.ts"
export { adam, type AdamOptions } from "./optim/adam.ts"
export { adamw, type AdamWOptions } from "./optim/adamw.ts"
export { rmsprop, type RmspropOptions } from "./optim/rmsprop.ts"
export { sgd, type SgdOptions } from "./optim/sgd.ts"
export { type OptimizerName, optimizers } from "./optim/optimizers.ts"
export { accumulate } from "./optim/accumulate.ts"
export { average, type AverageOptions } from "./optim/average.ts"
export { clipNorm, clipValue, globalNorm } from "./optim/clip.ts"
export { freeze } from "./optim/freeze.ts"
export { type Group, groups } from "./optim/groups.ts"
export type { Names } from "./optim/names.ts"
export type { Schedule } from "./schedule/make.ts"
export { type ScheduleName, schedules } from "./schedule/schedules.ts"
export * as schedule from "./Schedules.ts"
