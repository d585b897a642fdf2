import { flatten as op } from "../../ops/flatten.ts"
import { type Flatten as Shapes, flatten as shapes } from "../../shapes/flatten.ts"
import { type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"

export interface Flatten extends Layer {
  readonly kind: "flatten"
  readonly "~": Typed<FlattenRule, object, "flatten">
}
export interface FlattenRule extends Rule {
  readonly out: Shapes<this["in"]>
}

/** All dimensions but the first made one. **Shapes** `[N, A, B, …] → [N, A B …]`. PyTorch's `Flatten`. */
export const flatten = (): Flatten =>
  layer<Flatten>({
    kind: "flatten",
    label: "flatten",
    repr: "Flatten(start_dim=1, end_dim=-1)",
    rule: (input) => shapes(input),
    forward: pure((x) => op(x)),
  })
