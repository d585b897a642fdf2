import type { Shape } from "../shapes/Shape.ts"
import { amax } from "./amax.ts"
import { detach } from "./detach.ts"
import { exp } from "./exp.ts"
import { log } from "./log.ts"
import { sub } from "./sub.ts"
import { sum } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"
import * as Op from "./Op.ts"

/**
 * The logarithm of `softmax` along a dimension, without overflow.
 *
 * **Shapes** `S → S`. **Gradient** `dy − softmax(x)·Σ dy`. PyTorch's `logSoftmax`.
 */
export const logSoftmax = Op.composed("logSoftmax", <S extends Shape>(x: Tensor<S>, dim: number): Tensor<S> => {
  // nothing has no largest element
  if (x.shape.at(dim) === 0) return x
  const shift: Tensor = detach(amax(x as Tensor, { dim, keepDim: true }))
  const shifted = sub(x as Tensor, shift)
  const total: Tensor = log(sum(exp(shifted), { dim, keepDim: true }))
  return sub(shifted, total) as Tensor<S>
})
