import type { Contraction } from "../gpu/Contraction.ts"
import { type Matmul as Rule, matmul as rule } from "../shapes/matmul.ts"
import { isRefusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import { expandTo, sumTo } from "./sum.ts"
import type { Checked, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

interface Transposes {
  readonly transposeA: boolean
  readonly transposeB: boolean
}

const flip = (shape: Shape, transposed: boolean): Shape =>
  transposed ? [...shape.slice(0, -2), ...shape.slice(-2).toReversed()] : shape

/** matrices of equal batch dimensions; either may be without any */
const op: Op.Primitive<Transposes> = Op.primitive({
  name: "matmul",
  shape: ([a, b], { transposeA, transposeB }) => rule(flip(a ?? [], transposeA), flip(b ?? [], transposeB)),
  kernel: ({ inputs: [a = [], b = []], output, attributes }): Contraction => {
    const batch = output.slice(0, -2).reduce((n, d) => n * d, 1)
    const [m = 1, n = 1] = output.slice(-2)
    const k = a.at(attributes.transposeA ? -2 : -1) ?? 1
    const form = { ...attributes, batch, m, n, k, batchedA: a.length > 2, batchedB: b.length > 2 }
    return { _tag: "Contraction", name: "matmul", form: { _tag: "MatMul", ...form }, bias: false }
  },
  // with y = a·b: da = dy·bᵀ and db = aᵀ·dy, each transposed where the operand was
  gradient: Op.vjp(({ inputs: [a, b], attributes: { transposeA, transposeB }, dy }) => {
    if (a === undefined || b === undefined) return []
    const da = transposeA ? product(b, dy, transposeB, true) : product(dy, b, false, !transposeB)
    const db = transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false)
    return [sumTo(da, a.shape), sumTo(db, b.shape)]
  }),
})

/** `a · b` of the last two dimensions of each, either transposed; batch dimensions equal, or absent from one */
export const product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
  Op.call(op, [a, b], { transposeA, transposeB })

/**
 * The product of matrices; the dimensions before the last two broadcast. A vector is a row on the left and a column on
 * the right, whose dimension of size 1 the result does not have.
 *
 * **Shapes** `[…, M, K] × […, K, N] → […, M, N]`, `[K] × […, K, N] → […, N]`, `[…, M, K] × [K] → […, M]`.
 * **Gradient** `dy·bᵀ, aᵀ·dy`. PyTorch's `matmul`.
 */
export const matmul = <A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Checked<"matmul", Rule<A, NoInfer<B>>, Tensor<B>>,
): Tensor<Result<Rule<A, B>>> => {
  // the parameter's type is a sentence only where the call does not compile
  const second = b as Tensor
  const shape = rule(a.shape, second.shape)
  // the rule as a value computes the shape that the rule as a type says, and the op's own rule refuses the same
  if (isRefusal(shape)) return product(a, second, false, false) as Tensor<Result<Rule<A, B>>>
  const left: Tensor = a.shape.length === 1 ? reshapeTo(a, [1, ...a.shape]) : a
  const right: Tensor = second.shape.length === 1 ? reshapeTo(second, [...second.shape, 1]) : second
  const vectors = (left === a ? 0 : 1) + (right === second ? 0 : 1)
  const batch = shape.slice(0, shape.length - 2 + vectors)
  const spread = (x: Tensor): Tensor => {
    const own = x.shape.slice(0, -2)
    const fits = own.length === 0 || (own.length === batch.length && own.every((d, i) => d === batch[i]))
    return fits ? x : expandTo(x, [...batch, ...x.shape.slice(-2)])
  }
  const y = product(spread(left), spread(right), false, false)
  return (vectors === 0 ? y : reshapeTo(y, shape)) as Tensor<Result<Rule<A, B>>>
}
