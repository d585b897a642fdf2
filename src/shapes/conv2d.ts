import type { Refuse } from "./Refusal.ts"
import { type Refusal, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Pair, type Shape, type ShowDim, type X, type Y } from "./Shape.ts"
import { type Giver, giver, type NoImage, noImage, type OneBatch, type OpenRank } from "./image.ts"
import { type Window2d, window2d } from "./window.ts"

/** zeros on each side; "same": as many as keep the size, one more at the end where that is odd; "valid": none */
export type Padding = Pair | "same" | "valid"

/** Shapes: `[N, C, H, W] → [N, O, H′, W′]`, and the same without N. */
export type Conv2d<
  S,
  C extends number,
  O extends number,
  K extends Pair,
  Stride extends Pair = 1,
  P extends Padding = 0,
  D extends Pair = 1,
  By extends string = Giver,
> = S extends readonly [...infer N extends Shape, infer C0 extends Dim, infer H extends Dim, infer W extends Dim]
  ? OneBatch<N> extends true
    ? Fits<C0, C> extends true
      ? P extends Pair
        ? Window2d<[...N, O], H, W, K, Stride, P, D>
        : P extends "valid"
          ? Window2d<[...N, O], H, W, K, Stride, 0, D>
          : IsOne<Stride> extends true
            ? [...N, O, H, W]
            : SameNeedsStride1
      : Refuse<`expects ${C} input channels but ${By} gives ${ShowDim<C0>}`>
    : NoImage<S, By>
  : OpenRank<S> extends true
    ? [...Array<Dim>, O, number, number]
    : NoImage<S, By>
type IsOne<S> = Y<S> extends 1 ? (X<S> extends 1 ? true : false) : number extends Y<S> | X<S> ? true : false
export type SameNeedsStride1 = Refuse<'has padding "same", which needs stride 1'>

/** the zeros on each side, where they do not depend on the kernel */
export const zeros = (padding: Pair | "valid"): Pair => (padding === "valid" ? 0 : padding)

export interface Conv2dOptions {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Padding
  readonly dilation?: Pair
}
/** The shape of a 2-D convolution; `by` names who gives the input in the sentence of a refusal. */
export const conv2d = (s: Shape, options: Conv2dOptions, by: string = giver): Shape | Refusal => {
  const [w, h, c, ...batch] = s.toReversed()
  if (c === undefined || h === undefined || w === undefined || batch.length > 1) return noImage(s, by)
  const { inChannels, outChannels, kernelSize, stride = 1, padding = 0, dilation = 1 } = options
  if (!fits(c, inChannels)) return refuse(`expects ${inChannels} input channels but ${by} gives ${c}`)
  if (padding !== "same")
    return window2d([...batch, outChannels], h, w, { kernelSize, stride, padding: zeros(padding), dilation })
  return stride === 1 || (typeof stride !== "number" && stride[0] === 1 && stride[1] === 1)
    ? [...batch, outChannels, h, w]
    : refuse('has padding "same", which needs stride 1')
}
