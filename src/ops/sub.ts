import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"
import { neg } from "./neg.ts"

/**
 * The difference of two tensors, element by element, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy, −dy`. PyTorch's `sub`.
 */
export const sub: Binary<"sub"> = binary({
  name: "sub",
  kernel: (a, b) => K.sub(a, b),
  gradient: ({ dy }) => [dy, neg(dy)],
})
