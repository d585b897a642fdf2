import { count, finite, make, rate, type Schedule } from "./make.ts"

/**
 * `lr` times `factor` (1/3 unless told) for the first `totalIters` steps (5 unless told), then `lr`. PyTorch's
 * `ConstantLR`. A rate that never changes is a plain number.
 *
 * @example
 * Optim.schedule.constant({ lr: 0.1, factor: 0.1, totalIters: 100 })
 */
export const constant = (options: {
  readonly lr: number
  readonly factor?: number
  readonly totalIters?: number
}): Schedule => {
  const { lr, factor = 1 / 3, totalIters = 5 } = options
  return make("constant", [rate("lr", lr), finite("factor", factor), count("totalIters", totalIters, 0)], (t) =>
    t < totalIters ? lr * factor : lr,
  )
}
