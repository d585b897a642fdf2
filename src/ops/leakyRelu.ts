import type { Shape } from "../shapes/Shape.ts"
import { greater } from "./greater.ts"
import { mul } from "./mul.ts"
import type { Tensor } from "./Tensor.ts"
import { where } from "./where.ts"

/**
 * Each element where it is positive, else a small part of it (0.01 when no `negativeSlope` is given).
 *
 * **Shapes** `S → S`. **Gradient** `dy` where `x > 0`, else `negativeSlope·dy`. PyTorch's `leakyRelu`.
 */
export const leakyRelu = <S extends Shape>(
  x: Tensor<S>,
  { negativeSlope = 0.01 }: { readonly negativeSlope?: number } = {},
): Tensor<S> =>
  // all three have the shape of `x`
  where(greater(x as Tensor, 0), x as Tensor, mul(x as Tensor, negativeSlope)) as Tensor<S>
