import { localResponseNorm as op, type LocalResponseNormOptions } from "../../ops/localResponseNorm.ts"
import { firstFault, notSize } from "../../shapes/size.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { float } from "./repr.ts"
import type { SameRule } from "./relu.ts"

export interface LocalResponseNorm extends Layer {
  readonly kind: "localResponseNorm"
  readonly "~": Typed<SameRule, object, "localResponseNorm">
}

/**
 * Each element over a power of its neighbourhood of `size` channels: `x / (k + alpha/size·Σ x²)^beta`.
 *
 * **Shapes** `[N, C, …] → [N, C, …]`. PyTorch's `LocalResponseNorm`; Krizhevsky, Sutskever and Hinton, 2012.
 *
 * @example
 * Nn.localResponseNorm(5, { k: 2 })
 */
export const localResponseNorm = (size: number, options: LocalResponseNormOptions = {}): LocalResponseNorm => {
  const fault = firstFault({ size: notSize(size) })
  return layer<LocalResponseNorm>({
    kind: "localResponseNorm",
    label: "localResponseNorm",
    repr: `LocalResponseNorm(${size}, alpha=${float(options.alpha ?? 1e-4)}, beta=${float(options.beta ?? 0.75)}, k=${float(options.k ?? 1)})`,
    rule: (input) => fault ?? input,
    forward: pure((x) => op(x, size, options)),
  })
}
