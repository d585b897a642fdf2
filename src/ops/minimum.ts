import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"
import { mul } from "./mul.ts"
import { prefers } from "./prefers.ts"

/**
 * The smaller of two numbers, element by element, with broadcasting; NaN where either is NaN.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy` to the chosen side, half to each where they are equal. PyTorch's `minimum`.
 */
export const minimum: Binary<"minimum"> = binary({
  name: "minimum",
  kernel: (a, b) => K.min(a, b),
  gradient: ({ a, b, dy }) => [mul(dy, prefers("le", a, b)), mul(dy, prefers("le", b, a))],
})
