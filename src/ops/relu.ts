import * as K from "../gpu/Kernel.ts"
import { elementwise, unary, type Unary } from "./elementwise.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

const gate: Op.Primitive<object> = elementwise({
  name: "reluGradient",
  kernel: ([dy = K.constant(0), y = K.constant(0)]) => K.select(K.compare("le", y, 0), 0, dy),
  gradient: Op.vjp(({ inputs, dy }) => [inputs[1] === undefined ? null : gated(dy, inputs[1]), null]),
})

/** `dy` where `y > 0`, else 0 */
const gated = (dy: Tensor, y: Tensor): Tensor => Op.call(gate, [dy, y], {})

/**
 * The larger of each element and 0; NaN stays NaN.
 *
 * **Shapes** `S → S`. **Gradient** `dy` where `x > 0`, else 0 (at 0 too). PyTorch's `relu`.
 */
export const relu: Unary = unary({
  name: "relu",
  kernel: (x) => K.max(x, 0),
  gradient: ({ y, dy }) => gated(dy, y),
})
