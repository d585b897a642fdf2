import { isRefusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Show, show } from "../../shapes/Shape.ts"
import { normal } from "./normal.ts"
import { image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface RgbRule extends Rule {
  readonly out: Image<this["in"], Rgb<this["in"]>>
}
type Rgb<S> = S extends readonly [infer C, ...ReadonlyArray<unknown>]
  ? C extends number
    ? number extends C
      ? S
      : C extends 3
        ? S
        : Refuse<`expects 3 channels but the pictures are ${Show<S>}`>
    : S
  : S

/** the principal components of ImageNet's colours, from 0 to 1: deviations, and directions in columns */
const imageNet = {
  values: [0.2175, 0.0188, 0.0045],
  vectors: [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.814],
    [-0.5836, -0.6948, 0.4203],
  ],
} as const

/**
 * AlexNet's shift of colours: all pixels move along the principal components of the colours of ImageNet (or of those
 * given: `values`, and `vectors` with a row for each channel), by as many of their deviations as normal numbers of
 * deviation `std` (0.1 unless told) say.
 *
 * **Shapes** `[3, H, W] → [3, H, W]`. Krizhevsky, Sutskever and Hinton 2012, section 4.1.
 *
 * @example
 * Transforms.compose(Transforms.randomResizedCrop(224), Transforms.lighting(0.1))
 */
export const lighting = (
  std = 0.1,
  components: {
    readonly values: ReadonlyArray<number>
    readonly vectors: ReadonlyArray<ReadonlyArray<number>>
  } = imageNet,
): Transform<RgbRule> => {
  const { values, vectors } = components
  const fault =
    !(std >= 0 && Number.isFinite(std)) ||
    values.length !== 3 ||
    vectors.length !== 3 ||
    vectors.some((v) => v.length !== 3)
      ? `has deviation ${std} and ${values.length} components, which must be at least 0 and 3 in 3 directions`
      : null
  return make({
    name: "lighting",
    random: true,
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      if (isRefusal(given)) return given
      return typeof given[0] === "string" || given[0] === 3
        ? given
        : refuse(`expects 3 channels but the pictures are ${show(s)}`)
    },
    kernel: (shape) => {
      const pixels = shape[1]! * shape[2]!
      return (input, output, uniform) => {
        const along = values.map((value, j) => value * std * normal(uniform, j))
        for (let c = 0; c < 3; c++) {
          const shift = along.reduce((sum, a, j) => sum + a * vectors[c]![j]!, 0)
          for (let i = c * pixels; i < (c + 1) * pixels; i++) output[i] = input[i]! + shift
        }
      }
    },
  })
}
