/** The figure of a run that an operator watches. */
import * as Effect from "effect/Effect"
import { InvalidOption } from "../InvalidOption.ts"
import type { TrainEvent } from "./TrainEvent.ts"

/** `"loss"` of an epoch's training, or that metric of an `Evaluation`. */
export type Watched = "loss" | { readonly evaluation: string }

/** the figure that an event tells, if it does */
export const watchedValue = (
  who: string,
  metric: Watched,
  event: TrainEvent,
): Effect.Effect<number | undefined, InvalidOption> => {
  if (metric === "loss") return Effect.succeed(event._tag === "EpochEnd" ? event.loss : undefined)
  if (event._tag !== "Evaluation") return Effect.undefined
  const found = event.metrics[metric.evaluation]
  const known = Object.keys(event.metrics).join(", ")
  const sentence = `${who}: the evaluation has no ${metric.evaluation}; it has ${known}`
  return found === undefined ? new InvalidOption({ sentence }) : Effect.succeed(found)
}

/** whether a figure is better than the best so far, by more than `minDelta`; NaN never is */
export const isBetter = (value: number, best: number | null, mode: "min" | "max", minDelta = 0): boolean =>
  !Number.isNaN(value) && (best === null || (mode === "min" ? best - value : value - best) > minDelta)
