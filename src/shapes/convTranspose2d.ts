import { type Giver, giver, type NoImage, noImage, type OneBatch, type OpenRank } from "./image.ts"
import type { Add, Mul, Sub } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import {
  type Dim,
  type Fits,
  fits,
  type Pair,
  pairX,
  pairY,
  type Shape,
  type ShowDim,
  unknownDim,
  type X,
  type Y,
} from "./Shape.ts"

/** `(N − 1)·S − 2·P + D·(K − 1) + OP + 1`; `null` when that is no size */
type Grow<
  N extends Dim,
  K extends number,
  S extends number,
  P extends number,
  OP extends number,
  D extends number,
> = number extends N
  ? number
  : N extends number
    ? number extends K | S | P | OP | D
      ? number
      : Positive<Sub<Add<Add<Mul<Sub<N, 1>, S>, Mul<D, Sub<K, 1>>>, Add<OP, 1>>, Mul<2, P>>>
    : number
type Positive<N> = [N] extends [never] ? null : N extends 0 ? null : N

/** Shapes: `[N, C, H, W] → [N, O, H′, W′]`, and the same without N. */
export type ConvTranspose2d<
  S,
  C extends number,
  O extends number,
  K extends Pair,
  Stride extends Pair = 1,
  P extends Pair = 0,
  OP extends Pair = 0,
  D extends Pair = 1,
  By extends string = Giver,
> = S extends readonly [...infer N extends Shape, infer C0 extends Dim, infer H extends Dim, infer W extends Dim]
  ? OneBatch<N> extends true
    ? Fits<C0, C> extends true
      ? Joined<[...N, O], Grow<H, Y<K>, Y<Stride>, Y<P>, Y<OP>, Y<D>>, Grow<W, X<K>, X<Stride>, X<P>, X<OP>, X<D>>>
      : Refuse<`expects ${C} input channels but ${By} gives ${ShowDim<C0>}`>
    : NoImage<S, By>
  : OpenRank<S> extends true
    ? [...Array<Dim>, O, number, number]
    : NoImage<S, By>
type Joined<Before extends Shape, H, W> = null extends H | W
  ? Refuse<"has more padding than its output has elements">
  : [...Before, H & Dim, W & Dim]

export interface ConvTranspose2dOptions {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Pair
  readonly outputPadding?: Pair
  readonly dilation?: Pair
}
/** The shape of a transposed 2-D convolution; `by` names who gives the input in the sentence of a refusal. */
export const convTranspose2d = (s: Shape, options: ConvTranspose2dOptions, by: string = giver): Shape | Refusal => {
  const [w, h, c, ...batch] = s.toReversed()
  if (c === undefined || h === undefined || w === undefined || batch.length > 1) return noImage(s, by)
  const { inChannels, outChannels, kernelSize, stride = 1, padding = 0, outputPadding = 0, dilation = 1 } = options
  if (!fits(c, inChannels)) return refuse(`expects ${inChannels} input channels but ${by} gives ${c}`)
  const along = (n: Dim, of: (p: Pair) => number): Dim =>
    typeof n === "string"
      ? unknownDim
      : (n - 1) * of(stride) - 2 * of(padding) + of(dilation) * (of(kernelSize) - 1) + of(outputPadding) + 1
  const [rows, columns] = [along(h, pairY), along(w, pairX)]
  const fit = (n: Dim): boolean => typeof n === "string" || n > 0
  return fit(rows) && fit(columns)
    ? [...batch, outChannels, rows, columns]
    : refuse("has more padding than its output has elements")
}
