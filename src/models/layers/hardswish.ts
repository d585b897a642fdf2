import { hardswish as op } from "../../ops/hardswish.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Hardswish extends Layer {
  readonly kind: "hardswish"
  readonly "~": Typed<SameRule, object, "hardswish">
}

/** `x·relu6(x + 3)/6` of each element. **Shapes** `S → S`. PyTorch's `Hardswish`. */
export const hardswish = (): Hardswish =>
  layer<Hardswish>({ kind: "hardswish", label: "hardswish", rule: (input) => input, forward: pure((x) => op(x)) })
