import { count, finite, make, rate, type Schedule } from "./make.ts"

/**
 * `lr` times `gamma` (0.1 unless told) for each of the milestones that t steps have reached. PyTorch's `MultiStepLR`.
 *
 * @example
 * Optim.schedule.multiStep({ lr: 0.1, milestones: [3000, 6000] })
 */
export const multiStep = (options: {
  readonly lr: number
  readonly milestones: ReadonlyArray<number>
  readonly gamma?: number
}): Schedule => {
  const { lr, milestones, gamma = 0.1 } = options
  return make(
    "multiStep",
    [rate("lr", lr), finite("gamma", gamma), ...milestones.map((m) => count("each of its milestones", m, 0))],
    (t) => lr * gamma ** milestones.filter((m) => m <= t).length,
  )
}
