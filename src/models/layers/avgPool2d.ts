import { avgPool2d as op } from "../../ops/avgPool2d.ts"
import { type Pool2d, pool2d } from "../../shapes/pool2d.ts"
import type { Pair } from "../../shapes/Shape.ts"
import { firstFault, notPoolPadding, notSize, type SizePair } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import type { PoolPadding } from "./faults.ts"
import { asGiven } from "./repr.ts"

export interface AvgPool2d<
  K extends Pair,
  S extends Pair = K,
  P extends Pair = 0,
  Ceil extends boolean = false,
> extends Layer {
  readonly kind: "avgPool2d"
  readonly "~": Typed<AvgPool2dRule<K, S, P, Ceil>, object, "avgPool2d">
}
export interface AvgPool2dRule<K extends Pair, S extends Pair, P extends Pair, Ceil extends boolean> extends Rule {
  readonly out: Pool2d<this["in"], K, S, P, 1, Ceil, By<this["by"]>>
}

export interface AvgPool2dOptions<K, S, P, Ceil> {
  /** of the window: one number, or [height, width] */
  readonly kernelSize: SizePair<K>
  /** the kernel's size when absent */
  readonly stride?: SizePair<S>
  /** on each side, at most half the kernel; 0 when absent */
  readonly padding?: PoolPadding<P, K>
  /** rounds the output's size up; false when absent */
  readonly ceilMode?: Ceil
  /** whether zeros of the padding count in the mean; true when absent */
  readonly countIncludePad?: boolean
  /** divides by this instead of by the number of elements */
  readonly divisorOverride?: number
}

/**
 * The mean of each window.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. PyTorch's `AvgPool2d`.
 *
 * @example
 * Nn.avgPool2d({ kernelSize: 2 })
 */
export const avgPool2d = <
  const K extends Pair,
  const S extends Pair = K,
  const P extends Pair = 0,
  const Ceil extends boolean = false,
>(
  options: AvgPool2dOptions<K, S, P, Ceil>,
): AvgPool2d<K, S, P, Ceil> => {
  // a guarded option is the option itself, or the call does not compile
  const { kernelSize, padding = 0, ceilMode = false, ...rest } = options as Widened
  const { stride = kernelSize, countIncludePad = true, divisorOverride } = rest
  const fault = firstFault({
    kernelSize: notSize(kernelSize),
    stride: notSize(stride),
    padding: notPoolPadding(padding, kernelSize),
    divisorOverride: divisorOverride === undefined ? null : notSize(divisorOverride),
  })
  const geometry = { kernelSize, stride, padding, ceilMode }
  return layer<AvgPool2d<K, S, P, Ceil>>({
    kind: "avgPool2d",
    label: "avgPool2d",
    repr: `AvgPool2d(kernel_size=${asGiven(kernelSize)}, stride=${asGiven(stride)}, padding=${asGiven(padding)})`,
    rule: (input, { by }) => fault ?? pool2d(input, geometry, by),
    forward: pure((x) => op(x, { ...geometry, countIncludePad, divisorOverride: divisorOverride ?? null })),
  })
}
type Widened = {
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Pair
  readonly ceilMode?: boolean
  readonly countIncludePad?: boolean
  readonly divisorOverride?: number
}
