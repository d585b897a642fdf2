import { count, make, rate, type Schedule } from "./make.ts"

/**
 * `cosine`, from `lr` again after `t0` steps, then after `tMult` (1 unless told) times as many, and so on; `etaMin` is 0
 * unless told. PyTorch's `CosineAnnealingWarmRestarts`.
 *
 * @example
 * Optim.schedule.cosineRestarts({ lr: 0.1, t0: 1000, tMult: 2 })
 */
export const cosineRestarts = (options: {
  readonly lr: number
  readonly t0: number
  readonly tMult?: number
  readonly etaMin?: number
}): Schedule => {
  const { lr, t0, tMult = 1, etaMin = 0 } = options
  /** steps since the last start, and how many until the next */
  const period = (t: number): readonly [since: number, length: number] => {
    if (tMult === 1) return [t % t0, t0]
    let [start, length] = [0, t0]
    while (t - start >= length) [start, length] = [start + length, length * tMult]
    return [t - start, length]
  }
  return make(
    "cosineRestarts",
    [rate("lr", lr), count("t0", t0), count("tMult", tMult), rate("etaMin", etaMin)],
    (t) => {
      const [since, length] = period(t)
      return etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * since) / length))) / 2
    },
  )
}
