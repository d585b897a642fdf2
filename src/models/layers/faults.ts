import type { OutputSize } from "../../shapes/adaptivePool2d.ts"
import type { Cmp, Mul } from "../../shapes/int.ts"
import type { ShowPair, X, Y } from "../../shapes/Shape.ts"
import type { CountPair } from "../../shapes/size.ts"

/** P, or the sentence: `padding 2 is more than half of the kernel 3` */
export type PoolPadding<P, K> = P extends 0
  ? P
  : CountPair<P> extends P
    ? Half<Y<P>, Y<K>> extends true
      ? Half<X<P>, X<K>> extends true
        ? P
        : `padding ${ShowPair<P>} is more than half of the kernel ${ShowPair<K>}`
      : `padding ${ShowPair<P>} is more than half of the kernel ${ShowPair<K>}`
    : CountPair<P>
type Half<P extends number, K extends number> = number extends P | K
  ? true
  : Cmp<Mul<P, 2>, K> extends ">"
    ? false
    : true

/** the sizes that a pooling is given, but for those that are the input's own */
export const sizesOf = (size: OutputSize): ReadonlyArray<number> =>
  typeof size === "number" ? [size] : size.flatMap((n) => n ?? [])
