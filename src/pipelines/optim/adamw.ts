import { adamLike, type AdamOptions } from "./adam.ts"
import type { Optimizer } from "./Optimizer.ts"

/** Options of `adamw`, with PyTorch's defaults: those of `adam`, but `weightDecay` is decoupled, and 0.01 unless told. */
export interface AdamWOptions extends AdamOptions {}

/**
 * Adam with decoupled weight decay, as PyTorch has it (Loshchilov and Hutter, 2019).
 *
 * `p ← p · (1 − lr · λ)`, then the step of `adam` without decay. PyTorch's `optim.AdamW`.
 *
 * @example
 * Optim.adamw({ lr: 1e-3, weightDecay: 0.05 })
 */
export const adamw = (options: AdamWOptions = {}): Optimizer =>
  adamLike("adamw", { ...options, weightDecay: options.weightDecay ?? 0.01 }, "decoupled")
