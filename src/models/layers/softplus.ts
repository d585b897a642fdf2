import { softplus as op } from "../../ops/softplus.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Softplus extends Layer {
  readonly kind: "softplus"
  readonly "~": Typed<SameRule, object, "softplus">
}

/** `log(1 + exp(beta·x))/beta` of each element. **Shapes** `S → S`. PyTorch's `Softplus`. */
export const softplus = (
  options: { /** 1 when absent */ readonly beta?: number; /** 20 when absent */ readonly threshold?: number } = {},
): Softplus =>
  layer<Softplus>({
    kind: "softplus",
    label: "softplus",
    repr: `Softplus(beta=${options.beta ?? 1}, threshold=${options.threshold ?? 20})`,
    rule: (input) => input,
    forward: pure((x) => op(x, options)),
  })
