import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"
import { mul } from "./mul.ts"
import { neg } from "./neg.ts"

/**
 * The quotient of two tensors, element by element, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy/b, −dy·y/b`. PyTorch's `div`.
 */
export const div: Binary<"div"> = binary({
  name: "div",
  kernel: (a, b) => K.div(a, b),
  gradient: ({ b, y, dy }) => [div(dy, b), neg(div(mul(dy, y), b))],
})
