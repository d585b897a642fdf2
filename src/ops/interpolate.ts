import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Dim, type Pair, pairX, pairY, type Shape, show, unknownDim } from "../shapes/Shape.ts"
import { firstFault, notOneOf, notSize } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

type Mode = "nearest" | "bilinear"

type Both = readonly [height: number, width: number]

interface Attributes {
  /** what is asked for: a size, or a factor of the input's */
  readonly size: Both | null
  readonly scaleFactor: Both | null
  /** whether places are computed from the two sizes rather than from the factor */
  readonly recomputes: boolean
  readonly mode: Mode
  readonly alignCorners: boolean
}
/** input elements for each output element, as a fraction of whole numbers */
type Ratio = readonly [numerator: number, denominator: number]

/** where output position `o` falls in the input: between two elements, and how far from the first; in whole numbers */
interface Place {
  readonly first: K.Index
  readonly second: K.Index
  readonly share: K.Value
}

const place = (o: K.Index, from: number, to: number, [a, b]: Ratio, { mode, alignCorners }: Attributes): Place => {
  if (mode === "nearest") {
    const first = K.imin(K.idiv(K.imul(o, a), b), from - 1)
    return { first, second: first, share: K.constant(0) }
  }
  const [numerator, denominator] = alignCorners
    ? [K.imul(o, from - 1), Math.max(1, to - 1)]
    : [K.imax(K.isub(K.imul(K.iadd(K.imul(o, 2), 1), a), b), 0), 2 * b]
  const first = K.imin(K.idiv(numerator, denominator), from - 1)
  return {
    first,
    second: K.imin(K.iadd(first, 1), from - 1),
    share: K.div(K.toFloat(K.imod(numerator, denominator)), denominator),
  }
}

/** the ratios of height and width: of the sizes, or the inverse of the factors */
const ratios = (from: Both, to: Both, { scaleFactor, recomputes }: Attributes): readonly [Ratio, Ratio] => {
  const of = (d: 0 | 1): Ratio => (scaleFactor === null || recomputes ? [from[d], to[d]] : fraction(1 / scaleFactor[d]))
  return [of(0), of(1)]
}

/** the simplest fraction of that value (to nine digits), or one of a denominator below 1000 */
const fraction = (value: number): Ratio => {
  let [a, b]: Ratio = [Math.floor(value), 1]
  let [a0, b0]: Ratio = [1, 0]
  let rest = value - a
  while (Math.abs(a / b - value) > 1e-9 * value && rest > 1e-12) {
    const whole = Math.floor(1 / rest)
    rest = 1 / rest - whole
    if (a > 0 && whole * b + b0 >= 1000) break
    ;[a, b, a0, b0] = [whole * a + a0, whole * b + b0, a, b]
  }
  return [a, b]
}

const spatial = (shape: ReadonlyArray<number>): Both => [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
const last = (at: ReadonlyArray<K.Index>): readonly [K.Index, K.Index] => [at.at(-2) ?? K.int(0), at.at(-1) ?? K.int(0)]

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "interpolate",
  shape: ([x = []], { size, scaleFactor, mode, alignCorners }) => {
    const [n, c, h, w] = x
    if (n === undefined || c === undefined || h === undefined || w === undefined || x.length !== 4)
      return refuse(`expects [N, C, H, W] but the input gives ${show(x)}`)
    const unknown = firstFault({ mode: notOneOf(mode, ["nearest", "bilinear"]) })
    if (unknown !== null) return unknown
    if ((size === null) === (scaleFactor === null)) return refuse("needs either a size or a scaleFactor")
    if (mode === "nearest" && alignCorners) return refuse("aligns corners only where its mode is bilinear")
    const wrong = scaleFactor?.find((f) => !(f > 0 && Number.isFinite(f)))
    if (wrong !== undefined) return refuse(`has a wrong scaleFactor: ${wrong} is no factor above 0`)
    const along = (d: Dim, i: 0 | 1): Dim =>
      size !== null ? size[i] : typeof d === "number" ? Math.floor(d * (scaleFactor?.[i] ?? 1)) : unknownDim
    const [height, width] = [along(h, 0), along(w, 1)]
    const fault = [height, width].flatMap((d) => (typeof d === "number" ? (notSize(d) ?? []) : []))[0]
    if (fault !== undefined) return refuse(`gives no image of ${height}×${width}: ${fault}`)
    return h === 0 || w === 0 ? refuse(`has nothing to resize in ${show(x)}`) : [n, c, height, width]
  },
  kernel: ({ inputs: [x = []], output, at, attributes }) => {
    const [from, to, o] = [spatial(x), spatial(output), last(at)]
    const [r, q] = ratios(from, to, attributes)
    const [row, column] = [place(o[0], from[0], to[0], r, attributes), place(o[1], from[1], to[1], q, attributes)]
    const element = (y: K.Index, z: K.Index): K.Value => K.load(0, [...at.slice(0, -2), y, z])
    if (attributes.mode === "nearest") return [element(row.first, column.first)]
    const along = (y: K.Index): K.Value =>
      K.add(K.mul(element(y, column.first), K.sub(1, column.share)), K.mul(element(y, column.second), column.share))
    return [K.add(K.mul(along(row.first), K.sub(1, row.share)), K.mul(along(row.second), row.share))]
  },
  gradient: Op.linear((dy, { x, attributes }) => Op.call(spread, [dy], { ...attributes, shape: x.shape })),
})

/** each element gathers from the outputs that it had a share in */
const spread: Op.Primitive<Attributes & { readonly shape: Shape }> = Op.primitive({
  name: "interpolateGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ inputs: [dy = []], output, at, attributes }) => {
    const [from, to, i] = [spatial(output), spatial(dy), last(at)]
    const dims = [0, 1] as const
    const both = ratios(from, to, attributes)
    const candidates = dims.map((d) => {
      const { start, extent } = reach(i[d], from[d], to[d], both[d], attributes.alignCorners)
      const axis = K.reductionAxis(d)
      const o = K.iadd(start, K.axis(axis))
      const { first: a, second: b, share } = place(o, from[d], to[d], both[d], attributes)
      const weight = K.add(
        K.select(K.compareIndex("eq", a, i[d]), K.sub(1, share), 0),
        K.select(K.compareIndex("eq", b, i[d]), attributes.mode === "nearest" ? 0 : share, 0),
      )
      return { o, weight, axis: { axis, extent } }
    })
    const [y, x] = candidates
    if (y === undefined || x === undefined) return []
    const axes = [y.axis, x.axis]
    return [K.sum(axes, K.mul(K.load(0, [...at.slice(0, -2), y.o, x.o]), K.mul(y.weight, x.weight)))]
  },
  gradient: Op.linear((d, { attributes }) => Op.call(forward, [d], attributes)),
})

/** outputs that exist, among which are all that can have had a share in element `i` */
const reach = (
  i: K.Index,
  from: number,
  to: number,
  [a, b]: Ratio,
  alignCorners: boolean,
): { readonly start: K.Index; readonly extent: number } => {
  // output elements for each input element: those within one element's distance have a share, with some to spare
  const [p, q] = alignCorners ? [Math.max(1, to - 1), Math.max(1, from - 1)] : [b, a]
  // what is beyond the last place falls to the last element
  const beyond = to - Math.floor((from * p) / q)
  const extent = Math.min(to, Math.ceil((3 * p) / q) + 4 + Math.max(0, beyond))
  return { start: K.imin(K.imax(K.isub(K.idiv(K.imul(K.isub(i, 1), p), q), 2), 0), to - extent), extent }
}

/** The options of resizing, as PyTorch's, in camelCase; one of `size` and `scaleFactor`. */
export interface InterpolateOptions {
  readonly size?: Pair
  /** of the size, which is rounded down; places are computed from the factor as it is */
  readonly scaleFactor?: Pair
  /** whether places are computed from the sizes instead: false when absent */
  readonly recomputeScaleFactor?: boolean
  /** "nearest" when absent */
  readonly mode?: Mode
  /** whether the corners' centres, rather than their outer edges, are made to meet: false when absent */
  readonly alignCorners?: boolean
}

/**
 * Images in another size.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`. **Gradient** each element gathers `dy` by its share. PyTorch's
 * `interpolate`.
 *
 * @example
 * Ops.interpolate(x, { size: [14, 14], mode: "bilinear" })
 */
export const interpolate = (
  x: Tensor,
  { size, scaleFactor, recomputeScaleFactor = false, mode = "nearest", alignCorners = false }: InterpolateOptions,
): Tensor => {
  const both = (p: Pair | undefined): Both | null => (p === undefined ? null : [pairY(p), pairX(p)])
  const asked = { size: both(size), scaleFactor: both(scaleFactor), recomputes: recomputeScaleFactor }
  return Op.call(forward, [x], { ...asked, mode, alignCorners })
}
