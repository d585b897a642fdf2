import { logSoftmax as op } from "../../ops/logSoftmax.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import type { SameRule } from "./relu.ts"

export interface LogSoftmax extends Layer {
  readonly kind: "logSoftmax"
  readonly "~": Typed<SameRule, object, "logSoftmax">
}

/** The logarithm of softmax along a dimension. **Shapes** `S → S`. PyTorch's `LogSoftmax`. */
export const logSoftmax = (dim: number): LogSoftmax =>
  layer<LogSoftmax>({
    kind: "logSoftmax",
    label: "logSoftmax",
    repr: `LogSoftmax(dim=${dim})`,
    rule: (input) => input,
    forward: pure((x) => op(x, dim)),
  })
