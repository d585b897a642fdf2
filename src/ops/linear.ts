import type { Contraction } from "../gpu/Contraction.ts"
import { type Linear as Rule, linear as rule } from "../shapes/linear.ts"
import { isRefusal, type Refuse, refuse } from "../shapes/Refusal.ts"
import { type Shape, type Show, show } from "../shapes/Shape.ts"
import { product } from "./matmul.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Checked, Result } from "./Result.ts"
import { sumTo } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

const known = (d: Shape[number] | undefined): number => (typeof d === "number" ? d : 0)

const rows = (shape: Shape): number =>
  shape.slice(0, -1).reduce<number>((n, d) => n * (typeof d === "number" ? d : 1), 1)

const op: Op.Primitive<object> = Op.primitive({
  name: "linear",
  shape: ([x = [], weight = [], bias]) => {
    if (weight.length !== 2) return refuse(`expects a weight [O, I] but is given ${show(weight)}`)
    const shape = rule(x, known(weight[1]), known(weight[0]))
    if (isRefusal(shape) || bias === undefined || bias.join() === String(weight[0])) return shape
    return refuse(`expects a bias of ${show(weight.slice(0, 1))} but is given ${show(bias)}`)
  },
  kernel: ({ inputs: [x = [], weight = [], bias] }): Contraction => {
    const [n = 1, k = 1] = weight
    const form = { batch: 1, m: rows(x), n, k, transposeA: false, transposeB: true, batchedA: false, batchedB: false }
    return { _tag: "Contraction", name: "linear", form: { _tag: "MatMul", ...form }, bias: bias !== undefined }
  },
  gradient: Op.vjp(({ inputs: [x, weight, bias], dy }) => {
    if (x === undefined || weight === undefined) return []
    const flat = (t: Tensor): Tensor => (t.shape.length === 2 ? t : reshapeTo(t, [rowsOf(t), t.shape.at(-1) ?? 1]))
    const dx = product(flat(dy), weight, false, false)
    const dweight = product(flat(dy), flat(x), true, false)
    return [
      dx.shape.length === x.shape.length ? dx : reshapeTo(dx, x.shape),
      dweight,
      ...(bias === undefined ? [] : [sumTo(dy, bias.shape)]),
    ]
  }),
})

/** the product of all dimensions but the last, symbolic where one of two is */
const rowsOf = (t: Tensor): number | string => {
  const names = t.shape.slice(0, -1).filter((d) => typeof d === "string")
  const [name] = names
  return names.length === 1 && name !== undefined && rows(t.shape) === 1 ? name : rows(t.shape)
}

/** the shape of a linear map of `X` by a weight `W`; unknown where the weight's is */
type Mapped<X, W> = W extends readonly [infer O, infer I]
  ? Rule<X, I & number, O & number>
  : number extends W["length" & keyof W]
    ? Shape
    : Refuse<`expects a weight [O, I] but is given ${Show<W>}`>

/**
 * `x · weightᵀ + bias` on the last dimension.
 *
 * **Shapes** `[…, I] × [O, I] (× [O]) → […, O]`. **Gradient** `dy·weight, dyᵀ·x, Σ dy`. PyTorch's `linear`.
 */
export const linear = <X extends Shape, W extends Shape>(
  x: Tensor<X>,
  weight: Checked<"linear", Mapped<X, NoInfer<W>>, Tensor<W>>,
  bias?: Tensor | null,
): Tensor<Result<Mapped<X, W>>> => {
  // the parameter's type is a sentence only where the call does not compile
  const matrix = weight as Tensor
  return Op.call(op, bias == null ? [x, matrix] : [x, matrix, bias], {})
}
