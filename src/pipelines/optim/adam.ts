import * as K from "../../gpu/Kernel.ts"
import { type LearningRate, make, type Optimizer, optimizerRefusal } from "./Optimizer.ts"

/** Options of `adam`, with PyTorch's defaults. */
export interface AdamOptions {
  /** 1e-3 unless told */
  readonly lr?: LearningRate
  /** decay of the mean of the gradient and of its square: 0.9 and 0.999 unless told */
  readonly betas?: readonly [number, number]
  /** added to the root, outside of it: 1e-8 unless told */
  readonly eps?: number
  /** added to the gradient (L2), not decoupled: 0 unless told */
  readonly weightDecay?: number
  /** divides by the largest v so far: false unless told */
  readonly amsgrad?: boolean
  /** goes up the gradient instead of down: false unless told */
  readonly maximize?: boolean
}

/**
 * Adam, as PyTorch has it (Kingma and Ba, 2015), with `amsgrad` (Reddi, Kale and Kumar, 2018).
 *
 * `g ← g + λp`; `m ← β₁m + (1 − β₁)g`; `v ← β₂v + (1 − β₂)g²`; `p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`, with
 * the corrections of step t computed in float64; with `amsgrad`, the largest `v` so far in the place of `v` in the last.
 * PyTorch's `optim.Adam`.
 *
 * @example
 * Optim.adam({ lr: 1e-3 })
 */
export const adam = (options: AdamOptions = {}): Optimizer => adamLike("adam", options, "added")

/** Adam with its weight decay added to the gradient, or decoupled from it */
export const adamLike = (name: string, options: AdamOptions, decay: "added" | "decoupled"): Optimizer => {
  const { lr = 1e-3, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0, amsgrad = false } = options
  const { maximize = false } = options
  const [added, decoupled] = [weightDecay !== 0 && decay === "added", weightDecay !== 0 && decay === "decoupled"]
  return make({
    name,
    learningRate: lr,
    slots: ["exp_avg", "exp_avg_sq", ...(amsgrad ? ["max_exp_avg_sq"] : [])],
    scalars: [
      ["stepSize", (step, lr) => lr / (1 - beta1 ** step)],
      ["rootCorrection", (step) => 1 / Math.sqrt(1 - beta2 ** step)],
      ...(decoupled ? [["kept", (_: number, lr: number) => 1 - lr * weightDecay] as const] : []),
    ],
    update: ({ p: before, g: given, slot, scalar }) => {
      const p = decoupled ? K.mul(before, scalar("kept")) : before
      const gradient = maximize ? K.neg(given) : given
      const g = added ? K.add(gradient, K.mul(p, weightDecay)) : gradient
      const m = K.add(K.mul(slot("exp_avg"), beta1), K.mul(g, 1 - beta1))
      const v = K.add(K.mul(slot("exp_avg_sq"), beta2), K.mul(K.mul(g, g), 1 - beta2))
      const largest = amsgrad ? K.max(slot("max_exp_avg_sq"), v) : v
      const root = K.add(K.mul(K.sqrt(largest), scalar("rootCorrection")), eps)
      const next = K.sub(p, K.mul(scalar("stepSize"), K.div(m, root)))
      return { p: next, slots: [m, v, ...(amsgrad ? [largest] : [])] }
    },
    refusal: optimizerRefusal(name, lr, [
      [beta1 >= 0 && beta1 < 1, `betas[0] from 0 to below 1, not ${beta1}`],
      [beta2 >= 0 && beta2 < 1, `betas[1] from 0 to below 1, not ${beta2}`],
      [eps >= 0, `eps of at least 0, not ${eps}`],
      [weightDecay >= 0, `weightDecay of at least 0, not ${weightDecay}`],
    ]),
  })
}
