/** How far a run is, as plain data: with the arrays on the device, all that it goes on from. */
import type * as Schema from "effect/Schema"
import type * as Schemas from "./checkpointSchema.ts"
import type { HostParameters } from "./Model.ts"

export type Progress = typeof Schemas.Progress.Type

/** What an operator remembers from event to event: it is in a checkpoint, and given back when the run goes on. */
export interface Memory {
  readonly values: Schema.Json
  /** larger things, as they would be in a file of parameters; none when absent */
  readonly tensors?: HostParameters
}

export type Memories = { readonly [name: string]: Memory }
