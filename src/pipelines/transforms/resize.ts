import type { Cmp, FloorDiv, Mul } from "../../shapes/int.ts"
import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import { type Dim, type Pair, pairX, pairY, type Shape } from "../../shapes/Shape.ts"
import { notSize, type SizePair } from "../../shapes/size.ts"
import { filter, resample, scratchFor } from "./resample.ts"
import { image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface ResizeRule<P> extends Rule {
  readonly out: Image<
    this["in"],
    P extends readonly [infer h extends number, infer w extends number]
      ? this["in"] extends readonly [infer C, unknown, unknown]
        ? [C, h, w]
        : Shape
      : this["in"] extends readonly [infer C, infer H, infer W]
        ? [C, ...Shorter<H, W, P>]
        : Shape
  >
}
/** the shorter of two sides becomes P, the other in proportion */
type Shorter<H, W, P> = P extends number
  ? H extends number
    ? W extends number
      ? number extends H | W | P
        ? [number, number]
        : Cmp<H, W> extends "<"
          ? [P, FloorDiv<Mul<P, W>, H>]
          : [FloorDiv<Mul<P, H>, W>, P]
      : [Own<H>, Own<W>]
    : [Own<H>, Own<W>]
  : Shape
/** a side of which the other is not known: each picture has its own */
type Own<D> = D extends string ? D : number

const shorter = (h: Dim, w: Dim, size: number): readonly [Dim, Dim] => {
  if (typeof h === "string" || typeof w === "string") return [h, w]
  return h < w ? [size, Math.trunc((size * w) / h)] : [Math.trunc((size * h) / w), size]
}

/**
 * The picture at another size, `[height, width]`, or with its shorter side of one `size` and the other in proportion.
 * Bilinear, and antialiased unless told: torchvision's `Resize` as it is for PIL images, and for tensors with
 * `antialias=True`.
 *
 * **Shapes** `[C, H, W] → [C, …size]`; with one number `[C, size, size · W / H]` or `[C, size · H / W, size]`, and
 * pictures that have sizes of their own still do.
 *
 * @example
 * fashion.train.pipe(Data.map(Transforms.resize([224, 224]))).shape // => [1, 224, 224]
 */
export const resize = <const P extends Pair>(
  size: SizePair<P>,
  options: { readonly antialias?: boolean } = {},
): Transform<ResizeRule<P>> => {
  // a guarded argument is the argument itself, or the call does not compile
  const pair = size as Pair
  const fault = notSize(pair)
  const { antialias = true } = options
  return make({
    name: "resize",
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      if (isRefusal(given)) return given
      const [c, h, w] = given
      return [c, ...(typeof pair === "number" ? shorter(h, w, pair) : [pairY(pair), pairX(pair)])]
    },
    kernel: (shape, out) => {
      const [height, width] = [shape[1]!, shape[2]!]
      const [h, w] = [out[1]!, out[2]!]
      if (height === h && width === w) return (input, output) => output.set(input)
      const [rows, columns] = [filter(height, h, antialias), filter(width, w, antialias)]
      const scratch = scratchFor(height, w)
      return (input, output) => resample(input, shape, output, rows, columns, scratch)
    },
  })
}
