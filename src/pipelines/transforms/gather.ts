/** Crops, pads and flips: each row and column of the result is one of the picture's, or filling. */
import type { SampleShape } from "../data/Dataset.ts"
import { refuse, type Refusal } from "../../shapes/Refusal.ts"
import { addDim, type AddDim, type Dim, type Shape, show } from "../../shapes/Shape.ts"

/** What stands beyond the edge of a picture, in torchvision's words. */
export type PaddingMode =
  /** a constant */
  | "constant"
  /** the last pixel */
  | "edge"
  /** the picture mirrored, without its last pixel */
  | "reflect"
  /** the picture mirrored, with its last pixel */
  | "symmetric"

/** One number for all sides, `[left and right, top and bottom]`, or `[left, top, right, bottom]`. */
export type Padding =
  | number
  | readonly [horizontal: number, vertical: number]
  | readonly [left: number, top: number, right: number, bottom: number]

export interface Sides {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}
export const sides = (padding: Padding): Sides => {
  const [left, top, right, bottom] =
    typeof padding === "number"
      ? [padding, padding, padding, padding]
      : padding.length === 2
        ? [padding[0], padding[1], padding[0], padding[1]]
        : padding
  return { left, top, right, bottom }
}
/** the sides that padding adds to heights and widths, as types */
export type Rows<P> = P extends number
  ? [P, P]
  : P extends readonly [unknown, infer v extends number]
    ? [v, v]
    : P extends readonly [unknown, infer t extends number, unknown, infer b extends number]
      ? [t, b]
      : [number, number]
export type Columns<P> = P extends number
  ? [P, P]
  : P extends readonly [infer h extends number, unknown]
    ? [h, h]
    : P extends readonly [infer l extends number, unknown, infer r extends number, unknown]
      ? [l, r]
      : [number, number]

/** a size with some pixels more on both sides; a size of each picture's own stays one */
export type Grown<D, By> = D extends string
  ? D
  : D extends number
    ? By extends [infer a extends number, infer b extends number]
      ? AddDim<AddDim<D, a>, b>
      : number
    : number
export const grown = (d: Dim, before: number, after: number): Dim =>
  typeof d === "string" ? d : addDim(addDim(d, before), after)

/** the sentence about padding that cannot be meant, or `null` */
export const paddingFault = (padding: Padding): string | null => {
  const wrong = Object.values(sides(padding)).find((n) => !Number.isSafeInteger(n) || n < 0)
  return wrong === undefined ? null : `has padding ${wrong}, which must be a count: 0, 1, 2, ...`
}
/** a mirror shows no more than the picture */
export const mirrorFault = (s: Shape, h: Dim, w: Dim, padding: Padding, mode: PaddingMode): Refusal | undefined => {
  const { left, top, right, bottom } = sides(padding)
  const most = (d: Dim) => (mode === "reflect" ? Number(d) - 1 : Number(d))
  const tooFar = (d: Dim, n: number) => typeof d === "number" && n > most(d)
  return (mode === "reflect" || mode === "symmetric") &&
    (tooFar(w, Math.max(left, right)) || tooFar(h, Math.max(top, bottom)))
    ? refuse(`pads more pixels than it can mirror of pictures of ${show(s)}`)
    : undefined
}

/** for each row (or column) of a padded picture, which of the picture's it is; -1 for filling */
export const padded = (size: number, before: number, after: number, mode: PaddingMode): Int32Array =>
  Int32Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before
    if (at >= 0 && at < size) return at
    if (mode === "constant") return -1
    if (mode === "edge") return at < 0 ? 0 : size - 1
    const mirror = mode === "reflect" ? 0 : 1
    return at < 0 ? -at - mirror : 2 * size - 2 - at + mirror
  })

/** the picture made of these rows and columns of another */
export const gather = (
  input: Float32Array,
  [channels = 1, height = 1, width = 1]: SampleShape,
  output: Float32Array,
  rows: Int32Array,
  columns: Int32Array,
  fill = 0,
): void => {
  const [h, w] = [rows.length, columns.length]
  const straight = w > 0 && columns[0]! >= 0 && columns.every((c, i) => c === columns[0]! + i)
  for (let c = 0, to = 0; c < channels; c++) {
    for (let y = 0; y < h; y++, to += w) {
      if (rows[y]! < 0) {
        output.fill(fill, to, to + w)
        continue
      }
      const from = (c * height + rows[y]!) * width
      if (straight) output.set(input.subarray(from + columns[0]!, from + columns[0]! + w), to)
      else for (let x = 0; x < w; x++) output[to + x] = columns[x]! < 0 ? fill : input[from + columns[x]!]!
    }
  }
}
