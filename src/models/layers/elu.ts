import { elu as op } from "../../ops/elu.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { type Inplace, inplaceMore, type SameRule } from "./relu.ts"
import { float } from "./repr.ts"

export interface ELU extends Layer {
  readonly kind: "elu"
  readonly "~": Typed<SameRule, object, "elu">
}

/** Each element where it is positive, else `alpha·(exp(x) − 1)`. **Shapes** `S → S`. PyTorch's `ELU`. */
export const elu = (options: { /** 1 when absent */ readonly alpha?: number } & Inplace = {}): ELU =>
  layer<ELU>({
    kind: "elu",
    label: "elu",
    repr: `ELU(alpha=${float(options.alpha ?? 1)}${inplaceMore(options)})`,
    rule: (input) => input,
    forward: pure((x) => op(x, options)),
  })
