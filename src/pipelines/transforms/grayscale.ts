import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { luma } from "./colours.ts"
import { coloured, type Coloured, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface GrayscaleRule<N extends number> extends Rule {
  readonly out: Image<
    this["in"],
    Coloured<this["in"], this["in"] extends readonly [unknown, infer H, infer W] ? [N, H, W] : Shape>
  >
}

/**
 * The picture in grey, in 1 channel (unless told) or in 3 that are equal. One channel given is grey already.
 *
 * **Shapes** `[3, H, W] → [1, H, W]` or `[3, H, W]`. torchvision's `Grayscale`.
 *
 * @example
 * mnist.train.pipe(Data.map(Transforms.grayscale(3))).shape // => [3, 28, 28]
 */
export const grayscale = <const N extends 1 | 3 = 1>(outputChannels?: N): Transform<GrayscaleRule<N>> => {
  const n: number = outputChannels ?? 1
  return make({
    name: "grayscale",
    shape: (s) => {
      if (n !== 1 && n !== 3) return refuse(`gives ${n} channels, which must be 1 or 3`)
      const given = coloured(s)
      return isRefusal(given) ? given : [n, given[1], given[2]]
    },
    kernel: (shape) => {
      const pixels = shape[1]! * shape[2]!
      return (input, output) => {
        for (let i = 0; i < pixels; i++) {
          const grey = shape[0] === 1 ? input[i]! : luma(input[i]!, input[pixels + i]!, input[2 * pixels + i]!)
          for (let c = 0; c < n; c++) output[c * pixels + i] = grey
        }
      }
    },
  })
}
