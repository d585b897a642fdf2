import type { Cmp, Sub } from "./int.ts"
import { type Refuse, refuse } from "./Refusal.ts"
import { type Shape, type Show, show } from "./Shape.ts"

/** dimension D of a shape of that rank, counted from the end when negative; `null` when there is none */
export type Axis<D extends number, R extends number> = number extends D | R
  ? number
  : `${D}` extends `-${infer A extends number}`
    ? Cmp<A, R> extends ">"
      ? null
      : Sub<R, A>
    : Cmp<D, R> extends "<"
      ? D
      : null
/** Dimension `d` of a shape of that rank, counted from the end when negative; `null` when there is none. */
export const axis = (d: number, rank: number): number | null => {
  const from0 = d < 0 ? d + rank : d
  return Number.isInteger(d) && from0 >= 0 && from0 < rank ? from0 : null
}

export type NoAxis<S, D extends number> = Refuse<`there is no dimension ${D} in ${Show<S>}`>
export const noAxis = (s: Shape, d: number) => refuse(`there is no dimension ${d} in ${show(s)}`)
