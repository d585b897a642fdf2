import type { FloorDiv, Mod } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Numel, numel, type Rank, type Shape, type Show, show } from "./Shape.ts"
import { type ShowDim, unknownDim } from "./Shape.ts"

/** Shapes: as many elements in another shape, where one -1 is what remains. A name on both sides is itself. */
export type Reshape<S, T extends Shape> = number extends Rank<S> | Rank<T>
  ? Open<T>
  : Split<T> extends { readonly names: infer Names; readonly sizes: infer Sizes; readonly holes: infer Holes }
    ? Holes extends readonly [] | readonly [0]
      ? Cancel<S, Names> extends { readonly left: infer A; readonly right: infer B extends Shape }
        ? Sizes extends Shape
          ? Fitted<S, T, Numel<A>, Numel<[...Sizes, ...B]>, Holes>
          : never
        : never
      : Refuse<`${Show<S>} does not fit ${Show<T>}: only one -1 can be filled in`>
    : never
type Open<T extends Shape> = number extends Rank<T> ? Shape : { [I in keyof T]: T[I] extends -1 ? number : T[I] }
/** names, sizes and -1s apart */
type Split<
  T,
  Names extends Shape = [],
  Sizes extends Shape = [],
  Holes extends ReadonlyArray<0> = [],
> = T extends readonly [infer H extends Dim, ...infer R]
  ? H extends string
    ? Split<R, [...Names, H], Sizes, Holes>
    : H extends -1
      ? Split<R, Names, Sizes, [...Holes, 0]>
      : Split<R, Names, [...Sizes, H], Holes>
  : { readonly names: Names; readonly sizes: Sizes; readonly holes: Holes }
/** what is left of S after its names that T has too, and the names of T that S has not */
type Cancel<S, Names, Left extends Shape = []> = S extends readonly [infer H extends Dim, ...infer R]
  ? H extends string
    ? Without<Names, H> extends infer Rest extends Shape
      ? Cancel<R, Rest, Left>
      : Cancel<R, Names, [...Left, H]>
    : Cancel<R, Names, [...Left, H]>
  : { readonly left: Left; readonly right: Names }
type Without<Names, N, Z extends Shape = []> = Names extends readonly [infer H extends Dim, ...infer R extends Shape]
  ? { v: H } extends { v: N }
    ? [...Z, ...R]
    : Without<R, N, [...Z, H]>
  : null
type Fitted<S, T extends Shape, A extends Dim, B extends Dim, Holes> = Holes extends readonly []
  ? Fits<A, B> extends true
    ? [...T]
    : Refuse<`${Show<S>} does not fit ${Show<T>}: ${ShowDim<A>} elements are not ${ShowDim<B>}`>
  : Quotient<A, B> extends infer Q
    ? Q extends Dim
      ? Fill<T, Q>
      : Refuse<`${Show<S>} does not fit ${Show<T>}: ${ShowDim<A>} elements do not divide by ${ShowDim<B>}`>
    : never
type Quotient<A extends Dim, B extends Dim> = B extends 1
  ? A
  : A extends number
    ? B extends number
      ? number extends A | B
        ? number
        : Mod<A, B> extends infer M
          ? [M] extends [0]
            ? [M] extends [never]
              ? null
              : FloorDiv<A, B>
            : null
          : never
      : number
    : number
type Fill<T, Q extends Dim, Z extends Shape = []> = T extends readonly [infer H extends Dim, ...infer R]
  ? Fill<R, Q, [...Z, H extends -1 ? Q : H]>
  : Z

/** The shape of the same elements in row-major order as `target`, where one -1 is what remains. */
export const reshape = (s: Shape, target: Shape): Shape | Refusal => {
  const holes = target.filter((d) => d === -1).length
  if (holes > 1) return refuse(`${show(s)} does not fit ${show(target)}: only one -1 can be filled in`)
  const names = target.filter((d) => typeof d === "string" && d !== unknownDim)
  const left = s.filter((d) => {
    const at = names.indexOf(d)
    if (at >= 0) names.splice(at, 1)
    return at < 0
  })
  const given = numel(left)
  const asked = numel([...target.filter((d) => (typeof d === "number" ? d !== -1 : d === unknownDim)), ...names])
  if (holes === 0)
    return fits(given, asked)
      ? target
      : refuse(`${show(s)} does not fit ${show(target)}: ${given} elements are not ${asked}`)
  const rest = quotient(given, asked)
  return rest === null
    ? refuse(`${show(s)} does not fit ${show(target)}: ${given} elements do not divide by ${asked}`)
    : target.map((d) => (d === -1 ? rest : d))
}
const quotient = (a: Dim, b: Dim): Dim | null =>
  b === 1 ? a : typeof a === "string" || typeof b === "string" ? unknownDim : b === 0 || a % b !== 0 ? null : a / b
