/** How often something happens in a run. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { TrainEvent } from "./TrainEvent.ts"

/** After so many epochs or steps, or at the end of a step when so much time has passed: `"1 epoch"`, `"500 steps"`, `"10 minutes"`. */
export type Every = `${number} epoch` | `${number} epochs` | `${number} step` | `${number} steps` | Duration.Input

/** whether it is time at an event; `since` is when it last was, `now` when the event came, in milliseconds */
export type Due = (event: TrainEvent, now: number, since: number) => boolean

/** when it is time, or the sentence that says why that cannot be meant */
export const dueOf = (who: string, every: Every): Due | string => {
  const counted = typeof every === "string" ? /^(\d+) (epoch|step)s?$/.exec(every) : null
  if (counted !== null) {
    const n = Number(counted[1])
    if (n < 1) return `${who} needs every of at least 1 ${counted[2]}, not ${String(every)}`
    return counted[2] === "epoch"
      ? (event) => event._tag === "EpochEnd" && event.epoch % n === 0
      : (event) => event._tag === "Step" && event.totalSteps % n === 0
  }
  // what is no count of epochs or steps is a duration, or a mistake that only shows at run time
  const duration = Option.getOrUndefined(Duration.fromInput(every as Duration.Input))
  const millis = duration === undefined ? Number.NaN : Duration.toMillis(duration)
  return millis > 0
    ? (event, now, since) => event._tag === "Step" && now - since >= millis
    : `${who} needs every such as "1 epoch", "500 steps" or "10 minutes", not ${String(every)}`
}
