import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"
import { square } from "./square.ts"
import { sub } from "./sub.ts"

/**
 * The hyperbolic tangent.
 *
 * **Shapes** `S → S`. **Gradient** `dy·(1 − y²)`. PyTorch's `tanh`.
 */
export const tanh: Unary = unary({
  name: "tanh",
  kernel: (x) => K.tanh(x),
  gradient: ({ y, dy }) => mul(dy, sub(1, square(y))),
})
