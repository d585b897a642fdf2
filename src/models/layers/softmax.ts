import { softmax as op } from "../../ops/softmax.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Softmax extends Layer {
  readonly kind: "softmax"
  readonly "~": Typed<SameRule, object, "softmax">
}

/** Positive numbers that add up to 1 along a dimension. **Shapes** `S → S`. PyTorch's `Softmax`. */
export const softmax = (dim: number): Softmax =>
  layer<Softmax>({
    kind: "softmax",
    label: "softmax",
    repr: `Softmax(dim=${dim})`,
    rule: (input) => input,
    forward: pure((x) => op(x, dim)),
  })
