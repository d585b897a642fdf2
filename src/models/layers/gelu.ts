import { gelu as op } from "../../ops/gelu.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface GELU extends Layer {
  readonly kind: "gelu"
  readonly "~": Typed<SameRule, object, "gelu">
}

/** Each element times the normal distribution below it. **Shapes** `S → S`. PyTorch's `GELU`. */
export const gelu = (options: { /** "none" when absent */ readonly approximate?: "none" | "tanh" } = {}): GELU =>
  layer<GELU>({
    kind: "gelu",
    label: "gelu",
    repr: `GELU(approximate='${options.approximate ?? "none"}')`,
    rule: (input) => input,
    forward: pure((x) => op(x, options)),
  })
