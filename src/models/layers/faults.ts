import type { Cmp, Mul } from "../../shapes/int.ts"
import { type Refusal, refuse } from "../../shapes/Refusal.ts"
import { type Pair, pairX, pairY, type ShowPair, showPair, type X, type Y } from "../../shapes/Shape.ts"
import { type CountPair, notCount } from "../../shapes/size.ts"

/** The refusal of the first option with a fault, or `null`: a layer of wrong sizes takes no input at all. */
export const firstFault = (options: { readonly [name: string]: string | null }): Refusal | null => {
  const [name, sentence] = Object.entries(options).find(([, fault]) => fault !== null) ?? []
  return name === undefined ? null : refuse(`has a wrong ${name}: ${sentence}`)
}

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
/** The same as a value: the sentence, or `null`. */
export const notPoolPadding = (p: Pair, k: Pair): string | null =>
  notCount(p) ??
  (2 * pairY(p) > pairY(k) || 2 * pairX(p) > pairX(k)
    ? `padding ${showPair(p)} is more than half of the kernel ${showPair(k)}`
    : null)
