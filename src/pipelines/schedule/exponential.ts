import { finite, make, rate, type Schedule } from "./make.ts"

/**
 * `lr · γᵗ` after t steps. PyTorch's `ExponentialLR`.
 *
 * @example
 * Optim.schedule.exponential({ lr: 0.1, gamma: 0.999 })
 */
export const exponential = ({ lr, gamma }: { readonly lr: number; readonly gamma: number }): Schedule =>
  make("exponential", [rate("lr", lr), finite("gamma", gamma)], (t) => lr * gamma ** t)
