import { adaptiveMaxPool2d as op } from "../../ops/adaptiveMaxPool2d.ts"
import { type AdaptivePool2d, adaptivePool2d, type OutputSize } from "../../shapes/adaptivePool2d.ts"
import { firstFault, notSize, type SizePair } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import { sizesOf } from "./faults.ts"
import { asGiven } from "./repr.ts"

export interface AdaptiveMaxPool2d<Out extends OutputSize> extends Layer {
  readonly kind: "adaptiveMaxPool2d"
  readonly "~": Typed<AdaptiveMaxPool2dRule<Out>, object, "adaptiveMaxPool2d">
}
export interface AdaptiveMaxPool2dRule<Out extends OutputSize> extends Rule {
  readonly out: AdaptivePool2d<this["in"], Out, By<this["by"]>>
}

/**
 * The largest element of each of `outputSize` bins that cover the input evenly, whatever its size; `null` keeps a
 * dimension: `[null, 1]`.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. PyTorch's `AdaptiveMaxPool2d`.
 *
 * @example
 * Nn.adaptiveMaxPool2d(6)
 */
export const adaptiveMaxPool2d = <const Out extends OutputSize>(outputSize: SizePair<Out>): AdaptiveMaxPool2d<Out> => {
  // a guarded argument is the argument itself, or the call does not compile
  const size = outputSize as OutputSize
  const fault = firstFault({ outputSize: notSize(sizesOf(size)) })
  return layer<AdaptiveMaxPool2d<Out>>({
    kind: "adaptiveMaxPool2d",
    label: "adaptiveMaxPool2d",
    repr: `AdaptiveMaxPool2d(output_size=${asGiven(size)})`,
    rule: (input, { by }) => fault ?? adaptivePool2d(input, size, by),
    forward: pure((x) => op(x, size)),
  })
}
