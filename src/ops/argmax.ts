import * as K from "../gpu/Kernel.ts"
import { type Reduce, reduce } from "../shapes/reduce.ts"
import type { Shape } from "../shapes/Shape.ts"
import { nothingIn } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import type { Result } from "./Result.ts"
import { type Reduction, reducedDims, reduction } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<Reduction> = Op.primitive({
  name: "argmax",
  shape: ([x = []], { dims, keepDim }) =>
    nothingIn(
      x,
      dims.map((d) => x[d]),
      "compare",
    ) ?? reduce(x, dims, keepDim),
  kernel: ({ inputs: [x = []], at, attributes }) => {
    const { axes, point } = reduction(x, attributes, at)
    return [K.argmax(axes, K.load(0, point))]
  },
  gradient: Op.none("a position does not change with small changes of the elements"),
})

/**
 * The position of the largest element along a dimension, or among all elements in row-major order when none is named,
 * as a float: the first of equals, and NaN wins.
 *
 * **Shapes** `S → S` without the dimension, or with 1 in its place (`keepDim`). **Gradient** none. PyTorch's `argmax`.
 *
 * @example
 * Ops.argmax(logits, 1) // [N, 10] → [N]
 */
export const argmax = <
  S extends Shape,
  const D extends number | undefined = undefined,
  const Keep extends boolean = false,
>(
  x: Tensor<S>,
  dim?: D,
  { keepDim }: { readonly keepDim?: Keep } = {},
): Tensor<Result<Reduce<S, D extends number ? D : "all", Keep>>> =>
  Op.call(op, [x], { dims: reducedDims(x.shape, dim === undefined ? {} : { dim }), keepDim: keepDim ?? false })
