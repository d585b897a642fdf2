import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Pair, pairX, pairY, type Shape, show } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

type Mode = "nearest" | "bilinear"

interface Attributes {
  readonly size: readonly [number, number]
  readonly mode: Mode
  readonly alignCorners: boolean
}

/** where output position `o` falls in the input: between two elements, and how far from the first; in whole numbers */
interface Place {
  readonly first: K.Index
  readonly second: K.Index
  readonly share: K.Value
}

const place = (o: K.Index, from: number, to: number, { mode, alignCorners }: Attributes): Place => {
  if (mode === "nearest") {
    const first = K.idiv(K.imul(o, from), to)
    return { first, second: first, share: K.constant(0) }
  }
  const [numerator, denominator] = alignCorners
    ? [K.imul(o, from - 1), Math.max(1, to - 1)]
    : [K.imax(K.isub(K.imul(K.iadd(K.imul(o, 2), 1), from), to), 0), 2 * to]
  const first = K.idiv(numerator, denominator)
  return {
    first,
    second: K.imin(K.iadd(first, 1), from - 1),
    share: K.div(K.toFloat(K.imod(numerator, denominator)), denominator),
  }
}

const spatial = (shape: ReadonlyArray<number>): readonly [number, number] => [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
const last = (at: ReadonlyArray<K.Index>): readonly [K.Index, K.Index] => [at.at(-2) ?? K.int(0), at.at(-1) ?? K.int(0)]

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "interpolate",
  shape: ([x = []], { size }) =>
    x.length === 4 ? [...x.slice(0, 2), ...size] : refuse(`expects [N, C, H, W] but the input gives ${show(x)}`),
  kernel: ({ inputs: [x = []], output, at, attributes }) => {
    const [from, to, o] = [spatial(x), spatial(output), last(at)]
    const [row, column] = [place(o[0], from[0], to[0], attributes), place(o[1], from[1], to[1], attributes)]
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
    // outputs within two elements' distance are all that can have had a share
    const axes = dims.map((d) => ({
      axis: K.reductionAxis(d),
      extent: Math.min(to[d], Math.ceil((4 * to[d]) / Math.max(1, from[d] - 1)) + 3),
    }))
    const candidates = dims.map((d) => {
      const o = K.iadd(first(i[d], from[d], to[d], axes[d]?.extent ?? 1), K.axis(K.reductionAxis(d)))
      const { first: a, second: b, share } = place(o, from[d], to[d], attributes)
      const weight = K.add(
        K.select(K.compareIndex("eq", a, i[d]), K.sub(1, share), 0),
        K.select(K.compareIndex("eq", b, i[d]), attributes.mode === "nearest" ? 0 : share, 0),
      )
      return { o, weight }
    })
    const [y, x] = candidates
    if (y === undefined || x === undefined) return []
    return [K.sum(axes, K.mul(K.load(0, [...at.slice(0, -2), y.o, x.o]), K.mul(y.weight, x.weight)))]
  },
  gradient: Op.linear((d, { attributes }) => Op.call(forward, [d], attributes)),
})

/** the first of `extent` outputs around element `i`, all of which exist */
const first = (i: K.Index, from: number, to: number, extent: number): K.Index =>
  K.imin(K.imax(K.isub(K.idiv(K.imul(K.isub(i, 1), to), from), 2), 0), to - extent)

/** The options of resizing, as PyTorch's, in camelCase; one of `size` and `scaleFactor`. */
export interface InterpolateOptions {
  readonly size?: Pair
  /** a factor that gives whole numbers of pixels */
  readonly scaleFactor?: Pair
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
  { size, scaleFactor = 1, mode = "nearest", alignCorners = false }: InterpolateOptions,
): Tensor => {
  const sizes = spatial(x.shape.map(Number))
  const target =
    size === undefined
      ? ([Math.floor(sizes[0] * pairY(scaleFactor)), Math.floor(sizes[1] * pairX(scaleFactor))] as const)
      : ([pairY(size), pairX(size)] as const)
  return Op.call(forward, [x], { size: target, mode, alignCorners })
}
