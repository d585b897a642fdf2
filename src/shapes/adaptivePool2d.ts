import type { Refusal } from "./Refusal.ts"
import type { Dim, Shape } from "./Shape.ts"
import { type Giver, giver, type NoImage, noImage, type OneBatch, type OpenRank } from "./image.ts"

/** one number for height and width, or [height, width]; `null` keeps the input's */
export type OutputSize = number | readonly [height: number | null, width: number | null]
type Height<Out> = Out extends readonly [infer H, unknown] ? H : Out
type Width<Out> = Out extends readonly [unknown, infer W] ? W : Out
type Or<Out, D> = Out extends number ? Out : D

/** Shapes: `[N, C, H, W] → [N, C, outputSize]`, and the same without N. */
export type AdaptivePool2d<S, Out extends OutputSize, By extends string = Giver> = S extends readonly [
  ...infer N extends Shape,
  infer C extends Dim,
  infer H extends Dim,
  infer W extends Dim,
]
  ? OneBatch<N> extends true
    ? [...N, C, Or<Height<Out>, H>, Or<Width<Out>, W>]
    : NoImage<S, By>
  : OpenRank<S> extends true
    ? [...Array<Dim>, number, Or<Height<Out>, number>, Or<Width<Out>, number>]
    : NoImage<S, By>

/** The shape of a 2-D pooling to a given height and width. */
export const adaptivePool2d = (s: Shape, outputSize: OutputSize, by: string = giver): Shape | Refusal => {
  const [w, h, c, ...batch] = s.toReversed()
  if (c === undefined || h === undefined || w === undefined || batch.length > 1) return noImage(s, by)
  const [height, width] = typeof outputSize === "number" ? [outputSize, outputSize] : outputSize
  return [...batch, c, height ?? h, width ?? w]
}
