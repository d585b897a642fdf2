import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import type { Refusal } from "./Refusal.ts"
import { type Dim, type Numel, numel, type Rank, type Shape } from "./Shape.ts"

/** Shapes: `[N, A, B, …] → [N, A B …]`. */
export type Flatten<S, Start extends number = 1> =
  number extends Rank<S> ? (Start extends 1 ? [number, number] : Shape) : From<S, Start, Axis<Start, Rank<S>>>
type From<S, Start extends number, A> = null extends A ? NoAxis<S, Start> : number extends A ? Shape : Split<S, A>
type Split<S, A, Z extends Shape = []> = Z["length"] extends A
  ? [...Z, Numel<S>]
  : S extends readonly [infer H extends Dim, ...infer R]
    ? Split<R, A, [...Z, H]>
    : never

/** The shape with all dimensions from `startDim` on made one. */
export const flatten = (s: Shape, startDim: number = 1): Shape | Refusal => {
  const at = axis(startDim, s.length)
  return at === null ? noAxis(s, startDim) : [...s.slice(0, at), numel(s.slice(at))]
}
