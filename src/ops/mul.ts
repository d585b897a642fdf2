import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"

/**
 * The product of two tensors, element by element, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy·b, dy·a`. PyTorch's `mul`.
 */
export const mul: Binary<"mul"> = binary({
  name: "mul",
  kernel: (a, b) => K.mul(a, b),
  gradient: ({ a, b, dy }) => [mul(dy, b), mul(dy, a)],
})
