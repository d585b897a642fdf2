import { silu as op } from "../../ops/silu.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { type Inplace, inplaceRepr, type SameRule } from "./relu.ts"

export interface SiLU extends Layer {
  readonly kind: "silu"
  readonly "~": Typed<SameRule, object, "silu">
}

/** Each element times its logistic function. **Shapes** `S → S`. PyTorch's `SiLU`. */
export const silu = (options: Inplace = {}): SiLU =>
  layer<SiLU>({
    kind: "silu",
    label: "silu",
    repr: `SiLU(${inplaceRepr(options)})`,
    rule: (input) => input,
    forward: pure((x) => op(x)),
  })
