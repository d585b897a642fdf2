import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"

/**
 * 1 where two tensors are equal, else 0, with broadcasting.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `0`. PyTorch's `eq`.
 */
export const equal: Binary<"equal"> = binary({
  name: "equal",
  kernel: (a, b) => K.select(K.compare("eq", a, b), 1, 0),
  gradient: () => [null, null],
})
