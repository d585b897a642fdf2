import * as K from "../../gpu/Kernel.ts"
import { type LearningRate, make, type Optimizer, optimizerRefusal } from "./Optimizer.ts"

/** Options of `adagrad`, with PyTorch's defaults. */
export interface AdagradOptions {
  /** 1e-2 unless told */
  readonly lr?: LearningRate
  /** the rate of step t is `lr / (1 + (t − 1) · lrDecay)`: 0 unless told */
  readonly lrDecay?: number
  /** added to the gradient (L2): 0 unless told */
  readonly weightDecay?: number
  /** what the sum of squares starts with: 0 unless told */
  readonly initialAccumulatorValue?: number
  /** added to the root, outside of it: 1e-10 unless told */
  readonly eps?: number
  /** goes up the gradient instead of down: false unless told */
  readonly maximize?: boolean
}

/**
 * Adagrad, as PyTorch has it (Duchi, Hazan and Singer, 2011).
 *
 * `g ← g + λp`; `s ← s + g²`; `p ← p − lr/(1 + (t − 1)δ) · g / (√s + ε)`. PyTorch's `optim.Adagrad`.
 *
 * @example
 * Optim.adagrad({ lr: 1e-2 })
 */
export const adagrad = (options: AdagradOptions = {}): Optimizer => {
  const { lr = 1e-2, lrDecay = 0, weightDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 } = options
  const { maximize = false } = options
  return make({
    name: "adagrad",
    learningRate: lr,
    slots: ["sum"],
    initial: { sum: initialAccumulatorValue },
    scalars: [["stepSize", (step, lr) => lr / (1 + (step - 1) * lrDecay)]],
    update: ({ p, g: given, slot, scalar }) => {
      const gradient = maximize ? K.neg(given) : given
      const g = weightDecay === 0 ? gradient : K.add(gradient, K.mul(p, weightDecay))
      const s = K.add(slot("sum"), K.mul(g, g))
      return { p: K.sub(p, K.mul(scalar("stepSize"), K.div(g, K.add(K.sqrt(s), eps)))), slots: [s] }
    },
    refusal: optimizerRefusal("adagrad", lr, [
      [lrDecay >= 0, `lrDecay of at least 0, not ${lrDecay}`],
      [weightDecay >= 0, `weightDecay of at least 0, not ${weightDecay}`],
      [initialAccumulatorValue >= 0, `initialAccumulatorValue of at least 0, not ${initialAccumulatorValue}`],
      [eps >= 0, `eps of at least 0, not ${eps}`],
    ]),
  })
}
