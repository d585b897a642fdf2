import * as K from "../gpu/Kernel.ts"
import { type Reduce, reduce } from "../shapes/reduce.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Result } from "./Result.ts"
import { type Reduction, reducedDims, reduction } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<Reduction> = Op.primitive({
  name: "argmax",
  shape: ([x = []], { dims, keepDim }) => reduce(x, dims, keepDim),
  kernel: ({ inputs: [x = []], at, attributes }) => {
    const { axes, point } = reduction(x, attributes, at)
    return [K.argmax(axes, K.load(0, point))]
  },
  gradient: Op.none("a position does not change with small changes of the elements"),
})

/**
 * The position of the largest element along a dimension, as a float: the first of equals, and NaN wins.
 *
 * **Shapes** `S → S` without the dimension. **Gradient** none. PyTorch's `argmax`.
 *
 * @example
 * Ops.argmax(logits, 1) // [N, 10] → [N]
 */
export const argmax = <S extends Shape, const D extends number>(x: Tensor<S>, dim: D): Tensor<Result<Reduce<S, D>>> =>
  Op.call(op, [x], { dims: reducedDims(x.shape, { dim }), keepDim: false })
