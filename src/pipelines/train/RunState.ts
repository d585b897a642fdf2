/** What a run offers to those who watch it: its model and numbers, as they are at the moment of an event. */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { DeviceError } from "../../gpu/Device.ts"
import type { StaleState, State } from "../../ops/State.ts"
import type { Slots } from "../optim/Optimizer.ts"
import type { HostParameters, Model, Parameters } from "./Model.ts"

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
}

/** A run, for as long as it lasts. */
export interface Run {
  readonly model: Model
  readonly seed: number
  /** the state now; `undefined` once a step has failed or its loss was not finite */
  readonly latest: () => RunState | undefined
  /** the epoch that the run is in, counted from 1 */
  readonly epoch: () => number
  /**
   * Runs `finalizer` when the run is over, however it ends, before its memory is released. What it fails with is
   * ignored.
   */
  readonly beforeRelease: (
    finalizer: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void, unknown>,
  ) => Effect.Effect<void>
}
