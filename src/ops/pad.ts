import * as K from "../gpu/Kernel.ts"
import { type Refusal, refuse } from "../shapes/Refusal.ts"
import { type Shape, show, unknownDim } from "../shapes/Shape.ts"
import { firstFault, notOneOf } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { slice } from "./slice.ts"
import type { Tensor } from "./Tensor.ts"

export type PadMode = "constant" | "reflect" | "replicate" | "circular"

/** before and after the last dimension, then before and after the one in front of it, and so on, as PyTorch orders them */
export type Sides = ReadonlyArray<number>

interface Attributes {
  readonly sides: Sides
  readonly mode: PadMode
  readonly value: number
}

interface Edge {
  readonly before: number
  readonly after: number
}
/** what is put before and after each dimension of a tensor of that rank */
const edges = (sides: Sides, rank: number): ReadonlyArray<Edge> =>
  Array.from({ length: rank }, (_, d) => {
    const at = 2 * (rank - 1 - d)
    return { before: sides[at] ?? 0, after: sides[at + 1] ?? 0 }
  })
const isPadded = ({ before, after }: Edge): boolean => before > 0 || after > 0

/** where position `i` of the padded dimension comes from, in a dimension of `size` */
const source: Record<PadMode, (i: K.Index, size: number) => K.Index> = {
  constant: (i) => i,
  replicate: (i, size) => K.imin(K.imax(i, 0), size - 1),
  circular: (i, size) => K.imod(i, size),
  // |i| folds the left side over, and size − 1 − |size − 1 − i| the right
  reflect: (i, size) => {
    const left = K.imax(i, K.isub(0, i))
    const beyond = K.isub(size - 1, left)
    return K.isub(size - 1, K.imax(beyond, K.isub(0, beyond)))
  },
}

const inside = (i: K.Index, extent: number): K.Condition =>
  K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, extent))

/** the most that a mode can put on a side of a dimension of that size */
const most: Record<PadMode, (size: number) => number> = {
  constant: () => Number.POSITIVE_INFINITY,
  replicate: (size) => (size > 0 ? Number.POSITIVE_INFINITY : 0),
  circular: (size) => size,
  reflect: (size) => Math.max(0, size - 1),
}

/** The refusal of a padding that is wider than a dimension of that size can give, or `null`. */
export const notEnough = (mode: PadMode, size: Shape[number], widest: number): Refusal | null =>
  typeof size === "number" && widest > most[mode](size)
    ? refuse(`has a ${mode} padding of ${widest}, more than its input of ${size} can give`)
    : null

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "pad",
  shape: ([x = []], { sides, mode }) => {
    const fault = firstFault({ mode: notOneOf(mode, Object.keys(most)) })
    if (fault !== null) return fault
    if (sides.length % 2 !== 0 || !sides.every(Number.isSafeInteger))
      return refuse(`expects pairs of whole numbers but is given [${sides.join(", ")}]`)
    if (sides.length > 2 * x.length)
      return refuse(`has padding for ${sides.length / 2} dimensions but the input gives ${show(x)}`)
    const out: Array<Shape[number]> = []
    for (const [d, edge] of edges(sides, x.length).entries()) {
      const { before, after } = edge
      const size = x[d] ?? 1
      const tooMuch = notEnough(mode, size, Math.max(before, after))
      if (tooMuch !== null) return tooMuch
      out.push(typeof size === "number" ? size + before + after : isPadded(edge) ? unknownDim : size)
    }
    return out
  },
  kernel: ({ inputs: [x = []], at, attributes: { sides, mode, value } }) => {
    const along = edges(sides, x.length)
    const from = along.map(({ before }, d) => K.isub(at[d] ?? K.int(0), before))
    const element = K.load(
      0,
      from.map((i, d) => (isPadded(along[d] ?? none) ? source[mode](i, x[d] ?? 1) : i)),
    )
    const [first, ...rest] = from.flatMap((i, d) => (isPadded(along[d] ?? none) ? [inside(i, x[d] ?? 1)] : []))
    return [mode === "constant" && first !== undefined ? K.select(K.and(first, ...rest), element, value) : element]
  },
  gradient: Op.linear((dy, { x, attributes }) => Op.call(transpose, [dy], { ...attributes, shape: x.shape })),
})
const none: Edge = { before: 0, after: 0 }

/** the `k`-th padded position of an element, and the condition under which it exists */
type Origin = readonly [K.Index, K.Condition | null]

/**
 * For one dimension: how many padded positions can have come from one of its own, and the `k`-th of them for position
 * `i` with the condition under which it exists.
 */
const origins: Record<
  PadMode,
  (edge: Edge, size: number) => { readonly count: number; readonly at: (i: K.Index, k: K.Index) => Origin }
> = {
  constant: ({ before }) => ({ count: 1, at: (i) => [K.iadd(i, before), null] }),
  replicate: ({ before, after }, size) => ({
    count: before + after + 1,
    at: (i, k) => {
      const offset = K.isub(k, before)
      const own = K.compareIndex("eq", offset, 0)
      const first = K.and(K.compareIndex("eq", i, 0), K.compareIndex("lt", offset, 0))
      const last = K.and(K.compareIndex("eq", i, size - 1), K.compareIndex("gt", offset, 0))
      return [K.iadd(K.iadd(i, before), offset), K.or(own, first, last)]
    },
  }),
  circular: ({ before, after }, size) => ({
    count: 3,
    at: (i, k) => {
      const position = K.iadd(K.iadd(i, before), K.imul(K.isub(k, 1), size))
      return [position, inside(position, size + before + after)]
    },
  }),
  // k = 0: folded on the left, 1: itself, 2: folded on the right
  reflect: ({ before, after }, size) => ({
    count: 3,
    at: (i, k) => {
      const side = K.isub(k, 1)
      const folded = K.iadd(K.isub(before, i), K.imul(K.imax(side, 0), 2 * (size - 1)))
      const isSelf = K.isub(1, K.imul(side, side))
      const position = K.iadd(K.imul(isSelf, K.iadd(i, before)), K.imul(K.imul(side, side), folded))
      const pivot = K.or(
        K.compareIndex("eq", side, 0),
        K.and(K.compareIndex("lt", side, 0), K.compareIndex("ge", i, 1)),
        K.and(K.compareIndex("gt", side, 0), K.compareIndex("le", i, size - 2)),
      )
      return [position, K.and(pivot, inside(position, size + before + after))]
    },
  }),
}

/** each element gathers what was copied from it */
const transpose: Op.Primitive<Attributes & { readonly shape: Shape }> = Op.primitive({
  name: "padGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ output, at, attributes: { sides, mode } }) => {
    const axes: Array<K.ReduceAxis> = []
    const found = edges(sides, output.length).map((edge, d): Origin => {
      const i = at[d] ?? K.int(0)
      if (!isPadded(edge)) return [i, null]
      const { count, at: position } = origins[mode](edge, output[d] ?? 1)
      if (count === 1) return position(i, K.int(0))
      const axis = K.reductionAxis(axes.length)
      axes.push({ axis, extent: count })
      return position(i, K.axis(axis))
    })
    const element = K.load(
      0,
      found.map(([i]) => i),
    )
    const [first, ...rest] = found.flatMap(([, exists]) => exists ?? [])
    const gathered = first === undefined ? element : K.select(K.and(first, ...rest), element, 0)
    return [axes.length === 0 ? gathered : K.sum(axes, gathered)]
  },
  gradient: Op.linear((dy, { attributes }) => Op.call(forward, [dy], attributes)),
})

/**
 * Values beyond the border: as many dimensions as there are pairs of `sides`, the last of the tensor first. Negative
 * numbers take away, before anything is put there.
 *
 * **Shapes** `[…, H, W] → […, H + top + bottom, W + left + right]`. **Gradient** each element gathers its copies.
 * PyTorch's `pad`.
 *
 * @example
 * Ops.pad(x, [1, 2, 3, 0], { mode: "reflect" }) // left, right, top, bottom
 */
export const pad = (
  x: Tensor,
  sides: Sides,
  { mode = "constant", value = 0 }: { readonly mode?: PadMode; readonly value?: number } = {},
): Tensor => {
  const fits = sides.length % 2 === 0 && sides.length <= 2 * x.shape.length && sides.every(Number.isSafeInteger)
  const cropped = !fits
    ? x
    : edges(sides, x.shape.length).reduce<Tensor>(
        (t, { before, after }, d) =>
          before < 0 || after < 0 ? slice(t, d, Math.max(0, -before), after < 0 ? after : undefined) : t,
        x,
      )
  const put = fits ? sides.map((n) => Math.max(0, n)) : sides
  return Op.call(forward, [cropped], { sides: put, mode, value })
}
