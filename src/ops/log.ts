import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { div } from "./div.ts"

/**
 * The natural logarithm of each element: −∞ for 0, NaN below.
 *
 * **Shapes** `S → S`. **Gradient** `dy/x`. PyTorch's `log`.
 */
export const log: Unary = unary({
  name: "log",
  kernel: (x) => K.log(x),
  gradient: ({ x, dy }) => div(dy, x),
})
