import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import type { Put } from "./concat.ts"
import type { Cmp, Sub } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Rank, type Shape, type Show, show } from "./Shape.ts"

/** Shapes: dimension D becomes End - Start. */
export type Slice<S, D extends number, Start extends number, End extends number> =
  number extends Rank<S>
    ? Shape
    : Axis<D, Rank<S>> extends infer A
      ? A extends number
        ? number extends A
          ? Shape
          : S extends Shape
            ? number extends Start | End
              ? Put<S, A, number>
              : Inside<S[A], Start, End> extends true
                ? Put<S, A, Sub<End, Start>>
                : Refuse<`there is no ${Start} to ${End} in dimension ${D} of ${Show<S>}`>
            : never
        : NoAxis<S, D>
      : never
type Inside<N, Start extends number, End extends number> =
  Cmp<Start, End> extends ">" ? false : N extends number ? (number extends N ? true : Upto<N, End>) : true
type Upto<N extends number, End extends number> = Cmp<End, N> extends ">" ? false : true

/** The shape of the elements `start` to before `end` of dimension `dim`; of a named size that is checked when bound. */
export const slice = (s: Shape, dim: number, start: number, end: number): Shape | Refusal => {
  const at = axis(dim, s.length)
  if (at === null) return noAxis(s, dim)
  const size: Dim | undefined = s[at]
  return start > end || (typeof size === "number" && end > size)
    ? refuse(`there is no ${start} to ${end} in dimension ${dim} of ${show(s)}`)
    : s.with(at, end - start)
}
