/** What a run offers to those who watch it: its model and numbers, as they are at the moment of an event. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { DeviceError } from "../../gpu/Device.ts"
import type { StaleState, State } from "../../ops/State.ts"
import { InvalidOption } from "../InvalidOption.ts"
import { averageSlot } from "../optim/average.ts"
import type { Slots } from "../optim/Optimizer.ts"
import type { HostParameters, Model, Parameters } from "./Model.ts"
import type { Identity } from "./Identity.ts"
import type { Memories, Memory, Progress } from "./Progress.ts"

/** Everything that a step changes, on the device. */
export type TrainState = State<{
  readonly params: Parameters
  readonly buffers: Parameters
  readonly slots: Slots<Parameters>
}>

/**
 * The state of a run at the moment of an event.
 *
 * It is valid until the run takes its next step: after that, reading it fails with `StaleState`, so that an operator
 * that buffers can cost an error, and never gives the numbers of another step.
 */
export interface RunState {
  /** the parameters and buffers, read back from the device */
  readonly parameters: Effect.Effect<HostParameters, StaleState | DeviceError>
  /** steps done */
  readonly totalSteps: number
  /** the same on the device, for programs of one's own */
  readonly live: TrainState
  readonly run: Run
  /** fails where the run has gone on: for operators that act on it, or remember what they saw */
  readonly current: Effect.Effect<void, StaleState>
  /**
   * The same with the moving average of the parameters in their place, to read and to evaluate; `undefined` where the
   * optimiser keeps none.
   */
  readonly average: () => RunState | undefined
}

/** Which parameters are meant: those that are trained, or the moving average that `Optim.average` keeps of them. */
export type Weights = "current" | "average"

/** the state with those parameters, where the run has them */
export const withWeights = (state: RunState, weights: Weights): Effect.Effect<RunState, InvalidOption> => {
  const found = weights === "average" ? state.average() : state
  const sentence = "there is no average of the parameters to take; give the optimizer .pipe(Optim.average())"
  return found === undefined ? new InvalidOption({ sentence }) : Effect.succeed(found)
}

/**
 * The arrays of the average in the place of the parameters: for reading. The handle is stale when that of the state is.
 */
export const averageOf = (state: TrainState): TrainState | undefined => {
  const averages = new Map(
    state.leaves.flatMap(({ path: [root, slot, name], buffer }) =>
      root === "slots" && slot === averageSlot && name !== undefined ? [[name, buffer] as const] : [],
    ),
  )
  if (averages.size === 0) return undefined
  const leaves = state.leaves.map((leaf) => {
    const [root, name = ""] = leaf.path
    // a parameter that does not change is its own average
    const buffer = root === "params" ? averages.get(name) : undefined
    return buffer === undefined ? leaf : { ...leaf, buffer }
  })
  return { ...state, leaves }
}

/** All that a run goes on from, at one moment. */
export interface Captured {
  readonly live: TrainState
  readonly progress: Progress
  readonly memories: Memories
  /** the run has not gone on since: what was read of `live` belongs to the rest */
  readonly isCurrent: () => boolean
}

/** A run, for as long as it lasts. */
export interface Run {
  readonly model: Model
  readonly seed: number
  /** the state now; `undefined` once a step has failed or its loss was not finite */
  readonly latest: () => RunState | undefined
  /** the epoch that the run is in, counted from 1 */
  readonly epoch: () => number
  /** of the next step: the optimiser's, times `rateScale` */
  readonly learningRate: () => number
  /** what the optimiser's learning rate is multiplied by from step to step; 1 until it is set */
  readonly rateScale: () => number
  readonly setRateScale: (scale: number) => Effect.Effect<void>
  /** what makes this run the one it is: a checkpoint of another is not gone on with */
  readonly identity: Effect.Effect<Identity>
  /**
   * Puts parameters and buffers in the place of the run's own, as an operator does that ends it with its best ones. No
   * checkpoint is made of the run after that.
   */
  readonly replace: (parameters: HostParameters) => Effect.Effect<RunState, DeviceError | StaleState>
  /**
   * Makes what an operator remembers a part of checkpoints; gives what the checkpoint that the run goes on from holds
   * under the name. To be called at `Start`. `snapshot` gives plain data that does not change afterwards.
   *
   * Fails with `InvalidOption` where `Train.checkpoint` stands before the operator: what it remembers would be older or
   * younger than the rest.
   */
  readonly remember: (name: string, snapshot: () => Memory) => Effect.Effect<Memory | undefined, InvalidOption>
  /** the fiber of the last step, to compare with that of whoever hears of it */
  readonly fiber: () => unknown
  /** operators from here on remember too late to be in a checkpoint */
  readonly closeMemory: Effect.Effect<void>
  /** Runs before a checkpoint is written, for an operator that writes something else with a delay. */
  readonly beforeCheckpoint: (flush: Effect.Effect<void>) => Effect.Effect<void>
  readonly flush: Effect.Effect<void>
  /** tells the run of a checkpoint that was written, for an error to name */
  readonly noteCheckpoint: (path: string) => Effect.Effect<void>
  /** all that the run goes on from; `undefined` where it cannot go on from what is on the device */
  readonly capture: () => Captured | undefined
  /**
   * Runs `finalizer` when the run is over, however it ends, before its memory is released. What it fails with is
   * ignored.
   */
  readonly beforeRelease: (
    finalizer: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void, unknown>,
  ) => Effect.Effect<void>
}
