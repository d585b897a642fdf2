import { type Axis, axis, type NoAxis, noAxis } from "./axis.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import type { Dim, Rank, Shape, Show } from "./Shape.ts"
import { show } from "./Shape.ts"

/** which dimensions are reduced; negative ones count from the end */
export type Dims = number | ReadonlyArray<number> | "all"

/** Shapes: the dimensions in D go, or become 1 with `keepDim`. */
export type Reduce<S, D extends Dims, Keep extends boolean = false> =
  number extends Rank<S>
    ? D extends "all"
      ? true extends Keep
        ? Shape
        : []
      : Shape
    : boolean extends Keep
      ? Shape
      : D extends "all"
        ? Without<S, number, Keep>
        : D extends number
          ? Checked<S, [D], Keep>
          : Checked<S, D, Keep>
type Checked<S, D, Keep, Seen = never, All = D> = D extends readonly [infer d extends number, ...infer R]
  ? Axis<d, Rank<S>> extends infer A
    ? [A] extends [null]
      ? NoAxis<S, d>
      : number extends A
        ? Shape
        : [A] extends [Seen]
          ? Refuse<`dimension ${d} of ${Show<S>} is named twice`>
          : Checked<S, R, Keep, Seen | A, All>
    : never
  : D extends readonly []
    ? Without<S, Seen, Keep>
    : Shape
type Without<S, D, Keep, Z extends Shape = [], I extends ReadonlyArray<0> = []> = S extends readonly [
  infer H extends Dim,
  ...infer R,
]
  ? Without<R, D, Keep, I["length"] extends D ? (Keep extends true ? [...Z, 1] : Z) : [...Z, H], [...I, 0]>
  : Z

/** The axes of `dims` in a shape, counted from 0; refused where one does not exist or is named twice. */
export const axes = (s: Shape, dims: Dims): ReadonlyArray<number> | Refusal => {
  const found: Array<number> = []
  for (const d of dims === "all" ? s.keys() : typeof dims === "number" ? [dims] : dims) {
    const at = axis(d, s.length)
    if (at === null) return noAxis(s, d)
    if (found.includes(at)) return refuse(`dimension ${d} of ${show(s)} is named twice`)
    found.push(at)
  }
  return found
}

/** The shape of a reduction over some dimensions. */
export const reduce = (s: Shape, dims: Dims, keepDim: boolean = false): Shape | Refusal => {
  const found = axes(s, dims)
  if ("_tag" in found) return found
  return keepDim ? s.map((d, i) => (found.includes(i) ? 1 : d)) : s.filter((_, i) => !found.includes(i))
}
