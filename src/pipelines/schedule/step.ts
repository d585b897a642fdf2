import { count, finite, make, rate, type Schedule } from "./make.ts"

/**
 * `lr · γ^⌊t / stepSize⌋` after t steps; `gamma` is 0.1 unless told. PyTorch's `StepLR`.
 *
 * @example
 * Optim.sgd({ lr: Optim.schedule.step({ lr: 0.1, stepSize: 1000 }) })
 */
export const step = (options: {
  readonly lr: number
  readonly stepSize: number
  readonly gamma?: number
}): Schedule => {
  const { lr, stepSize, gamma = 0.1 } = options
  return make(
    "step",
    [rate("lr", lr), count("stepSize", stepSize), finite("gamma", gamma)],
    (t) => lr * gamma ** Math.floor(t / stepSize),
  )
}
