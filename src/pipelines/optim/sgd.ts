import * as K from "../../gpu/Kernel.ts"
import { type LearningRate, make, type Optimizer, optimizerRefusal } from "./Optimizer.ts"

/** Options of `sgd`, with PyTorch's defaults. Nesterov's momentum needs momentum, and no dampening. */
export type SgdOptions = {
  readonly lr: LearningRate
  readonly momentum?: number
  readonly weightDecay?: number
  /** goes up the gradient instead of down: false unless told */
  readonly maximize?: boolean
} & (
  | { readonly nesterov?: false; readonly dampening?: number }
  | {
      readonly nesterov: boolean
      readonly momentum: number
      readonly dampening?: 0
    }
)

/**
 * Stochastic gradient descent, with momentum and weight decay as PyTorch has them.
 *
 * `g ← g + λp`; `b ← μb + (1 − τ)g`, but `b ← g` at the first step; `p ← p − lr · b`, or `p − lr · (g + μb)` with
 * `nesterov`. PyTorch's `optim.SGD`.
 *
 * @example
 * Optim.sgd({ lr: 0.1, momentum: 0.9, weightDecay: 5e-4 })
 */
export const sgd = (options: SgdOptions): Optimizer => {
  const { lr, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, maximize = false } = options
  const decayed = (p: K.Value, given: K.Value) => {
    const g = maximize ? K.neg(given) : given
    return weightDecay === 0 ? g : K.add(g, K.mul(p, weightDecay))
  }
  return make({
    name: "sgd",
    learningRate: lr,
    slots: momentum === 0 ? [] : ["momentum_buffer"],
    scalars: [
      ["lr", (_, lr) => lr],
      // the buffer starts as zeros, so that a share of 1 makes it the gradient itself at the first step
      ["share", (step) => (step === 1 ? 1 : 1 - dampening)],
    ],
    update: ({ p, g: gradient, slot, scalar }) => {
      const g = decayed(p, gradient)
      if (momentum === 0) return { p: K.sub(p, K.mul(scalar("lr"), g)), slots: [] }
      const b = K.add(K.mul(slot("momentum_buffer"), momentum), K.mul(scalar("share"), g))
      const direction = nesterov ? K.add(g, K.mul(b, momentum)) : b
      return { p: K.sub(p, K.mul(scalar("lr"), direction)), slots: [b] }
    },
    refusal: optimizerRefusal("sgd", lr, [
      [momentum >= 0, `momentum of at least 0, not ${momentum}`],
      [weightDecay >= 0, `weightDecay of at least 0, not ${weightDecay}`],
      [Number.isFinite(dampening), `a finite dampening, not ${dampening}`],
      [!nesterov || (momentum > 0 && dampening === 0), "momentum above 0 and dampening 0 for nesterov"],
    ]),
  })
}
