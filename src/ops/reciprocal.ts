import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { square } from "./square.ts"

/**
 * One over each element.
 *
 * **Shapes** `S → S`. **Gradient** `−dy·y²`. PyTorch's `reciprocal`.
 */
export const reciprocal: Unary = unary({
  name: "reciprocal",
  kernel: (x) => K.div(1, x),
  gradient: ({ y, dy }) => neg(mul(dy, square(y))),
})
