/**
 * A transform is plain data: how it shapes (as a type and as a value), and what it does to one picture. The library's and
 * a user's own are made with the same constructor, `make`; there is no list to be in.
 */
import * as Random from "../../ops/random.ts"
import { isRefusal, type Refusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Dim, type Shape, type Show, show } from "../../shapes/Shape.ts"
import type { SampleShape } from "../data/Dataset.ts"

/**
 * A function from types to types: `out` is written in terms of `this["in"]`, the shape of a picture. It is a shape, or a
 * `Refuse<"expects … but the pictures are …">`.
 *
 * @example
 * interface HalveRule extends Transforms.Rule {
 *   readonly out: this["in"] extends readonly [infer C, infer H extends number, infer W extends number]
 *     ? [C, FloorDiv<H, 2>, FloorDiv<W, 2>] : Refuse<"expects [C, H, W]">
 * }
 */
export interface Rule {
  readonly in: unknown
  readonly out: unknown
}
/** the result of a rule */
export type Apply<R extends Rule, S> = (R & { readonly in: S })["out"]
/** the shape that a rule gives; `Shape` where it refuses */
export type Out<R extends Rule, S> = Apply<R, S> extends infer O extends Shape ? O : Shape
/** what takes pictures of shape S, or the sentence that says why they do not fit */
export type Fitting<R extends Rule, S, D> =
  Apply<R, S> extends Refusal<infer Sentence> ? `the transform does not fit: it ${Sentence}` : D

/**
 * What is done to a picture, both given row-major, and the picture that results, which is overwritten whole. `uniform(i)`
 * is the i-th random number of this picture in this epoch, from 0 up to but not 1.
 */
export type Kernel = (input: Float32Array, output: Float32Array, uniform: (i: number) => number) => void

/** the same for the key of a picture's random numbers */
export type Bound = (input: Float32Array, output: Float32Array, key: ArrayLike<number>) => void

/** One step of preparing pictures. */
export interface Transform<out R extends Rule = Rule> {
  readonly _tag: "Transform"
  readonly name: string
  /** whether it depends on random numbers */
  readonly random: boolean
  /** the shape of what it gives, or the predicate of the sentence that says why there is none */
  readonly shape: (input: Shape) => Shape | Refusal
  /** what it does to pictures of one shape, with the random numbers of the stream of that name */
  readonly bind: (input: SampleShape, output: SampleShape, stream: string) => Bound
  /** only a type */
  readonly "~"?: R
}

const noRandom = (): number => 0

/**
 * A transform of one's own: `shape` gives the shape of the result or a refusal, `kernel` is asked once for each shape of
 * picture, so that tables and scratch memory are made there and not for every picture.
 *
 * @example
 * const invert = Transforms.make<Transforms.KeepRule>({
 *   name: "invert", shape: (s) => s,
 *   kernel: () => (input, output) => input.forEach((x, i) => { output[i] = 1 - x }),
 * })
 */
export const make = <R extends Rule = KeepRule>(parts: {
  readonly name: string
  /** whether `kernel` asks for random numbers: not unless told */
  readonly random?: boolean
  readonly shape: (input: Shape) => Shape | Refusal
  readonly kernel: (input: SampleShape, output: SampleShape) => Kernel
}): Transform<R> => ({
  _tag: "Transform",
  name: parts.name,
  random: parts.random ?? false,
  shape: parts.shape,
  bind: (input, output, name) => {
    const kernel = parts.kernel(input, output)
    if (parts.random !== true) return (from, to) => kernel(from, to, noRandom)
    const stream = Random.stream(name)
    return (from, to, key) => kernel(from, to, Random.uniform(key, stream))
  },
})

// ---------- rules that transforms share

/** The shape stays, whatever it is. */
export interface KeepRule extends Rule {
  readonly out: this["in"] extends infer S extends Shape ? S : Shape
}

type NoImage<S> = Refuse<`expects [C, H, W] but the pictures are ${Show<S>}`>
/** `Then` for a picture of channels, height and width; a refusal for anything else; open where the shape is */
export type Image<S, Then> = S extends readonly [unknown, unknown, unknown]
  ? Then
  : S extends Shape
    ? number extends S["length"]
      ? Shape
      : NoImage<S>
    : Shape

/** channels, height and width, or the refusal of what is no picture */
export const image = (s: Shape): readonly [Dim, Dim, Dim] | Refusal => {
  const [c, h, w] = s
  return s.length === 3 && c !== undefined && h !== undefined && w !== undefined
    ? [c, h, w]
    : refuse(`expects [C, H, W] but the pictures are ${show(s)}`)
}

/** The shape of a picture stays. */
export interface ImageRule extends Rule {
  readonly out: Image<this["in"], this["in"]>
}
/** the same as a value; with `fault`, the sentence about an option that cannot be meant */
export const keepsImage =
  (fault: string | null = null) =>
  (s: Shape): Shape | Refusal =>
    fault === null ? image(s) : refuse(fault)

/** The shape of a picture of 1 or 3 channels stays. */
export interface ColourRule extends Rule {
  readonly out: Image<this["in"], Coloured<this["in"], this["in"]>>
}
export type Coloured<S, Then> = S extends readonly [infer C, ...ReadonlyArray<unknown>]
  ? C extends number
    ? number extends C
      ? Then
      : C extends 1 | 3
        ? Then
        : Refuse<`expects 1 or 3 channels but the pictures are ${Show<S>}`>
    : Then
  : Then
/** the same as a value */
export const coloured = (s: Shape): readonly [Dim, Dim, Dim] | Refusal => {
  const given = image(s)
  if (isRefusal(given)) return given
  return typeof given[0] === "string" || given[0] === 1 || given[0] === 3
    ? given
    : refuse(`expects 1 or 3 channels but the pictures are ${show(s)}`)
}

/** Height and width become `Size`. */
export interface SizeRule<Size> extends Rule {
  readonly out: Image<this["in"], this["in"] extends readonly [infer C, unknown, unknown] ? Sized<C, Size> : Shape>
}
type Sized<C, Size> = Size extends number
  ? [C, Size, Size]
  : Size extends readonly [infer h, infer w]
    ? [C, h, w]
    : Shape

/** Python's `round`: halves go to the even neighbour */
export const roundHalfEven = (x: number): number => {
  const below = Math.floor(x)
  const rest = x - below
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1
}
/** a whole number from `from` to `to`, both included */
export const between = (u: number, from: number, to: number): number => from + Math.floor(u * (to - from + 1))
