import { maxPool2d as op } from "../../ops/maxPool2d.ts"
import type { Cmp, Mul } from "../../shapes/int.ts"
import { type Pool2d, pool2d } from "../../shapes/pool2d.ts"
import { type Pair, pairX, pairY, type ShowPair, showPair, type X, type Y } from "../../shapes/Shape.ts"
import { type CountPair, notCount, notSize, type SizePair } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import { firstFault } from "./faults.ts"

export interface MaxPool2d<
  K extends Pair,
  S extends Pair = K,
  P extends Pair = 0,
  D extends Pair = 1,
  Ceil extends boolean = false,
> extends Layer {
  readonly kind: "maxPool2d"
  readonly "~": Typed<MaxPool2dRule<K, S, P, D, Ceil>, object, "maxPool2d">
}
export interface MaxPool2dRule<
  K extends Pair,
  S extends Pair,
  P extends Pair,
  D extends Pair,
  Ceil extends boolean,
> extends Rule {
  readonly out: Pool2d<this["in"], K, S, P, D, Ceil, By<this["by"]>>
}

/** P, or the sentence: `padding 2 is more than half of the kernel 3` */
type PoolPadding<P, K> = P extends 0
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
const notPoolPadding = (p: Pair, k: Pair): string | null =>
  notCount(p) ??
  (2 * pairY(p) > pairY(k) || 2 * pairX(p) > pairX(k)
    ? `padding ${showPair(p)} is more than half of the kernel ${showPair(k)}`
    : null)

export interface MaxPool2dOptions<K, S, P, D, Ceil> {
  /** of the window: one number, or [height, width] */
  readonly kernelSize: SizePair<K>
  /** the kernel's size when absent */
  readonly stride?: SizePair<S>
  /** on each side, at most half the kernel; 0 when absent */
  readonly padding?: PoolPadding<P, K>
  /** 1 when absent */
  readonly dilation?: SizePair<D>
  /** rounds the output's size up; false when absent */
  readonly ceilMode?: Ceil
}

/**
 * The largest element of each window.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. PyTorch's `MaxPool2d`.
 *
 * @example
 * Nn.maxPool2d({ kernelSize: 3, stride: 2 })
 */
export const maxPool2d = <
  const K extends Pair,
  const S extends Pair = K,
  const P extends Pair = 0,
  const D extends Pair = 1,
  const Ceil extends boolean = false,
>(
  options: MaxPool2dOptions<K, S, P, D, Ceil>,
): MaxPool2d<K, S, P, D, Ceil> => {
  // a guarded option is the option itself, or the call does not compile
  const { kernelSize, padding = 0, dilation = 1, ceilMode = false, ...rest } = options as Widened
  const stride = rest.stride ?? kernelSize
  const fault = firstFault({
    kernelSize: notSize(kernelSize),
    stride: notSize(stride),
    padding: notPoolPadding(padding, kernelSize),
    dilation: notSize(dilation),
  })
  const geometry = { kernelSize, stride, padding, dilation, ceilMode }
  return layer<MaxPool2d<K, S, P, D, Ceil>>({
    kind: "maxPool2d",
    label: "maxPool2d",
    rule: (input, { by }) => fault ?? pool2d(input, geometry, by),
    forward: pure((x) => op(x, geometry)),
  })
}
type Widened = {
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Pair
  readonly dilation?: Pair
  readonly ceilMode?: boolean
}
