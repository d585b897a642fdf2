import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { greater } from "./greater.ts"
import { less } from "./less.ts"
import { mul } from "./mul.ts"
import { where } from "./where.ts"

/**
 * Each element held between 0 and 6.
 *
 * **Shapes** `S → S`. **Gradient** `dy` where `0 < x < 6`, else 0. PyTorch's `relu6`.
 */
export const relu6: Unary = unary({
  name: "relu6",
  kernel: (x) => K.min(K.max(x, 0), 6),
  gradient: ({ x, dy }) => where(mul(greater(x, 0), less(x, 6)), dy, 0),
})
