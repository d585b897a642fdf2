import { maxPool2d as op } from "../../ops/maxPool2d.ts"
import { type Pool2d, pool2d } from "../../shapes/pool2d.ts"
import type { Pair } from "../../shapes/Shape.ts"
import { firstFault, notPoolPadding, notSize, type SizePair } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import type { PoolPadding } from "./faults.ts"
import { asGiven, bool } from "./repr.ts"

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
  const window = `kernel_size=${asGiven(kernelSize)}, stride=${asGiven(stride)}, padding=${asGiven(padding)}`
  const geometry = { kernelSize, stride, padding, dilation, ceilMode }
  return layer<MaxPool2d<K, S, P, D, Ceil>>({
    kind: "maxPool2d",
    label: "maxPool2d",
    repr: `MaxPool2d(${window}, dilation=${asGiven(dilation)}, ceil_mode=${bool(ceilMode)})`,
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
