import type { Shape } from "../shapes/Shape.ts"
import { mul } from "./mul.ts"
import { sigmoid } from "./sigmoid.ts"
import type { Tensor } from "./Tensor.ts"

/**
 * `x·sigmoid(x)`, also called swish.
 *
 * **Shapes** `S → S`. **Gradient** `dy·(σ + x·σ·(1 − σ))`. PyTorch's `silu`.
 */
export const silu = <S extends Shape>(x: Tensor<S>): Tensor<S> =>
  // element by element of `x`
  mul(x as Tensor, sigmoid(x as Tensor)) as Tensor<S>
