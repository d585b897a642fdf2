import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"

/**
 * The square of each element.
 *
 * **Shapes** `S → S`. **Gradient** `2·dy·x`. PyTorch's `square`.
 */
export const square: Unary = unary({
  name: "square",
  kernel: (x) => K.mul(x, x),
  gradient: ({ x, dy }) => mul(mul(dy, x), 2),
})
