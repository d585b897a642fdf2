import * as K from "../gpu/Kernel.ts"
import type { Shape } from "../shapes/Shape.ts"
import { unary, type Unary } from "./elementwise.ts"
import { greater } from "./greater.ts"
import { mul } from "./mul.ts"
import { sigmoid } from "./sigmoid.ts"
import type { Tensor } from "./Tensor.ts"
import { where } from "./where.ts"

/**
 * `log(1 + exp(x))` without overflow.
 *
 * **Shapes** `S → S`. **Gradient** `dy·sigmoid(x)`.
 */
export const logOnePlusExp: Unary = unary({
  name: "softplus",
  kernel: (x) => K.add(K.max(x, 0), K.log(K.add(1, K.exp(K.neg(K.abs(x)))))),
  gradient: ({ x, dy }) => mul(dy, sigmoid(x)),
})

/**
 * `log(1 + exp(beta·x)) / beta`; `x` itself where `beta·x` is above the threshold.
 *
 * **Shapes** `S → S`. **Gradient** `dy·sigmoid(beta·x)`. PyTorch's `softplus`.
 */
export const softplus = <S extends Shape>(
  x: Tensor<S>,
  { beta = 1, threshold = 20 }: { readonly beta?: number; readonly threshold?: number } = {},
): Tensor<S> => {
  const scaled: Tensor = mul(x as Tensor, beta)
  // element by element of `x`
  return where(greater(scaled, threshold), x as Tensor, mul(logOnePlusExp(scaled), 1 / beta)) as Tensor<S>
}
