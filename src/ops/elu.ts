import type { Shape } from "../shapes/Shape.ts"
import { exp } from "./exp.ts"
import { greater } from "./greater.ts"
import { mul } from "./mul.ts"
import { sub } from "./sub.ts"
import type { Tensor } from "./Tensor.ts"
import { where } from "./where.ts"

/**
 * Each element where it is positive, else `alpha·(exp(x) − 1)` (`alpha` is 1 when not given).
 *
 * **Shapes** `S → S`. **Gradient** `dy` where `x > 0`, else `dy·alpha·exp(x)`. PyTorch's `elu`.
 */
export const elu = <S extends Shape>(x: Tensor<S>, { alpha = 1 }: { readonly alpha?: number } = {}): Tensor<S> => {
  const t: Tensor = x
  const above = greater(t, 0)
  // the side that is not taken must not overflow: its gradient would be 0 · ∞
  const below = mul(sub(exp(where(above, 0, t)), 1), alpha)
  // all three have the shape of `x`
  return where(above, t, below) as Tensor<S>
}
