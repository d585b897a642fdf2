import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { add } from "./add.ts"
import { less } from "./less.ts"
import { lessEqual } from "./lessEqual.ts"
import { mul } from "./mul.ts"
import { where } from "./where.ts"

/**
 * `x · relu6(x + 3) / 6`.
 *
 * **Shapes** `S → S`. **Gradient** `dy·(x/3 + ½)` where `−3 ≤ x ≤ 3`, 0 below, `dy` above. PyTorch's `hardswish`.
 */
export const hardswish: Unary = unary({
  name: "hardswish",
  kernel: (x) => K.div(K.mul(x, K.min(K.max(K.add(x, 3), 0), 6)), 6),
  gradient: ({ x, dy }) => where(less(x, -3), 0, where(lessEqual(x, 3), mul(dy, add(mul(x, 1 / 3), 0.5)), dy)),
})
