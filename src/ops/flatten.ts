import { type Flatten as Rule, flatten as rule } from "../shapes/flatten.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<{ readonly startDim: number }> = Op.primitive({
  name: "flatten",
  shape: ([x = []], { startDim }) => rule(x, startDim),
  kernel: () => "view",
  gradient: Op.linear((dy, { x }) => reshapeTo(dy, x.shape)),
})

/**
 * All dimensions from `startDim` on (default: all but the first) made one.
 *
 * **Shapes** `[N, A, B, …] → [N, A·B·…]`. **Gradient** `dy` under the old shape. PyTorch's `flatten`.
 */
export const flatten = <S extends Shape, const D extends number = 1>(
  x: Tensor<S>,
  startDim?: D,
): Tensor<Result<Rule<S, D>>> => Op.call(op, [x], { startDim: startDim ?? 1 })
