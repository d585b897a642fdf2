import { count, make, rate, type Schedule } from "./make.ts"

/**
 * `etaMin + (lr − etaMin)(1 + cos(π t / tMax)) / 2` after t steps; `etaMin` is 0 unless told. After `tMax` steps the rate
 * rises again, as PyTorch's does. PyTorch's `CosineAnnealingLR`.
 *
 * @example
 * Optim.adam({ lr: Optim.schedule.cosine({ lr: 1e-3, tMax: epochs * data.steps }) })
 */
export const cosine = (options: { readonly lr: number; readonly tMax: number; readonly etaMin?: number }): Schedule => {
  const { lr, tMax, etaMin = 0 } = options
  return make(
    "cosine",
    [rate("lr", lr), count("tMax", tMax), rate("etaMin", etaMin)],
    (t) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * t) / tMax))) / 2,
  )
}
