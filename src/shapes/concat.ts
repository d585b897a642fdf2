import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type AddDim, addDim, type Dim, type FitsShape, fitsShape, type Rank, type Shape } from "./Shape.ts"
import { type Show, show, unknownDim } from "./Shape.ts"

/** Shapes: all sizes the same but that of dimension D, where they add up. */
export type Concat<L, D extends number> = L extends readonly [infer S extends Shape, ...infer R]
  ? number extends Rank<S>
    ? Shape
    : Axis<D, Rank<S>> extends infer A
      ? A extends number
        ? number extends A
          ? Shape
          : Join<R, D, A, [...S]>
        : NoAxis<S, D>
      : never
  : L extends readonly []
    ? Refuse<"there is nothing to join">
    : Shape
type Join<L, D extends number, A extends number, Z extends Shape> = L extends readonly [
  infer S extends Shape,
  ...infer R,
]
  ? number extends Rank<S>
    ? Shape
    : FitsShape<Put<Z, A, 0>, Put<S, A, 0>> extends true
      ? Join<R, D, A, Put<Z, A, AddDim<At<Z, A>, At<S, A>>>>
      : Refuse<`${Show<S>} does not join ${Show<Z>} along dimension ${D}`>
  : L extends readonly []
    ? Z
    : Shape
type At<S extends Shape, A extends number> = S[A] extends Dim ? S[A] : never
/** the shape with V as its dimension A */
export type Put<S, A, V extends Dim, Z extends Shape = []> = S extends readonly [infer H extends Dim, ...infer R]
  ? Put<R, A, V, [...Z, Z["length"] extends A ? V : H]>
  : Z

/** The shape of tensors joined along dimension `dim`. */
export const concat = (shapes: ReadonlyArray<Shape>, dim: number): Shape | Refusal => {
  const [first, ...rest] = shapes
  if (first === undefined) return refuse("there is nothing to join")
  const at = axis(dim, first.length)
  if (at === null) return noAxis(first, dim)
  let joined = first
  for (const s of rest) {
    if (!fitsShape(joined.with(at, 0), at < s.length ? s.with(at, 0) : s))
      return refuse(`${show(s)} does not join ${show(joined)} along dimension ${dim}`)
    joined = joined.with(at, addDim(joined[at] ?? unknownDim, s[at] ?? unknownDim))
  }
  return joined
}
