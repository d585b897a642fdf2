import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"
import { square } from "./square.ts"

/**
 * One over the square root of each element.
 *
 * **Shapes** `S → S`. **Gradient** `−dy·y³/2`. PyTorch's `rsqrt`.
 */
export const rsqrt: Unary = unary({
  name: "rsqrt",
  kernel: (x) => K.div(1, K.sqrt(x)),
  gradient: ({ y, dy }) => mul(mul(dy, -0.5), mul(y, square(y))),
})
