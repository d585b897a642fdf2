import { type Reshape as Rule, reshape as rule } from "../shapes/reshape.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import { notCount } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import type { Checked, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<{ readonly shape: Shape }> = Op.primitive({
  name: "reshape",
  shape: ([x], { shape }) => {
    const wrong = shape.find((d) => typeof d === "number" && d !== -1 && notCount(d) !== null)
    return wrong === undefined ? rule(x ?? [], shape) : refuse(`${wrong} is no size of ${show(shape)}`)
  },
  kernel: () => "view",
  gradient: Op.linear((dy, { x }) => reshapeTo(dy, x.shape)),
})

/** `x` under a shape known to hold as many elements */
export const reshapeTo = <S extends Shape>(x: Tensor, shape: S): Tensor<S> => Op.call(op, [x], { shape })

/**
 * The same elements, in row-major order, under another shape; one -1 is what remains.
 *
 * **Shapes** `S → T` with as many elements. **Gradient** `dy` under the old shape. PyTorch's `reshape`.
 *
 * @example
 * Ops.reshape(x, [2, -1])
 */
export const reshape = <S extends Shape, const T extends Shape>(
  x: Tensor<S>,
  shape: Checked<"reshape", Rule<S, T>, T>,
): Tensor<Result<Rule<S, T>>> =>
  // the parameter's type is a sentence only where the call does not compile
  Op.call(op, [x], { shape: shape as Shape })
