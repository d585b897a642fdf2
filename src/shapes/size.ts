/** Guards for the numbers a constructor is given: what is no size is refused before any arithmetic sees it. */
import type { Mod, Mul } from "./int.ts"
import { type Refusal, refuse } from "./Refusal.ts"
import { type Dim, type Pair, pairX, pairY, type Shape, show, showPair, type X, type Y } from "./Shape.ts"

type NoNatural = `-${string}` | `${string}.${string}` | `${string}e${string}`
type NoSize<N extends number> = `${N} is not a size: 1, 2, 3, ...`
type NoCount<N extends number> = `${N} is not a count: 0, 1, 2, ...`

/** N, or the sentence: `2.5 is not a size: 1, 2, 3, ...` */
export type Size<N extends number> = `${N}` extends NoNatural | "0" ? NoSize<N> : N
/** N, or the sentence: `-1 is not a count: 0, 1, 2, ...` */
export type Count<N extends number> = `${N}` extends NoNatural ? NoCount<N> : N
/**
 * the same for a number or both numbers of a pair; the condition has no `infer`, so that P is inferred from it, and asks
 * a template first, which an open type parameter answers at once. A `null` of a pair is a size that is not asked for.
 */
export type SizePair<P> = Both<P> extends NoPair | `0,${string}` | `${string},0` ? SizeFaultOr<P> : P
export type CountPair<P> = Both<P> extends NoPair ? CountFaultOr<P> : P
type Both<P> = `${Y<P>},${X<P>}`
type NoPair = NoNatural | `${string},-${string}`
type SizeFaultOr<P> = SizeFault<P> extends string ? SizeFault<P> : P
type CountFaultOr<P> = CountFault<P> extends string ? CountFault<P> : P
type SizeFault<P> = P extends number
  ? `${P}` extends NoNatural | "0"
    ? NoSize<P>
    : null
  : P extends readonly [infer h extends number | null, infer w extends number | null]
    ? SizeFault<h> extends string
      ? SizeFault<h>
      : SizeFault<w>
    : null
type CountFault<P> = P extends number
  ? `${P}` extends NoNatural
    ? NoCount<P>
    : null
  : P extends readonly [infer h extends number, infer w extends number]
    ? CountFault<h> extends string
      ? CountFault<h>
      : CountFault<w>
    : null

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

/** The sentence about a pooling's padding that is more than half of its kernel, or `null`. */
export const notPoolPadding = (padding: Pair, kernel: Pair): string | null =>
  notCount(padding) ??
  (2 * pairY(padding) > pairY(kernel) || 2 * pairX(padding) > pairX(kernel)
    ? `padding ${showPair(padding)} is more than half of the kernel ${showPair(kernel)}`
    : null)
/** The sentence about a probability that is none, or `null`. */
export const notShare = (p: number): string | null => (p >= 0 && p <= 1 ? null : `${p} is no number from 0 to 1`)
/** The sentence about a word that is none of those there are, or `null`. */
export const notOneOf = (word: string, words: ReadonlyArray<string>): string | null =>
  words.includes(word) ? null : `${word} is none of ${words.join(", ")}`

/** The refusal of the first option with a fault, or `null`. */
export const firstFault = (options: { readonly [name: string]: string | null }): Refusal | null => {
  const [name, sentence] = Object.entries(options).find(([, fault]) => fault !== null) ?? []
  return name === undefined ? null : refuse(`has a wrong ${name}: ${sentence}`)
}
/** The refusal of dimensions without elements where there must be some, or `null`. */
export const nothingIn = (s: Shape, dims: ReadonlyArray<Dim | undefined>, verb: string): Refusal | null =>
  dims.includes(0) ? refuse(`has nothing to ${verb} in ${show(s)}`) : null

/** G, or the sentence: `3 groups do not divide the 64 input channels` */
export type Groups<G extends number, I extends number, O extends number> = `${G}` extends NoNatural | "0"
  ? NoSize<G>
  : Divides<G, I> extends true
    ? Divides<G, O> extends true
      ? G
      : `${G} groups do not divide the ${O} output channels`
    : `${G} groups do not divide the ${I} input channels`
/** first whether both are one and the same, as in a depthwise convolution of an open number of channels */
type Divides<G extends number, N extends number> = { readonly v: G } extends { readonly v: 1 | N }
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

/**
 * The product with its literal type, a size where one is asked for: how a block that is generic in its channels says
 * "four times as many".
 */
export const times = <const A extends number, const B extends number>(a: A, b: B): Size<Mul<A, B>> =>
  // the type multiplies as JavaScript does, up to 2^53 - 1, and the product of two sizes is one
  (a * b) as Size<Mul<A, B>>
