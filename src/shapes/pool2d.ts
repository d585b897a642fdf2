import type { Refusal } from "./Refusal.ts"
import type { Dim, Pair, Shape } from "./Shape.ts"
import { type Giver, giver, type NoImage, noImage, type OneBatch, type OpenRank } from "./image.ts"
import { type Window2d, window2d, type Window2dOptions } from "./window.ts"

/** Shapes: `[N, C, H, W] → [N, C, H′, W′]`, and the same without N. */
export type Pool2d<
  S,
  K extends Pair,
  Stride extends Pair = K,
  P extends Pair = 0,
  D extends Pair = 1,
  Ceil extends boolean = false,
  By extends string = Giver,
> = S extends readonly [...infer N extends Shape, infer C extends Dim, infer H extends Dim, infer W extends Dim]
  ? OneBatch<N> extends true
    ? boolean extends Ceil
      ? [...N, C, number, number]
      : Window2d<[...N, C], H, W, K, Stride, P, D, Ceil>
    : NoImage<S, By>
  : OpenRank<S> extends true
    ? [...Array<Dim>, number, number, number]
    : NoImage<S, By>

/** The shape of a 2-D pooling; the stride is the kernel's size when absent. */
export const pool2d = (s: Shape, options: Window2dOptions, by: string = giver): Shape | Refusal => {
  const [w, h, c, ...batch] = s.toReversed()
  if (c === undefined || h === undefined || w === undefined || batch.length > 1) return noImage(s, by)
  return window2d([...batch, c], h, w, { ...options, stride: options.stride ?? options.kernelSize })
}
