import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<object> = Op.primitive({
  name: "detach",
  shape: ([x]) => x ?? [],
  kernel: () => "view",
  gradient: Op.zero,
})

/**
 * The same numbers, as a constant to differentiation.
 *
 * **Shapes** `S → S`. **Gradient** `0`. PyTorch's `detach`.
 */
export const detach = <S extends Shape>(x: Tensor<S>): Tensor<S> => Op.call(op, [x], {})
