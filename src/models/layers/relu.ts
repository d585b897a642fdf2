import { relu as op } from "../../ops/relu.ts"
import { type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"

export interface ReLU extends Layer {
  readonly kind: "relu"
  readonly "~": Typed<SameRule, object, "relu">
}
/** the shape stays */
export interface SameRule extends Rule {
  readonly out: this["in"]
}

/** The larger of each element and 0. **Shapes** `S → S`. PyTorch's `ReLU`. */
export const relu = (): ReLU =>
  layer<ReLU>({ kind: "relu", label: "relu", rule: (input) => input, forward: pure((x) => op(x)) })
