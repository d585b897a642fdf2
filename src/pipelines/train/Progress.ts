/** How far a run is, as plain data: with the arrays on the device, all that it goes on from. */
import * as Schema from "effect/Schema"
import type { HostParameters } from "./Model.ts"

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
export type Progress = typeof Progress.Type

/** What an operator remembers from event to event: it is in a checkpoint, and given back when the run goes on. */
export interface Memory {
  readonly values: Schema.Json
  /** larger things, as they would be in a file of parameters; none when absent */
  readonly tensors?: HostParameters
}

export type Memories = { readonly [name: string]: Memory }
