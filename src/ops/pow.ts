import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"
import { equal } from "./equal.ts"
import { log } from "./log.ts"
import { mul } from "./mul.ts"
import { sub } from "./sub.ts"
import { where } from "./where.ts"

/**
 * The first to the power of the second, element by element, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy·b·a^(b−1), dy·y·log(a)`, the second 0 where `a = 0`. PyTorch's `pow`.
 */
export const pow: Binary<"pow"> = binary({
  name: "pow",
  kernel: (a, b) => K.pow(a, b),
  gradient: ({ a, b, y, dy }) => [
    where(equal(b, 0), 0, mul(mul(dy, b), pow(a, sub(b, 1)))),
    where(equal(a, 0), 0, mul(mul(dy, y), log(a))),
  ],
})
