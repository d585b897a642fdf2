import type { Axis } from "./axis.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import type { Dim, Rank, Shape, Show } from "./Shape.ts"
import { show } from "./Shape.ts"
import { axes } from "./reduce.ts"

/** Shapes: dimension i of the result is dimension D[i] of S. */
export type Permute<S, D extends ReadonlyArray<number>> = number extends Rank<S> | D["length"]
  ? Shape
  : Rank<S> extends D["length"]
    ? Ordered<S, D, D>
    : NoOrder<S, D>
type Ordered<S, D, All, Z extends Shape = [], Seen = never> = D extends readonly [infer d extends number, ...infer R]
  ? Axis<d, Rank<S>> extends infer A
    ? [A] extends [null]
      ? NoOrder<S, All>
      : number extends A
        ? Shape
        : [A] extends [Seen]
          ? NoOrder<S, All>
          : Ordered<S, R, All, [...Z, S[A & keyof S] & Dim], Seen | A>
    : never
  : Z
type NoOrder<S, D> = Refuse<`[${List<D>}] is no order of the dimensions of ${Show<S>}`>
type List<D, Z extends string = ""> = D extends readonly [infer H extends number, ...infer R]
  ? List<R, Z extends "" ? `${H}` : `${Z}, ${H}`>
  : Z

/** The shape with its dimensions in another order. */
export const permute = (s: Shape, dims: ReadonlyArray<number>): Shape | Refusal => {
  const found = axes(s, dims)
  return "_tag" in found || found.length !== s.length
    ? refuse(`[${dims.join(", ")}] is no order of the dimensions of ${show(s)}`)
    : found.flatMap((i) => s[i] ?? [])
}
