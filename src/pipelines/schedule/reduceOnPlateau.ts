import { firstRefusal } from "../InvalidOption.ts"

/** Options of `reduceOnPlateau`, with PyTorch's defaults. */
export interface PlateauOptions {
  /** whether a smaller or a larger metric is better: `"min"` unless told */
  readonly mode?: "min" | "max"
  /** what the rate is multiplied by: 0.1 unless told */
  readonly factor?: number
  /** how many metrics in a row may be no better: 10 unless told */
  readonly patience?: number
  /** how much better is better: 1e-4 unless told */
  readonly threshold?: number
  /** whether `threshold` is a share of the best or a difference from it: `"rel"` unless told */
  readonly thresholdMode?: "rel" | "abs"
  /** how many metrics after a reduction count for nothing: 0 unless told */
  readonly cooldown?: number
  /** below this the rate does not go: 0 unless told */
  readonly minLr?: number
  /** a smaller change of the rate is not made: 1e-8 unless told */
  readonly eps?: number
}

/** What `reduceOnPlateau` remembers from metric to metric. */
export interface PlateauState {
  readonly best: number
  /** metrics in a row that were no better */
  readonly bad: number
  /** metrics that still count for nothing */
  readonly cooldown: number
}

/** A rule that lowers the learning rate by what a metric does. */
export interface Plateau {
  readonly initial: PlateauState
  /** what to remember after a metric, and the learning rate from then on */
  readonly next: (
    state: PlateauState,
    metric: number,
    lr: number,
  ) => { readonly state: PlateauState; readonly lr: number }
  readonly refusal?: string | undefined
}

/**
 * Lowers the learning rate when a metric no longer gets better: the rule alone. `Train.reduceOnPlateau` applies it to a
 * run. PyTorch's `ReduceLROnPlateau`.
 *
 * @example
 * const { initial, next } = Optim.schedule.reduceOnPlateau({ patience: 0 })
 * next({ ...initial, best: 1 }, 2, 0.1).lr // => 0.01
 */
export const reduceOnPlateau = (options: PlateauOptions = {}): Plateau => {
  const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options
  const { cooldown = 0, minLr = 0, eps = 1e-8 } = options
  const sign = mode === "min" ? -1 : 1
  const isBetter = (metric: number, best: number): boolean => {
    const bar = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold
    return mode === "min" ? metric < bar : metric > bar
  }
  return {
    initial: { best: -sign * Number.POSITIVE_INFINITY, bad: 0, cooldown: 0 },
    next: (state, metric, lr) => {
      const better = isBetter(metric, state.best)
      const best = better ? metric : state.best
      const cools = state.cooldown > 0
      const bad = better || cools ? 0 : state.bad + 1
      const left = cools ? state.cooldown - 1 : 0
      if (bad <= patience) return { state: { best, bad, cooldown: left }, lr }
      const lower = Math.max(lr * factor, minLr)
      return { state: { best, bad: 0, cooldown }, lr: lr - lower > eps ? lower : lr }
    },
    refusal: firstRefusal("reduceOnPlateau", [
      [factor > 0 && factor < 1, `factor above 0 and below 1, not ${factor}`],
      [patience >= 0, `patience of at least 0, not ${patience}`],
      [cooldown >= 0, `cooldown of at least 0, not ${cooldown}`],
      [threshold >= 0, `threshold of at least 0, not ${threshold}`],
      [minLr >= 0, `minLr of at least 0, not ${minLr}`],
      [eps >= 0, `eps of at least 0, not ${eps}`],
    ]),
  }
}
