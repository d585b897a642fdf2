import * as K from "../../gpu/Kernel.ts"
import { firstRefusal, type LearningRate, make, type Optimizer } from "./Optimizer.ts"

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
}

/**
 * Adam, as PyTorch has it (Kingma and Ba, 2015).
 *
 * `g ← g + λp`; `m ← β₁m + (1 − β₁)g`; `v ← β₂v + (1 − β₂)g²`; `p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`, with
 * the corrections of step t computed in float64. PyTorch's `optim.Adam`.
 *
 * @example
 * Optim.adam({ lr: 1e-3 })
 */
export const adam = (options: AdamOptions = {}): Optimizer => {
  const { lr = 1e-3, betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options
  return make({
    name: "adam",
    learningRate: lr,
    slots: ["exp_avg", "exp_avg_sq"],
    scalars: [
      ["stepSize", (step, lr) => lr / (1 - beta1 ** step)],
      ["rootCorrection", (step) => 1 / Math.sqrt(1 - beta2 ** step)],
    ],
    update: ({ p, g: gradient, slot, scalar }) => {
      const g = weightDecay === 0 ? gradient : K.add(gradient, K.mul(p, weightDecay))
      const m = K.add(K.mul(slot("exp_avg"), beta1), K.mul(g, 1 - beta1))
      const v = K.add(K.mul(slot("exp_avg_sq"), beta2), K.mul(K.mul(g, g), 1 - beta2))
      const root = K.add(K.mul(K.sqrt(v), scalar("rootCorrection")), eps)
      return { p: K.sub(p, K.mul(scalar("stepSize"), K.div(m, root))), slots: [m, v] }
    },
    refusal: firstRefusal("adam", [
      [typeof lr === "function" || lr >= 0, `lr of at least 0, not ${String(lr)}`],
      [beta1 >= 0 && beta1 < 1, `betas[0] from 0 to below 1, not ${beta1}`],
      [beta2 >= 0 && beta2 < 1, `betas[1] from 0 to below 1, not ${beta2}`],
      [eps >= 0, `eps of at least 0, not ${eps}`],
      [weightDecay >= 0, `weightDecay of at least 0, not ${weightDecay}`],
    ]),
  })
}
