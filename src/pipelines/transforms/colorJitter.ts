import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./colours.ts"
import { type Range, rangeFault } from "./randomResizedCrop.ts"
import { between, coloured, type ColourRule, make, type Transform } from "./Transform.ts"

/** the range of factors that a number stands for */
const around = (given: number | Range | undefined): Range | undefined =>
  given === undefined || given === 0
    ? undefined
    : typeof given === "number"
      ? [Math.max(0, 1 - given), 1 + given]
      : given

/**
 * Brightness, contrast, saturation and hue changed at random, in a random order. A number x of the first three stands for
 * factors from 1 − x (at least 0) to 1 + x, of the hue (at most 0.5) for shifts from −x to x; a range for itself.
 *
 * **Shapes** `[C, H, W] → [C, H, W]` of 1 or 3 channels; one channel has no saturation and no hue. Pictures go from 0
 * to 1: before `normalize`. torchvision's `ColorJitter`.
 *
 * @example
 * Transforms.colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 })
 */
export const colorJitter = (options: {
  readonly brightness?: number | Range
  readonly contrast?: number | Range
  readonly saturation?: number | Range
  readonly hue?: number | Range
}): Transform<ColourRule> => {
  const { hue } = options
  const ranges = {
    brightness: around(options.brightness),
    contrast: around(options.contrast),
    saturation: around(options.saturation),
    hue: hue === undefined || hue === 0 ? undefined : typeof hue === "number" ? ([-hue, hue] as const) : hue,
  }
  const negative = (["brightness", "contrast", "saturation"] as const).find((k) => Number(options[k]) < 0)
  const fault =
    negative !== undefined
      ? `has ${negative} ${String(options[negative])}, which must be at least 0`
      : (rangeFault("brightness", ranges.brightness ?? [0, 0], 0) ??
        rangeFault("contrast", ranges.contrast ?? [0, 0], 0) ??
        rangeFault("saturation", ranges.saturation ?? [0, 0], 0) ??
        rangeFault("hue", ranges.hue ?? [0, 0], -0.5, 0.5))
  return make({
    name: "colorJitter",
    random: true,
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = coloured(s)
      return isRefusal(given) ? given : s
    },
    kernel: (shape) => {
      const pixels = shape[1]! * shape[2]!
      const steps = [
        { range: ranges.brightness, run: (o: Float32Array, x: number) => adjustBrightness(o, x) },
        { range: ranges.contrast, run: (o: Float32Array, x: number) => adjustContrast(o, pixels, x) },
        { range: ranges.saturation, run: (o: Float32Array, x: number) => adjustSaturation(o, pixels, x) },
        { range: ranges.hue, run: (o: Float32Array, x: number) => adjustHue(o, pixels, x) },
      ]
      const order = [0, 1, 2, 3]
      return (input, output, uniform) => {
        output.set(input)
        for (let i = 0; i < 4; i++) order[i] = i
        for (let i = 3; i > 0; i--) {
          const j = between(uniform(4 + i), 0, i)
          const held = order[i]!
          order[i] = order[j]!
          order[j] = held
        }
        for (const k of order) {
          const { range, run } = steps[k]!
          if (range !== undefined) run(output, range[0] + (range[1] - range[0]) * uniform(k))
        }
      }
    },
  })
}
