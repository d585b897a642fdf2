import type { Cmp } from "../../shapes/int.ts"
import { isRefusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import {
  type Dim,
  type Pair,
  pairX,
  pairY,
  type Shape,
  type Show,
  show,
  showPair,
  type ShowPair,
  type X,
  type Y,
} from "../../shapes/Shape.ts"
import { notSize, type SizePair } from "../../shapes/size.ts"
import {
  type Columns,
  gather,
  type Grown,
  grown,
  mirrorFault,
  padded,
  type Padding,
  paddingFault,
  type PaddingMode,
  type Rows,
  sides,
} from "./gather.ts"
import { between, image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface RandomCropRule<P, Pads, Needed> extends Rule {
  readonly out: Image<
    this["in"],
    this["in"] extends readonly [infer C, infer H, infer W]
      ? Needed extends true
        ? [C, Y<P>, X<P>]
        : Holds<Grown<H, Rows<Pads>>, Y<P>> extends true
          ? Holds<Grown<W, Columns<Pads>>, X<P>> extends true
            ? [C, Y<P>, X<P>]
            : TooSmall<this["in"], P>
          : TooSmall<this["in"], P>
      : Shape
  >
}
type Holds<D, Wanted> = D extends number
  ? Wanted extends number
    ? number extends D | Wanted
      ? true
      : Cmp<D, Wanted> extends "<"
        ? false
        : true
    : true
  : true
type TooSmall<S, P> = Refuse<`takes crops of ${ShowPair<P>}, larger than pictures of ${Show<S>} with their padding`>

/**
 * A random part of the picture, `size` high and wide or `[height, width]`, every position equally likely; of the padded
 * picture where there is `padding`. With `padIfNeeded` a picture that is smaller is padded on both sides by what it lacks.
 *
 * **Shapes** `[C, H, W] → [C, …size]`; a size larger than the padded picture is refused. torchvision's `RandomCrop`.
 *
 * @example
 * cifar.train.pipe(Data.map(Transforms.randomCrop(32, { padding: 4 })))
 */
export const randomCrop = <const P extends Pair, const Pads extends Padding = 0, const Needed extends boolean = false>(
  size: SizePair<P>,
  options: {
    readonly padding?: Pads
    readonly padIfNeeded?: Needed
    readonly fill?: number
    readonly mode?: PaddingMode
  } = {},
): Transform<RandomCropRule<P, Pads, Needed>> => {
  // a guarded argument is the argument itself, or the call does not compile
  const pair = size as Pair
  const { padding = 0, padIfNeeded = false, fill = 0, mode = "constant" } = options
  const fault = notSize(pair) ?? paddingFault(padding)
  const [height, width] = [pairY(pair), pairX(pair)]
  const { left, top, right, bottom } = sides(padding)
  const lacks = (d: Dim, wanted: number) => typeof d === "number" && d < wanted
  /** what is put on both sides to have enough: all that is missing, on each */
  const needed = (n: number, wanted: number) => (padIfNeeded ? Math.max(0, wanted - n) : 0)
  const axis = (n: number, before: number, after: number, wanted: number): Int32Array => {
    const first = padded(n, before, after, mode)
    const more = needed(first.length, wanted)
    return padded(first.length, more, more, mode).map((i) => (i < 0 ? -1 : first[i]!))
  }
  return make({
    name: "randomCrop",
    random: true,
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      if (isRefusal(given)) return given
      const [c, h, w] = given
      const mirrored = mirrorFault(s, h, w, padding, mode)
      if (mirrored !== undefined) return mirrored
      if (!padIfNeeded && (lacks(grown(h, top, bottom), height) || lacks(grown(w, left, right), width))) {
        return refuse(`takes crops of ${showPair(pair)}, larger than pictures of ${show(s)} with their padding`)
      }
      return [c, height, width]
    },
    kernel: (shape) => {
      const rows = axis(shape[1]!, top, bottom, height)
      const columns = axis(shape[2]!, left, right, width)
      return (input, output, uniform) => {
        const y = between(uniform(0), 0, rows.length - height)
        const x = between(uniform(1), 0, columns.length - width)
        gather(input, shape, output, rows.subarray(y, y + height), columns.subarray(x, x + width), fill)
      }
    },
  })
}
