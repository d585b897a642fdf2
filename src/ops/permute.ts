import * as K from "../gpu/Kernel.ts"
import { axis } from "../shapes/axis.ts"
import { type Permute as Rule, permute as rule } from "../shapes/permute.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Checked, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<{ readonly dims: ReadonlyArray<number> }> = Op.primitive({
  name: "permute",
  shape: ([x = []], { dims }) => rule(x, dims),
  kernel: ({ at, attributes: { dims } }) => [
    K.load(
      0,
      inverse(dims).map((d) => at[d] ?? K.int(0)),
    ),
  ],
  gradient: Op.linear((dy, { attributes: { dims } }) => Op.call(op, [dy], { dims: inverse(dims) })),
})

const inverse = (dims: ReadonlyArray<number>): ReadonlyArray<number> => dims.map((_, d) => dims.indexOf(d))

/**
 * The dimensions in another order: dimension `i` of the result is dimension `dims[i]` of `x`.
 *
 * **Shapes** `S → S` permuted. **Gradient** `dy` permuted back. PyTorch's `permute`.
 *
 * @example
 * Ops.permute(x, [0, 3, 1, 2]) // [N, H, W, C] → [N, C, H, W]
 */
export const permute = <S extends Shape, const D extends ReadonlyArray<number>>(
  x: Tensor<S>,
  dims: Checked<"permute", Rule<S, D>, D>,
): Tensor<Result<Rule<S, D>>> => {
  // the parameter's type is a sentence only where the call does not compile
  const order = dims as ReadonlyArray<number>
  return Op.call(op, [x], { dims: order.map((d) => axis(d, x.shape.length) ?? d) })
}
