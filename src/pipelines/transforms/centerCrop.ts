import { isRefusal, refuse } from "../../shapes/Refusal.ts"
import { type Pair, pairX, pairY } from "../../shapes/Shape.ts"
import { notSize, type SizePair } from "../../shapes/size.ts"
import { gather, padded } from "./gather.ts"
import { image, make, roundHalfEven, type SizeRule, type Transform } from "./Transform.ts"

/** rows (or columns) of the middle, with filling on both sides where there are too few */
const middle = (size: number, wanted: number): Int32Array => {
  const missing = Math.max(0, wanted - size)
  const all = padded(size, Math.floor(missing / 2), Math.ceil(missing / 2), "constant")
  const from = roundHalfEven((all.length - wanted) / 2)
  return all.subarray(from, from + wanted)
}

/**
 * The middle of the picture, `size` high and wide, or `[height, width]`; zeros around it where the picture is smaller.
 *
 * **Shapes** `[C, H, W] → [C, …size]`. torchvision's `CenterCrop`.
 *
 * @example
 * Transforms.compose(Transforms.resize(256), Transforms.centerCrop(224))
 */
export const centerCrop = <const P extends Pair>(size: SizePair<P>): Transform<SizeRule<P>> => {
  // a guarded argument is the argument itself, or the call does not compile
  const pair = size as Pair
  const fault = notSize(pair)
  return make({
    name: "centerCrop",
    shape: (s) => {
      if (fault !== null) return refuse(fault)
      const given = image(s)
      return isRefusal(given) ? given : [given[0], pairY(pair), pairX(pair)]
    },
    kernel: (shape) => {
      const [rows, columns] = [middle(shape[1]!, pairY(pair)), middle(shape[2]!, pairX(pair))]
      return (input, output) => gather(input, shape, output, rows, columns)
    },
  })
}
