import { count, make, rate, type Schedule } from "./make.ts"

/** Options of `oneCycle`, with PyTorch's defaults. */
export interface OneCycleOptions {
  readonly maxLr: number
  readonly totalSteps: number
  /** the share of the steps in which the rate rises: 0.3 unless told */
  readonly pctStart?: number
  /** how the rate goes from one value to the next: along a cosine unless told */
  readonly annealStrategy?: "cos" | "linear"
  /** the first rate is `maxLr / divFactor`: 25 unless told */
  readonly divFactor?: number
  /** the last rate is the first divided by this: 1e4 unless told */
  readonly finalDivFactor?: number
  /** goes back to the first rate as it rose, and only then down to the last: false unless told */
  readonly threePhase?: boolean
}

/**
 * One rise to `maxLr` and one fall far below the start, in `totalSteps` steps (Smith and Topin, 2017); the last rate
 * stays from then on, where PyTorch would raise an error. PyTorch's `OneCycleLR`, without its cycling of momentum and of
 * Adam's β₁ (its `cycle_momentum=False`).
 *
 * @example
 * Optim.adam({ lr: Optim.schedule.oneCycle({ maxLr: 1e-2, totalSteps: epochs * data.steps }) })
 */
export const oneCycle = (options: OneCycleOptions): Schedule => {
  const { maxLr, totalSteps, pctStart = 0.3, annealStrategy = "cos" } = options
  const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options
  const first = maxLr / divFactor
  const last = first / finalDivFactor
  const top = pctStart * totalSteps - 1
  const phases: ReadonlyArray<readonly [end: number, from: number, to: number]> = threePhase
    ? [
        [top, first, maxLr],
        [2 * pctStart * totalSteps - 2, maxLr, first],
        [totalSteps - 1, first, last],
      ]
    : [
        [top, first, maxLr],
        [totalSteps - 1, maxLr, last],
      ]
  const between = (from: number, to: number, share: number): number =>
    annealStrategy === "cos" ? to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2 : from + (to - from) * share
  return make(
    "oneCycle",
    [
      rate("maxLr", maxLr),
      count("totalSteps", totalSteps),
      [pctStart >= 0 && pctStart <= 1, `pctStart from 0 to 1, not ${pctStart}`],
      [divFactor > 0, `divFactor above 0, not ${divFactor}`],
      [finalDivFactor > 0, `finalDivFactor above 0, not ${finalDivFactor}`],
    ],
    (steps) => {
      const t = Math.min(steps, totalSteps - 1)
      let start = 0
      for (const [end, from, to] of phases) {
        if (t <= end || end === totalSteps - 1)
          return between(from, to, end === start ? 1 : (t - start) / (end - start))
        start = end
      }
      return last
    },
  )
}
