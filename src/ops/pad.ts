import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Shape, unknownDim } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

export type PadMode = "constant" | "reflect" | "replicate" | "circular"

/** of the last dimension, or of the last and the one before it, as PyTorch orders them */
export type Sides =
  | readonly [left: number, right: number]
  | readonly [left: number, right: number, top: number, bottom: number]

interface Attributes {
  readonly sides: Sides
  readonly mode: PadMode
  readonly value: number
}

interface Edge {
  readonly before: number
  readonly after: number
}
const edges = ([left, right, top = 0, bottom = 0]: Sides): readonly [Edge, Edge] => [
  { before: top, after: bottom },
  { before: left, after: right },
]

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

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "pad",
  shape: ([x = []], { sides, mode }) => {
    const lead = x.length - 2
    if (lead < 0) return refuse(`expects at least two dimensions but is given ${x.length}`)
    const out: Array<Shape[number]> = x.slice(0, lead)
    for (const [d, { before, after }] of edges(sides).entries()) {
      const size = x[lead + d] ?? 1
      const most = mode === "reflect" && typeof size === "number" ? size - 1 : mode === "circular" ? size : Infinity
      if (typeof most === "number" && Math.max(before, after) > most)
        return refuse(`has a ${mode} padding of ${Math.max(before, after)}, more than its input of ${size} can give`)
      out.push(typeof size === "number" ? size + before + after : before + after === 0 ? size : unknownDim)
    }
    return out
  },
  kernel: ({ inputs: [x = []], at, attributes: { sides, mode, value } }) => {
    const lead = x.length - 2
    const from = edges(sides).map(({ before }, d) => K.isub(at[lead + d] ?? K.int(0), before))
    const sizes = x.slice(lead)
    const point = from.map((i, d) => source[mode](i, sizes[d] ?? 1))
    const element = K.load(0, [...at.slice(0, lead), ...point])
    if (mode !== "constant") return [element]
    const [y = K.int(0), z = K.int(0)] = from
    return [K.select(K.and(inside(y, sizes[0] ?? 1), inside(z, sizes[1] ?? 1)), element, value)]
  },
  gradient: Op.linear((dy, { x, attributes }) => Op.call(transpose, [dy], { ...attributes, shape: x.shape })),
})

/**
 * For one dimension: how many padded positions can have come from one of its own, and the `k`-th of them for position
 * `i` with the condition under which it exists.
 */
const origins: Record<
  PadMode,
  (
    edge: Edge,
    size: number,
  ) => { readonly count: number; readonly at: (i: K.Index, k: K.Index) => readonly [K.Index, K.Condition] }
> = {
  constant: ({ before }) => ({ count: 1, at: (i) => [K.iadd(i, before), K.compareIndex("ge", i, 0)] }),
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
    const lead = output.length - 2
    const along = edges(sides).map((edge, d) => origins[mode](edge, output[lead + d] ?? 1))
    const axes = along.map(({ count }, i) => ({ axis: K.reductionAxis(i), extent: count }))
    const found = along.map(({ at: position }, d) => position(at[lead + d] ?? K.int(0), K.axis(K.reductionAxis(d))))
    const element = K.load(0, [...at.slice(0, lead), ...found.map(([i]) => i)])
    const [first, ...rest] = found.map(([, exists]) => exists)
    return [K.sum(axes, first === undefined ? element : K.select(K.and(first, ...rest), element, 0))]
  },
  gradient: Op.linear((dy, { attributes }) => Op.call(forward, [dy], attributes)),
})

/**
 * Values beyond the border of the last two dimensions.
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
): Tensor => Op.call(forward, [x], { sides, mode, value })
