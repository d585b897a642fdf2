import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import type { Cmp } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Numel, numel, type Rank, type Shape, type Show, show } from "./Shape.ts"

/** Shapes: `[N, A, B, …] → [N, A B …]`, or from dimension Start to dimension End; a scalar becomes `[1]`. */
export type Flatten<S, Start extends number = 1, End extends number = -1> = End extends -1
  ? number extends Rank<S>
    ? Start extends 1
      ? [number, number]
      : Shape
    : S extends readonly []
      ? Scalar<S, Start, -1>
      : From<S, Start, Axis<Start, Rank<S>>>
  : number extends Rank<S> | Start | End
    ? Shape
    : S extends readonly []
      ? Scalar<S, Start, End>
      : Between<S, Start, End, Axis<Start, Rank<S>>, Axis<End, Rank<S>>>
type Scalar<S, Start extends number, End extends number> = Start extends 0 | -1
  ? End extends 0 | -1
    ? [1]
    : NoAxis<S, End>
  : NoAxis<S, Start>
type Between<S, Start extends number, End extends number, A, B> = A extends number
  ? B extends number
    ? Cmp<A, B> extends ">"
      ? Refuse<`dimension ${Start} comes after dimension ${End} in ${Show<S>}`>
      : Cut<S, A, B>
    : NoAxis<S, End>
  : NoAxis<S, Start>
/** what is before, what becomes one, and what is after */
type Cut<
  S,
  A,
  B,
  Before extends Shape = [],
  Inside extends Shape = [],
  I extends ReadonlyArray<0> = [],
> = S extends readonly [infer H extends Dim, ...infer R extends Shape]
  ? I["length"] extends B
    ? [...Before, Numel<[...Inside, H]>, ...R]
    : I["length"] extends A
      ? Cut<R, A, B, Before, [H], [...I, 0]>
      : Inside extends readonly []
        ? Cut<R, A, B, [...Before, H], [], [...I, 0]>
        : Cut<R, A, B, Before, [...Inside, H], [...I, 0]>
  : never
type From<S, Start extends number, A> = null extends A ? NoAxis<S, Start> : number extends A ? Shape : Split<S, A>
type Split<S, A, Z extends Shape = []> = Z["length"] extends A
  ? [...Z, Numel<S>]
  : S extends readonly [infer H extends Dim, ...infer R]
    ? Split<R, A, [...Z, H]>
    : never

/** The shape with the dimensions from `startDim` to `endDim` made one: all from the second on unless told. */
export const flatten = (s: Shape, startDim: number = 1, endDim: number = -1): Shape | Refusal => {
  // PyTorch takes a scalar for one element
  const [from, to] = [axis(startDim, s.length || 1), axis(endDim, s.length || 1)]
  if (from === null) return noAxis(s, startDim)
  if (to === null) return noAxis(s, endDim)
  if (from > to) return refuse(`dimension ${startDim} comes after dimension ${endDim} in ${show(s)}`)
  return [...s.slice(0, from), numel(s.slice(from, to + 1)), ...s.slice(to + 1)]
}
