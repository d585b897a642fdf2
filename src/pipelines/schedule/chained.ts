import { type Schedule, withRefusal } from "./make.ts"

/**
 * Several schedules at once: the rates multiply, so give one of them the rate and the others `lr: 1`. What PyTorch's
 * `ChainedScheduler` does with schedules that multiply: all but `oneCycle`, `cosineRestarts`, and `cosine` with an
 * `etaMin` or beyond its `tMax`.
 *
 * @example
 * const { chained, exponential, linear } = Optim.schedule
 * chained(linear({ lr: 0.1, totalIters: 100 }), exponential({ lr: 1, gamma: 0.999 }))
 */
export const chained = (...schedules: ReadonlyArray<Schedule>): Schedule =>
  withRefusal(
    schedules.length === 0 ? "chained needs at least one schedule" : schedules.find((s) => s.refusal)?.refusal,
    (step) => schedules.reduce((rate, schedule) => rate * schedule(step), 1),
  )
