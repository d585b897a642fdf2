import type { Refusal } from "./Refusal.ts"
import { type Dim, type Pair, pairX, pairY, type Shape, type X, type Y } from "./Shape.ts"
import { type Giver, giver, type NoImage, noImage, type OneBatch, type OpenRank } from "./image.ts"

/** Shapes: `[N, C, H, W] → [N, C, outputSize]`, and the same without N. */
export type AdaptivePool2d<S, Out extends Pair, By extends string = Giver> = S extends readonly [
  ...infer N extends Shape,
  infer C extends Dim,
  Dim,
  Dim,
]
  ? OneBatch<N> extends true
    ? [...N, C, Y<Out>, X<Out>]
    : NoImage<S, By>
  : OpenRank<S> extends true
    ? [...Array<Dim>, number, Y<Out>, X<Out>]
    : NoImage<S, By>

/** The shape of a 2-D pooling to a given height and width. */
export const adaptivePool2d = (s: Shape, outputSize: Pair, by: string = giver): Shape | Refusal => {
  const [w, h, c, ...batch] = s.toReversed()
  if (c === undefined || h === undefined || w === undefined || batch.length > 1) return noImage(s, by)
  return [...batch, c, pairY(outputSize), pairX(outputSize)]
}
