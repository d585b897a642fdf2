import { type Flatten as Rule, flatten as rule } from "../shapes/flatten.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<{ readonly startDim: number; readonly endDim: number }> = Op.primitive({
  name: "flatten",
  shape: ([x = []], { startDim, endDim }) => rule(x, startDim, endDim),
  kernel: () => "view",
  gradient: Op.linear((dy, { x }) => reshapeTo(dy, x.shape)),
})

/**
 * The dimensions from `startDim` to `endDim` made one: all but the first unless told.
 *
 * **Shapes** `[N, A, B, …] → [N, A·B·…]`. **Gradient** `dy` under the old shape. PyTorch's `flatten`, but from the
 * second dimension on unless told, as its layer does.
 */
export const flatten = <S extends Shape, const D extends number = 1, const E extends number = -1>(
  x: Tensor<S>,
  startDim?: D,
  endDim?: E,
): Tensor<Result<Rule<S, D, E>>> => Op.call(op, [x], { startDim: startDim ?? 1, endDim: endDim ?? -1 })
