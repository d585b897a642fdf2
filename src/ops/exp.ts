import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"

/**
 * The exponential of each element.
 *
 * **Shapes** `S → S`. **Gradient** `dy·y`. PyTorch's `exp`.
 */
export const exp: Unary = unary({
  name: "exp",
  kernel: (x) => K.exp(x),
  gradient: ({ y, dy }) => mul(dy, y),
})
