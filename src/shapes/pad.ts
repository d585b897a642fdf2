import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type AddDim, addDim, type Dim, type Rank, type Shape, type Show, show } from "./Shape.ts"

/** for each dimension of the shape: how many elements come before and after */
export type Pads = ReadonlyArray<readonly [number, number]>

/** Shapes: every dimension grows by its two pads. */
export type Pad<S, P extends Pads> = number extends Rank<S> | P["length"]
  ? Shape
  : Rank<S> extends P["length"]
    ? Padded<S, P>
    : Refuse<`${P["length"]} pairs of pads do not fit the ${Rank<S>} dimensions of ${Show<S>}`>
type Padded<S, P, Z extends Shape = []> = S extends readonly [infer H extends Dim, ...infer R]
  ? P extends readonly [readonly [infer a extends number, infer b extends number], ...infer Q]
    ? Padded<R, Q, [...Z, AddDim<AddDim<H, a>, b>]>
    : Shape
  : Z

/** The shape with `pads[i]` elements put before and after dimension i. */
export const pad = (s: Shape, pads: Pads): Shape | Refusal =>
  pads.length === s.length
    ? s.map((d, i) => addDim(addDim(d, pads[i]?.[0] ?? 0), pads[i]?.[1] ?? 0))
    : refuse(`${pads.length} pairs of pads do not fit the ${s.length} dimensions of ${show(s)}`)
