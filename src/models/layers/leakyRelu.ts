import { leakyRelu as op } from "../../ops/leakyRelu.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { type Inplace, inplaceMore, type SameRule } from "./relu.ts"
import { float } from "./repr.ts"

export interface LeakyReLU extends Layer {
  readonly kind: "leakyRelu"
  readonly "~": Typed<SameRule, object, "leakyRelu">
}

/** Each element where it is positive, else a small part of it. **Shapes** `S → S`. PyTorch's `LeakyReLU`. */
export const leakyRelu = (
  options: { /** 0.01 when absent */ readonly negativeSlope?: number } & Inplace = {},
): LeakyReLU =>
  layer<LeakyReLU>({
    kind: "leakyRelu",
    label: "leakyRelu",
    repr: `LeakyReLU(negative_slope=${float(options.negativeSlope ?? 0.01)}${inplaceMore(options)})`,
    rule: (input) => input,
    forward: pure((x) => op(x, options)),
  })
