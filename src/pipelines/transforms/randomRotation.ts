import { type Range } from "./randomResizedCrop.ts"
import { rotate, type RotationOptions } from "./rotation.ts"
import { type ImageRule, keepsImage, make, type Transform } from "./Transform.ts"

/**
 * The picture turned by a random angle: between -`degrees` and `degrees`, or in the range `[from, to]`, counter-clockwise.
 *
 * **Shapes** `[C, H, W] → [C, H, W]`: what leaves the picture is lost. torchvision's `RandomRotation` without `expand`.
 *
 * @example
 * Transforms.randomRotation(15, { interpolation: "bilinear" })
 */
export const randomRotation = (degrees: number | Range, options: RotationOptions = {}): Transform<ImageRule> => {
  const [from, to] = typeof degrees === "number" ? [-degrees, degrees] : degrees
  const fault =
    Number.isFinite(from) && Number.isFinite(to) && from <= to
      ? null
      : `turns by ${from} to ${to} degrees, which must be a range`
  return make({
    name: "randomRotation",
    random: true,
    shape: keepsImage(fault),
    kernel: (shape) => (input, output, uniform) =>
      rotate(input, shape, output, from + (to - from) * uniform(0), options),
  })
}
