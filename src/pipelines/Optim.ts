/** Optimisers: `{ init, update }` pairs over a tree of parameters, one file each. */
export {
  init,
  type LearningRate,
  make,
  type Optimizer,
  type Rule,
  type Slots,
  update,
  type Updated,
  type UpdateStep,
} from "./optim/Optimizer.ts"
export { adam, type AdamOptions } from "./optim/adam.ts"
export { sgd, type SgdOptions } from "./optim/sgd.ts"
