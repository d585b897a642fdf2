import * as K from "../gpu/Kernel.ts"
import { unary, type Unary } from "./elementwise.ts"

/**
 * The negative of each element.
 *
 * **Shapes** `S → S`. **Gradient** `−dy`. PyTorch's `neg`.
 */
export const neg: Unary = unary({
  name: "neg",
  kernel: (x) => K.neg(x),
  gradient: ({ dy }) => neg(dy),
})
