import type { Shape } from "../shapes/Shape.ts"
import { amax } from "./amax.ts"
import { detach } from "./detach.ts"
import { div } from "./div.ts"
import { exp } from "./exp.ts"
import { sub } from "./sub.ts"
import { sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * Positive numbers that add up to 1 along a dimension: `exp(x) / Σ exp(x)`, without overflow.
 *
 * **Shapes** `S → S`. **Gradient** `y·(dy − Σ dy·y)`. PyTorch's `softmax`.
 */
export const softmax = Op.composed("softmax", <S extends Shape>(x: Tensor<S>, dim: number): Tensor<S> => {
  // nothing has no largest element
  if (x.shape.at(dim) === 0) return x
  const shift: Tensor = detach(amax(x as Tensor, { dim, keepDim: true }))
  const weight = exp(sub(x as Tensor, shift))
  const total: Tensor = sum(weight, { dim, keepDim: true })
  // element by element of `x`
  return div(weight, total) as Tensor<S>
})
