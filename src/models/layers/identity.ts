import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface Identity extends Layer {
  readonly kind: "identity"
  readonly "~": Typed<SameRule, object, "identity">
}

/** The input itself. **Shapes** `S → S`. PyTorch's `Identity`. */
export const identity = (): Identity =>
  layer<Identity>({ kind: "identity", label: "identity", rule: (input) => input, forward: pure((x) => x) })
