import { count, make, rate, type Schedule } from "./make.ts"

/**
 * From `lr · startFactor` (1/3 unless told) to `lr · endFactor` (1 unless told) in `totalIters` steps (5 unless told) of
 * the same size. PyTorch's `LinearLR`.
 *
 * @example
 * Optim.schedule.linear({ lr: 0.1, startFactor: 0.01, totalIters: 500 })
 */
export const linear = (options: {
  readonly lr: number
  readonly startFactor?: number
  readonly endFactor?: number
  readonly totalIters?: number
}): Schedule => {
  const { lr, startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options
  const isPossible = startFactor >= 0 && startFactor <= 1
  return make(
    "linear",
    [
      rate("lr", lr),
      [isPossible, `startFactor from 0 to 1, not ${startFactor}`],
      [endFactor >= 0 && endFactor <= 1, `endFactor from 0 to 1, not ${endFactor}`],
      count("totalIters", totalIters),
    ],
    (t) => lr * (startFactor + ((endFactor - startFactor) * Math.min(t, totalIters)) / totalIters),
  )
}
