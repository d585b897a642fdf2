import { relu6 as op } from "../../ops/relu6.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { type Inplace, inplaceRepr, type SameRule } from "./relu.ts"

export interface ReLU6 extends Layer {
  readonly kind: "relu6"
  readonly "~": Typed<SameRule, object, "relu6">
}

/** Each element held between 0 and 6. **Shapes** `S → S`. PyTorch's `ReLU6`. */
export const relu6 = (options: Inplace = {}): ReLU6 =>
  layer<ReLU6>({
    kind: "relu6",
    label: "relu6",
    repr: `ReLU6(${inplaceRepr(options)})`,
    rule: (input) => input,
    forward: pure((x) => op(x)),
  })
