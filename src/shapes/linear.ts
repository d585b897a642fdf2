import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Numel, numel, type Shape, type Show, show, type ShowDim } from "./Shape.ts"
import { type Giver, giver, type OpenRank } from "./image.ts"

/** Shapes: `[…, I] → […, O]`. */
export type Linear<S, I extends number, O extends number, By extends string = Giver> = S extends readonly [
  ...infer N extends Shape,
  infer F extends Dim,
]
  ? Fits<F, I> extends true
    ? [...N, O]
    : Refuse<`expects ${I} input features but ${By} gives ${ShowDim<F>}${Unflat<S, I>}`>
  : OpenRank<S> extends true
    ? [...Array<Dim>, O]
    : Refuse<`expects at least one dimension but ${By} gives ${Show<S>}`>
/** the features are all there, but not flat */
type Unflat<S, I> = S extends readonly [Dim, infer A extends Dim, infer B extends Dim, ...infer R extends Shape]
  ? Numel<[A, B, ...R]> extends I
    ? ` (of ${Show<[A, B, ...R]>}: a flatten() is missing)`
    : ""
  : ""

/** The shape of a linear map of the last dimension; `by` names who gives the input in the sentence of a refusal. */
export const linear = (s: Shape, inFeatures: number, outFeatures: number, by: string = giver): Shape | Refusal => {
  const given = s.at(-1)
  if (given === undefined) return refuse(`expects at least one dimension but ${by} gives ${show(s)}`)
  if (fits(given, inFeatures)) return [...s.slice(0, -1), outFeatures]
  const rest = s.slice(1)
  const unflat = rest.length > 1 && numel(rest) === inFeatures ? ` (of ${show(rest)}: a flatten() is missing)` : ""
  return refuse(`expects ${inFeatures} input features but ${by} gives ${given}${unflat}`)
}
