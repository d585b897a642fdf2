import { count, finite, make, rate, type Schedule } from "./make.ts"

/**
 * `lr · (1 − t / totalIters)^power` after t steps, 0 from `totalIters` (5 unless told) on; `power` is 1 unless told.
 * PyTorch's `PolynomialLR`.
 *
 * @example
 * Optim.schedule.polynomial({ lr: 0.1, totalIters: 10_000, power: 0.9 })
 */
export const polynomial = (options: {
  readonly lr: number
  readonly totalIters?: number
  readonly power?: number
}): Schedule => {
  const { lr, totalIters = 5, power = 1 } = options
  return make(
    "polynomial",
    [rate("lr", lr), count("totalIters", totalIters), finite("power", power)],
    (t) => lr * (1 - Math.min(t, totalIters) / totalIters) ** power,
  )
}
