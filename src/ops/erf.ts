import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"
import { exp } from "./exp.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"
import { square } from "./square.ts"

/**
 * The error function, `2/√π ∫₀ˣ exp(−t²) dt`.
 *
 * **Shapes** `S → S`. **Gradient** `dy·2/√π·exp(−x²)`. PyTorch's `erf`.
 */
export const erf: Unary = unary({
  name: "erf",
  kernel: (x) => K.erf(x),
  gradient: ({ x, dy }) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
})
