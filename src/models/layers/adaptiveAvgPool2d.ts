import { adaptiveAvgPool2d as op } from "../../ops/adaptiveAvgPool2d.ts"
import { type AdaptivePool2d, adaptivePool2d, type OutputSize } from "../../shapes/adaptivePool2d.ts"
import { firstFault, notSize, type SizePair } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import { sizesOf } from "./faults.ts"
import { asGiven } from "./repr.ts"

export interface AdaptiveAvgPool2d<Out extends OutputSize> extends Layer {
  readonly kind: "adaptiveAvgPool2d"
  readonly "~": Typed<AdaptiveAvgPool2dRule<Out>, object, "adaptiveAvgPool2d">
}
export interface AdaptiveAvgPool2dRule<Out extends OutputSize> extends Rule {
  readonly out: AdaptivePool2d<this["in"], Out, By<this["by"]>>
}

/**
 * The mean of each of `outputSize` bins that cover the input evenly, whatever its size; `null` keeps a
 * dimension: `[null, 1]`.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. PyTorch's `AdaptiveAvgPool2d`.
 *
 * @example
 * Nn.adaptiveAvgPool2d(6)
 */
export const adaptiveAvgPool2d = <const Out extends OutputSize>(outputSize: SizePair<Out>): AdaptiveAvgPool2d<Out> => {
  // a guarded argument is the argument itself, or the call does not compile
  const size = outputSize as OutputSize
  const fault = firstFault({ outputSize: notSize(sizesOf(size)) })
  return layer<AdaptiveAvgPool2d<Out>>({
    kind: "adaptiveAvgPool2d",
    label: "adaptiveAvgPool2d",
    repr: `AdaptiveAvgPool2d(output_size=${asGiven(size)})`,
    rule: (input, { by }) => fault ?? adaptivePool2d(input, size, by),
    forward: pure((x) => op(x, size)),
  })
}
