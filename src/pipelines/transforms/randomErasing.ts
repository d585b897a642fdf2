import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import { show } from "../../shapes/Shape.ts"
import { notProbability } from "./flips.ts"
import { normal } from "./normal.ts"
import { type Range, rangeFault } from "./randomResizedCrop.ts"
import { between, image, type ImageRule, make, roundHalfEven, type Transform } from "./Transform.ts"

/**
 * With probability `p`, a rectangle of the picture is overwritten: with a number, one for each channel, or normal noise
 * for each pixel. Its share of the area is drawn from `scale`, its ratio of height to width from `ratio`.
 *
 * **Shapes** `[C, H, W] → [C, H, W]`. torchvision's `RandomErasing`: after `normalize`.
 *
 * @example
 * Transforms.compose(Transforms.normalize([0.5], [0.5]), Transforms.randomErasing({ p: 0.5, value: "random" }))
 */
export const randomErasing = (
  options: {
    readonly p?: number
    readonly scale?: Range
    readonly ratio?: Range
    readonly value?: number | ReadonlyArray<number> | "random"
  } = {},
): Transform<ImageRule> => {
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options
  const fault = notProbability(p) ?? rangeFault("scale", scale, 0, 1) ?? rangeFault("ratio", ratio, Number.MIN_VALUE)
  const values = typeof value === "number" ? [value] : value
  return make({
    name: "randomErasing",
    random: true,
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      if (isRefusal(given)) return given
      const [c] = given
      return values === "random" || values.length === 1 || typeof c === "string" || values.length === c
        ? given
        : refuse(`writes ${values.length} values but the pictures are ${show(s)}`)
    },
    kernel: ([channels = 1, height = 1, width = 1]) => {
      const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])]
      return (input, output, uniform) => {
        output.set(input)
        if (!(uniform(0) < p)) return
        for (let n = 0; n < 10; n++) {
          const area = height * width * (scale[0] + (scale[1] - scale[0]) * uniform(4 * n + 1))
          const aspect = Math.exp(low + (high - low) * uniform(4 * n + 2))
          const h = roundHalfEven(Math.sqrt(area * aspect))
          const w = roundHalfEven(Math.sqrt(area / aspect))
          if (!(h < height && w < width)) continue
          const top = between(uniform(4 * n + 3), 0, height - h)
          const left = between(uniform(4 * n + 4), 0, width - w)
          for (let c = 0, i = 32; c < channels; c++) {
            for (let y = top; y < top + h; y++) {
              const row = (c * height + y) * width
              for (let x = left; x < left + w; x++) {
                output[row + x] = values === "random" ? normal(uniform, i++) : values[values.length === 1 ? 0 : c]!
              }
            }
          }
          return
        }
      }
    },
  })
}
