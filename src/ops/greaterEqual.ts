import * as K from "../gpu/Kernel.ts"
import { type Binary, binary } from "./binary.ts"

/**
 * 1 where the first is at least the second, else 0, with broadcasting; 0 where either is NaN.
 *
 * **Shapes** `A × B → broadcast(A, B)`. **Gradient** `0`. PyTorch's `ge`.
 */
export const greaterEqual: Binary<"greaterEqual"> = binary({
  name: "greaterEqual",
  kernel: (a, b) => K.select(K.compare("ge", a, b), 1, 0),
  gradient: () => [null, null],
})
