import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"
import { mul } from "./mul.ts"
import { prefers } from "./prefers.ts"

/**
 * The larger of two numbers, element by element, with broadcasting; NaN where either is NaN.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `dy` to the chosen side, half to each where they are equal. PyTorch's `maximum`.
 */
export const maximum: Binary<"maximum"> = binary({
  name: "maximum",
  kernel: (a, b) => K.max(a, b),
  gradient: ({ a, b, dy }) => [mul(dy, prefers("ge", a, b)), mul(dy, prefers("ge", b, a))],
})
