import { sigmoid as op } from "../../ops/sigmoid.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Sigmoid extends Layer {
  readonly kind: "sigmoid"
  readonly "~": Typed<SameRule, object, "sigmoid">
}

/** The logistic function of each element. **Shapes** `S → S`. PyTorch's `Sigmoid`. */
export const sigmoid = (): Sigmoid =>
  layer<Sigmoid>({ kind: "sigmoid", label: "sigmoid", rule: (input) => input, forward: pure((x) => op(x)) })
