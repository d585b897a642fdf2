import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import { type Pair, pairX, pairY } from "../../shapes/Shape.ts"
import { notSize, type SizePair } from "../../shapes/size.ts"
import { filter, resample, scratchFor } from "./resample.ts"
import { between, image, make, roundHalfEven, type SizeRule, type Transform } from "./Transform.ts"

/** A range from the first to the second. */
export type Range = readonly [from: number, to: number]

/** the sentence about a range that is none, or `null` */
export const rangeFault = (name: string, [from, to]: Range, least: number, most = Infinity): string | null =>
  from >= least && to <= most && from <= to
    ? null
    : `has ${name} from ${from} to ${to}, which must be a range ${most === Infinity ? `above ${least}` : `within ${least} to ${most}`}`

export interface Region {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** a part of a picture with an area and a ratio of sides drawn at random; the middle where ten draws do not fit */
export const randomRegion = (
  height: number,
  width: number,
  scale: Range,
  ratio: Range,
  uniform: (i: number) => number,
): Region => {
  const [low, high] = [Math.log(ratio[0]), Math.log(ratio[1])]
  for (let i = 0; i < 10; i++) {
    const area = height * width * (scale[0] + (scale[1] - scale[0]) * uniform(4 * i))
    const aspect = Math.exp(low + (high - low) * uniform(4 * i + 1))
    const w = roundHalfEven(Math.sqrt(area * aspect))
    const h = roundHalfEven(Math.sqrt(area / aspect))
    if (w > 0 && w <= width && h > 0 && h <= height) {
      const top = between(uniform(4 * i + 2), 0, height - h)
      return { top, left: between(uniform(4 * i + 3), 0, width - w), height: h, width: w }
    }
  }
  const own = width / height
  // torchvision rounds here too, to what may be one more than there is
  const h = own < ratio[0] ? Math.min(height, roundHalfEven(width / ratio[0])) : height
  const w = own > ratio[1] ? Math.min(width, roundHalfEven(height * ratio[1])) : width
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w }
}

/** brings one part of a picture to a size */
export const cropResizer = (shape: ReadonlyArray<number>, h: number, w: number, antialias: boolean) => {
  const scratch = scratchFor(shape[1]!, w)
  return (input: Float32Array, output: Float32Array, { top, left, height, width }: Region): void => {
    const [rows, columns] = [filter(height, h, antialias, top), filter(width, w, antialias, left)]
    resample(input, shape, output, rows, columns, scratch)
  }
}

/**
 * A random part of the picture, brought to `size`: its area is a share of the picture's drawn from `scale`, its ratio of
 * width to height from `ratio` (evenly by its logarithm). Bilinear, and antialiased unless told.
 *
 * **Shapes** `[C, H, W] → [C, …size]`. torchvision's `RandomResizedCrop`.
 *
 * @example
 * Transforms.randomResizedCrop(224, { scale: [0.08, 1] })
 */
export const randomResizedCrop = <const P extends Pair>(
  size: SizePair<P>,
  options: { readonly scale?: Range; readonly ratio?: Range; readonly antialias?: boolean } = {},
): Transform<SizeRule<P>> => {
  // a guarded argument is the argument itself, or the call does not compile
  const pair = size as Pair
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], antialias = true } = options
  const fault = notSize(pair) ?? rangeFault("scale", scale, 0, 1) ?? rangeFault("ratio", ratio, Number.MIN_VALUE)
  return make({
    name: "randomResizedCrop",
    random: true,
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      return isRefusal(given) ? given : [given[0], pairY(pair), pairX(pair)]
    },
    kernel: (shape) => {
      const run = cropResizer(shape, pairY(pair), pairX(pair), antialias)
      return (input, output, uniform) => run(input, output, randomRegion(shape[1]!, shape[2]!, scale, ratio, uniform))
    },
  })
}
