/** Guards for the numbers a constructor is given: what is no size is refused before any arithmetic sees it. */
import type { Mod } from "./int.ts"

type NoNatural = `-${string}` | `${string}.${string}` | `${string}e${string}`
type NoSize<N extends number> = `${N} is not a size: 1, 2, 3, ...`
type NoCount<N extends number> = `${N} is not a count: 0, 1, 2, ...`

/** N, or the sentence: `2.5 is not a size: 1, 2, 3, ...` */
export type Size<N extends number> = `${N}` extends NoNatural | "0" ? NoSize<N> : N
/** N, or the sentence: `-1 is not a count: 0, 1, 2, ...` */
export type Count<N extends number> = `${N}` extends NoNatural ? NoCount<N> : N
/** the same for both numbers of a pair */
export type SizePair<P> = P extends readonly [infer h extends number, infer w extends number]
  ? readonly [Size<h>, Size<w>]
  : P extends number
    ? Size<P>
    : P
export type CountPair<P> = P extends readonly [infer h extends number, infer w extends number]
  ? readonly [Count<h>, Count<w>]
  : P extends number
    ? Count<P>
    : P

const all = (p: number | ReadonlyArray<number>, ok: (n: number) => boolean, why: string): string | null => {
  const bad = (typeof p === "number" ? [p] : p).find((n) => !ok(n))
  return bad === undefined ? null : `${bad} is not a ${why}`
}
/** The sentence about the first number that is no size, or `null`. */
export const notSize = (p: number | ReadonlyArray<number>): string | null =>
  all(p, (n) => Number.isSafeInteger(n) && n > 0, "size: 1, 2, 3, ...")
/** The sentence about the first number that is no count, or `null`. */
export const notCount = (p: number | ReadonlyArray<number>): string | null =>
  all(p, (n) => Number.isSafeInteger(n) && n >= 0, "count: 0, 1, 2, ...")

/** G, or the sentence: `3 groups do not divide the 64 input channels` */
export type Groups<G extends number, I extends number, O extends number> = `${G}` extends NoNatural | "0"
  ? NoSize<G>
  : Divides<G, I> extends true
    ? Divides<G, O> extends true
      ? G
      : `${G} groups do not divide the ${O} output channels`
    : `${G} groups do not divide the ${I} input channels`
type Divides<G extends number, N extends number> = G extends 1
  ? true
  : number extends G | N
    ? true
    : Mod<N, G> extends 0
      ? true
      : false
/** The sentence about groups that do not divide the channels, or `null`. */
export const notGroups = (groups: number, inChannels: number, outChannels: number): string | null =>
  notSize(groups) ??
  (inChannels % groups !== 0
    ? `${groups} groups do not divide the ${inChannels} input channels`
    : outChannels % groups !== 0
      ? `${groups} groups do not divide the ${outChannels} output channels`
      : null)
