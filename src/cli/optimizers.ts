/** Optimisers and schedules as the command line offers them: those of the library, with what its flags say. */
import * as Effect from "effect/Effect"
import * as Optim from "../pipelines/Optim.ts"
import { CliFailure } from "./CliFailure.ts"

interface Given {
  readonly lr: Optim.LearningRate
  readonly momentum?: number
  readonly weightDecay?: number
}

const optimizers: Readonly<
  Record<Optim.OptimizerName, { readonly hasMomentum: boolean; readonly make: (given: Given) => Optim.Optimizer }>
> = {
  adam: { hasMomentum: false, make: Optim.adam },
  adamw: { hasMomentum: false, make: Optim.adamw },
  sgd: { hasMomentum: true, make: Optim.sgd },
  rmsprop: { hasMomentum: true, make: Optim.rmsprop },
  adagrad: { hasMomentum: false, make: Optim.adagrad },
}

// the keys of an object literal are those of its type
export const optimizerNames = Object.keys(optimizers) as ReadonlyArray<Optim.OptimizerName>

/** the optimiser of that name for a learning rate, or the sentence that says which flag it does not take */
export const findOptimizer = (
  name: Optim.OptimizerName,
  flags: { readonly momentum: number | undefined; readonly weightDecay: number | undefined },
): Effect.Effect<(lr: Optim.LearningRate) => Optim.Optimizer, CliFailure> => {
  const { hasMomentum, make } = optimizers[name]
  const { momentum, weightDecay } = flags
  if (momentum !== undefined && !hasMomentum) {
    const others = optimizerNames.filter((other) => optimizers[other].hasMomentum).join(", ")
    return new CliFailure({ sentence: `${name} takes no --momentum; the optimizers that do are ${others}` })
  }
  const given = {
    ...(momentum === undefined ? {} : { momentum }),
    ...(weightDecay === undefined ? {} : { weightDecay }),
  }
  return Effect.succeed((lr) => make({ lr, ...given }))
}

/** how the learning rate goes over a run of `steps` steps in `epochs` epochs */
interface Run {
  readonly lr: number
  readonly steps: number
  readonly epochs: number
}

const { cosine, everyEpoch, exponential, linear, oneCycle, polynomial, step } = Optim.schedule

const schedules = {
  /** as it is */
  none: ({ lr }: Run): Optim.LearningRate => lr,
  /** down to 0 along a cosine */
  cosine: ({ lr, steps }: Run) => cosine({ lr, tMax: steps }),
  /** down to 0 in steps of one size */
  linear: ({ lr, steps }: Run) => linear({ lr, startFactor: 1, endFactor: 0, totalIters: steps }),
  /** down to 0, the square of what is left */
  polynomial: ({ lr, steps }: Run) => polynomial({ lr, totalIters: steps, power: 2 }),
  /** up to the rate and far down again */
  "one-cycle": ({ lr, steps }: Run) => oneCycle({ maxLr: lr, totalSteps: steps }),
  /** a tenth after each third of the run */
  step: ({ lr, steps }: Run) => step({ lr, stepSize: Math.max(1, Math.ceil(steps / 3)) }),
  /** times 0.9 with each epoch */
  exponential: ({ lr, steps, epochs }: Run) => everyEpoch(exponential({ lr, gamma: 0.9 }), steps / epochs),
} as const
export type ScheduleName = keyof typeof schedules

// the keys of an object literal are those of its type
export const scheduleNames = Object.keys(schedules) as ReadonlyArray<ScheduleName>

/** the learning rate of a run under the schedule of that name */
export const learningRateOf = (name: ScheduleName, run: Run): Optim.LearningRate => schedules[name](run)
