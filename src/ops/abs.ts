import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"
import { sign } from "./sign.ts"

/**
 * The absolute value of each element.
 *
 * **Shapes** `S → S`. **Gradient** `dy·sign(x)`. PyTorch's `abs`.
 */
export const abs: Unary = unary({
  name: "abs",
  kernel: (x) => K.abs(x),
  gradient: ({ x, dy }) => mul(dy, sign(x)),
})
