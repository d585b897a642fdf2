import * as K from "../../gpu/Kernel.ts"
import { type LearningRate, make, type Optimizer, optimizerRefusal } from "./Optimizer.ts"

/** Options of `rmsprop`, with PyTorch's defaults. */
export interface RmspropOptions {
  /** 1e-2 unless told */
  readonly lr?: LearningRate
  /** decay of the mean of the squared gradient: 0.99 unless told */
  readonly alpha?: number
  /** added to the root, outside of it: 1e-8 unless told */
  readonly eps?: number
  /** added to the gradient (L2): 0 unless told */
  readonly weightDecay?: number
  /** 0 unless told */
  readonly momentum?: number
  /** divides by the deviation from the mean gradient: false unless told */
  readonly centered?: boolean
  /** goes up the gradient instead of down: false unless told */
  readonly maximize?: boolean
}

/**
 * RMSprop, as PyTorch has it (Hinton; `centered` from Graves, 2013).
 *
 * `g ← g + λp`; `v ← αv + (1 − α)g²`; `d ← √v + ε`, or with `centered` `a ← αa + (1 − α)g` and `d ← √(v − a²) + ε`;
 * `p ← p − lr · g/d`, or with `momentum` `b ← μb + g/d` and `p ← p − lr · b`. Where rounding makes `v − a²` negative it
 * counts as 0. PyTorch's `optim.RMSprop`.
 *
 * @example
 * Optim.rmsprop({ lr: 1e-3, momentum: 0.9 })
 */
export const rmsprop = (options: RmspropOptions = {}): Optimizer => {
  const { lr = 1e-2, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false } = options
  const { maximize = false } = options
  return make({
    name: "rmsprop",
    learningRate: lr,
    slots: ["square_avg", ...(centered ? ["grad_avg"] : []), ...(momentum === 0 ? [] : ["momentum_buffer"])],
    scalars: [["lr", (_, lr) => lr]],
    update: ({ p, g: given, slot, scalar }) => {
      const gradient = maximize ? K.neg(given) : given
      const g = weightDecay === 0 ? gradient : K.add(gradient, K.mul(p, weightDecay))
      const v = K.add(K.mul(slot("square_avg"), alpha), K.mul(K.mul(g, g), 1 - alpha))
      const a = K.add(K.mul(slot("grad_avg"), alpha), K.mul(g, 1 - alpha))
      const spread = centered ? K.max(K.sub(v, K.mul(a, a)), 0) : v
      const scaled = K.div(g, K.add(K.sqrt(spread), eps))
      const b = momentum === 0 ? scaled : K.add(K.mul(slot("momentum_buffer"), momentum), scaled)
      return {
        p: K.sub(p, K.mul(scalar("lr"), b)),
        slots: [v, ...(centered ? [a] : []), ...(momentum === 0 ? [] : [b])],
      }
    },
    refusal: optimizerRefusal("rmsprop", lr, [
      [eps >= 0, `eps of at least 0, not ${eps}`],
      [momentum >= 0, `momentum of at least 0, not ${momentum}`],
      [weightDecay >= 0, `weightDecay of at least 0, not ${weightDecay}`],
      [alpha >= 0, `alpha of at least 0, not ${alpha}`],
    ]),
  })
}
