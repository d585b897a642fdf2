import { tanh as op } from "../../ops/tanh.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Tanh extends Layer {
  readonly kind: "tanh"
  readonly "~": Typed<SameRule, object, "tanh">
}

/** The hyperbolic tangent of each element. **Shapes** `S → S`. PyTorch's `Tanh`. */
export const tanh = (): Tanh =>
  layer<Tanh>({ kind: "tanh", label: "tanh", rule: (input) => input, forward: pure((x) => op(x)) })
