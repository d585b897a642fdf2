import { isRefusal } from "../../shapes/Refusal.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface ToTensorRule extends Rule {
  readonly out: Image<this["in"], this["in"] extends readonly [infer H, infer W, infer C] ? [C, H, W] : Shape>
}

/**
 * A picture as most programs keep it, pixel by pixel from 0 to 255, as the library takes it: channel by channel from 0
 * to 1. The data sets of the library are so already; this is for arrays of one's own.
 *
 * **Shapes** `[H, W, C] → [C, H, W]`. torchvision's `ToTensor`.
 *
 * @example
 * const set = yield* Data.fromArrays({ shape: [32, 32, 3], images: pixels, labels, classes: 10, scale: 1 })
 * set.pipe(Data.map(Transforms.toTensor())).shape // => [3, 32, 32]
 */
export const toTensor = (): Transform<ToTensorRule> =>
  make({
    name: "toTensor",
    shape: (s) => {
      const given = image(s)
      return isRefusal(given) ? given : [given[2], given[0], given[1]]
    },
    kernel: ([height = 1, width = 1, channels = 1]) => {
      const pixels = height * width
      return (input, output) => {
        for (let i = 0; i < pixels; i++) {
          for (let c = 0; c < channels; c++) output[c * pixels + i] = input[i * channels + c]! / 255
        }
      }
    },
  })
