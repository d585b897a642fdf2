import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { mul } from "./mul.ts"
import { sub } from "./sub.ts"

/**
 * The logistic function, `1 / (1 + exp(−x))`.
 *
 * **Shapes** `S → S`. **Gradient** `dy·y·(1 − y)`. PyTorch's `sigmoid`.
 */
export const sigmoid: Unary = unary({
  name: "sigmoid",
  kernel: (x) => K.div(1, K.add(1, K.exp(K.neg(x)))),
  gradient: ({ y, dy }) => mul(dy, mul(y, sub(1, y))),
})
