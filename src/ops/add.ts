import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"

/**
 * The sum of two tensors, element by element, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy, dy`. PyTorch's `add`.
 */
export const add: Binary<"add"> = binary({
  name: "add",
  kernel: (a, b) => K.add(a, b),
  gradient: ({ dy }) => [dy, dy],
})
