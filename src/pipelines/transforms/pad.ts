import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import type { Shape } from "../../shapes/Shape.ts"
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
import { image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface PadRule<P> extends Rule {
  readonly out: Image<
    this["in"],
    this["in"] extends readonly [infer C, infer H, infer W] ? [C, Grown<H, Rows<P>>, Grown<W, Columns<P>>] : Shape
  >
}

/**
 * The picture with pixels put around it: `fill` (0 unless told), or what `mode` says of the picture itself.
 *
 * **Shapes** `[C, H, W] → [C, top + H + bottom, left + W + right]`. torchvision's `Pad`.
 *
 * @example
 * Transforms.pad(4) // and Transforms.pad([left, top, right, bottom], { mode: "reflect" })
 */
export const pad = <const P extends Padding>(
  padding: P,
  options: { readonly fill?: number; readonly mode?: PaddingMode } = {},
): Transform<PadRule<P>> => {
  const { fill = 0, mode = "constant" } = options
  const fault = paddingFault(padding)
  const { left, top, right, bottom } = sides(padding)
  return make({
    name: "pad",
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      if (isRefusal(given)) return given
      const [c, h, w] = given
      return mirrorFault(s, h, w, padding, mode) ?? [c, grown(h, top, bottom), grown(w, left, right)]
    },
    kernel: (shape) => {
      const rows = padded(shape[1]!, top, bottom, mode)
      const columns = padded(shape[2]!, left, right, mode)
      return (input, output) => gather(input, shape, output, rows, columns, fill)
    },
  })
}
