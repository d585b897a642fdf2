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

/** what changes only how a layer is printed: a tensor here is never written over */
export interface Inplace {
  /** false when absent */
  readonly inplace?: boolean
}
/** the printed argument */
export const inplaceRepr = ({ inplace = false }: Inplace): string => (inplace ? "inplace=True" : "")
/** the same behind others */
export const inplaceMore = ({ inplace = false }: Inplace): string => (inplace ? ", inplace=True" : "")

/** The larger of each element and 0. **Shapes** `S → S`. PyTorch's `ReLU`. */
export const relu = (options: Inplace = {}): ReLU =>
  layer<ReLU>({
    kind: "relu",
    label: "relu",
    repr: `ReLU(${inplaceRepr(options)})`,
    rule: (input) => input,
    forward: pure((x) => op(x)),
  })
