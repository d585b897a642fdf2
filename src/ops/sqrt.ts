import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { div } from "./div.ts"
import { mul } from "./mul.ts"

/**
 * The square root of each element.
 *
 * **Shapes** `S → S`. **Gradient** `dy/(2y)`. PyTorch's `sqrt`.
 */
export const sqrt: Unary = unary({
  name: "sqrt",
  kernel: (x) => K.sqrt(x),
  gradient: ({ y, dy }) => div(mul(dy, 0.5), y),
})
