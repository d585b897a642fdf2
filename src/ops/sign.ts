import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"

/**
 * −1, 0 or 1 by the sign of each element.
 *
 * **Shapes** `S → S`. **Gradient** `0`. PyTorch's `sign`.
 */
export const sign: Unary = unary({
  name: "sign",
  kernel: (x) => K.select(K.compare("gt", x, 0), 1, K.select(K.compare("lt", x, 0), -1, 0)),
  gradient: ({ dy }) => mul(dy, 0),
})
