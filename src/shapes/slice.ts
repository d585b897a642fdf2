import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import type { Put } from "./concat.ts"
import type { Add, Cmp, FloorDiv, Sub } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Rank, type Shape, show, unknownDim } from "./Shape.ts"

/**
 * Shapes: dimension D becomes what is from Start to before End in steps of Step. Negative positions count from the end,
 * and what is beyond either end is not there, as in Python; `null` for End is the end.
 */
export type Slice<
  S,
  D extends number,
  Start extends number = 0,
  End extends number | null = null,
  Step extends number = 1,
> =
  number extends Rank<S>
    ? Shape
    : Axis<D, Rank<S>> extends infer A
      ? A extends number
        ? number extends A
          ? Shape
          : S extends Shape
            ? IsStep<Step> extends true
              ? Put<S, A, Part<S[A], Start, End, Step>>
              : Refuse<`${Step} is no step of a slice: 1, 2, 3, ...`>
            : never
        : NoAxis<S, D>
      : never
type IsStep<Step extends number> = `${Step}` extends `-${string}` | `${string}.${string}` | "0" ? false : true
type Part<N, Start extends number, End extends number | null, Step extends number> = [Start, End, Step] extends [
  0,
  null,
  1,
]
  ? N & Dim
  : N extends number
    ? number extends N | Start | End | Step
      ? number
      : Count<Position<N, Start>, End extends number ? Position<N, End> : N, Step>
    : number
/** a position in a dimension of size N: counted from the end when negative, and never outside of it */
type Position<N extends number, I extends number> = `${I}` extends `-${infer A extends number}`
  ? Cmp<A, N> extends ">"
    ? 0
    : Sub<N, A>
  : Cmp<I, N> extends ">"
    ? N
    : I
type Count<From extends number, To extends number, Step extends number> =
  Cmp<From, To> extends "<" ? FloorDiv<Add<Sub<To, From>, Sub<Step, 1>>, Step> : 0

/** the elements `start`, `start + step`, … before `end` of a dimension of `size`: the first, and how many */
export const range = (
  size: number,
  start: number,
  end: number | null,
  step: number,
): { readonly first: number; readonly count: number } => {
  const position = (i: number): number => Math.min(size, Math.max(0, i < 0 ? i + size : i))
  const [from, to] = [position(start), position(end ?? size)]
  return { first: from, count: Math.max(0, Math.ceil((to - from) / step)) }
}

/** The shape of the elements from `start` to before `end` of dimension `dim`, as Python slices. */
export const slice = (
  s: Shape,
  dim: number,
  start: number = 0,
  end: number | null = null,
  step: number = 1,
): Shape | Refusal => {
  const at = axis(dim, s.length)
  if (at === null) return noAxis(s, dim)
  if (!Number.isSafeInteger(step) || step < 1) return refuse(`${step} is no step of a slice: 1, 2, 3, ...`)
  if (start === 0 && end === null && step === 1) return s
  const size: Dim = s[at] ?? unknownDim
  if (typeof size === "string") return s.with(at, unknownDim)
  const wrong = [start, end ?? 0].find((i) => !Number.isSafeInteger(i))
  if (wrong !== undefined) return refuse(`${wrong} is no position in dimension ${dim} of ${show(s)}`)
  return s.with(at, range(size, start, end, step).count)
}
