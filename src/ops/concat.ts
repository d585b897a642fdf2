import * as K from "../gpu/Kernel.ts"
import { axis } from "../shapes/axis.ts"
import { type Concat as Rule, concat as rule } from "../shapes/concat.ts"
import * as Op from "./Op.ts"
import type { Checked, Result } from "./Result.ts"
import { slice } from "./slice.ts"
import type { Tensor } from "./Tensor.ts"

const op: Op.Primitive<{ readonly dim: number }> = Op.primitive({
  name: "concat",
  shape: (inputs, { dim }) => rule(inputs, dim),
  kernel: ({ inputs, at, attributes: { dim } }) => {
    const i = at[dim] ?? K.int(0)
    const ends = inputs.map((_, n) => inputs.slice(0, n + 1).reduce((sum, x) => sum + (x[dim] ?? 0), 0))
    const element = (n: number): K.Value =>
      K.load(
        n,
        at.map((j, d) => (d === dim ? K.isub(j, ends[n - 1] ?? 0) : j)),
      )
    // from the last to the first: each takes what lies before its end
    return [
      inputs
        .map((_, n) => n)
        .slice(0, -1)
        .reduceRight(
          (rest, n) => K.select(K.compareIndex("lt", i, ends[n] ?? 0), element(n), rest),
          element(inputs.length - 1),
        ),
    ]
  },
  gradient: Op.vjp(({ inputs, attributes: { dim }, dy }) => {
    let start = 0
    return inputs.map((x) => {
      const from = start
      start += Number(x.shape[dim])
      return slice(dy, dim, from, start)
    })
  }),
})

type Shapes<L> = { readonly [I in keyof L]: L[I] extends Tensor<infer S> ? S : never }

/**
 * Tensors joined along a dimension.
 *
 * **Shapes** all sizes equal but that of `dim`, which add up. **Gradient** the parts of `dy`. PyTorch's `cat`.
 *
 * @example
 * Ops.concat([x, y], 1)
 */
export const concat = <const L extends ReadonlyArray<Tensor>, const D extends number>(
  tensors: Checked<"concat", Rule<Shapes<L>, D>, L>,
  dim: D,
): Tensor<Result<Rule<Shapes<L>, D>>> => {
  // the parameter's type is a sentence only where the call does not compile
  const parts = tensors as ReadonlyArray<Tensor>
  return Op.call(op, parts, { dim: axis(dim, parts[0]?.shape.length ?? 0) ?? dim })
}
