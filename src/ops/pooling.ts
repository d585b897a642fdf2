/** The builders of pooling over the last two dimensions, for windows of any kind. */
import * as K from "../gpu/Kernel.ts"
import type { Refusal } from "../shapes/Refusal.ts"
import type { Pair, Shape } from "../shapes/Shape.ts"
import { firstFault, notPoolPadding, notSize } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import type { Windows } from "./windows.ts"

type Both<A> = readonly [A, A]

export interface Pooling<A> {
  readonly name: string
  readonly shape: (input: Shape, attributes: A) => Shape | Refusal
  /** the windows along height and width, from the sizes of input and output */
  readonly windows: (input: Both<number>, output: Both<number>, attributes: A) => Both<Windows>
}

/** what cannot be meant by the options of a sliding window, if anything */
export const windowFault = ({
  kernelSize,
  stride,
  padding,
}: {
  readonly kernelSize: Pair
  readonly stride: Pair
  readonly padding: Pair
}): Refusal | null =>
  firstFault({
    kernelSize: notSize(kernelSize),
    stride: notSize(stride),
    padding: notPoolPadding(padding, kernelSize),
  })

/** the attributes of a transpose know the shape that they lead back to */
type Back<A> = A & { readonly shape: Shape }

const spatial = (shape: ReadonlyArray<number>): Both<number> => [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
const lead = (at: ReadonlyArray<K.Index>): ReadonlyArray<K.Index> => at.slice(0, -2)
const last = (at: ReadonlyArray<K.Index>): Both<K.Index> => [at.at(-2) ?? K.int(0), at.at(-1) ?? K.int(0)]

const reduction = (extents: Both<number>): { readonly axes: Both<K.ReduceAxis>; readonly at: Both<K.Index> } => {
  const axis = (i: number) => K.reductionAxis(i)
  return {
    axes: [
      { axis: axis(0), extent: extents[0] },
      { axis: axis(1), extent: extents[1] },
    ],
    at: [K.axis(axis(0)), K.axis(axis(1))],
  }
}

/** `element` of each tap of the window at `at`, and `otherwise` where the window reaches beyond the input */
const overWindow = (
  at: ReadonlyArray<K.Index>,
  [h, w]: Both<Windows>,
  otherwise: number,
): { readonly axes: Both<K.ReduceAxis>; readonly body: K.Value } => {
  const { axes, at: tap } = reduction([h.taps, w.taps])
  const o = last(at)
  const element = K.load(0, [...lead(at), h.element(o[0], tap[0]), w.element(o[1], tap[1])])
  const conditions = [h.covers(o[0], tap[0]), w.covers(o[1], tap[1])].flatMap((c) => c ?? [])
  const [first, ...rest] = conditions
  return { axes, body: first === undefined ? element : K.select(K.and(first, ...rest), element, otherwise) }
}

/** the sum of `share` over the windows that cover the element at `at` */
const overOrigins = (
  at: ReadonlyArray<K.Index>,
  [h, w]: Both<Windows>,
  share: (window: ReadonlyArray<K.Index>, tap: Both<K.Index>) => K.Value,
): K.Value => {
  const i = last(at)
  const { axes, at: j } = reduction([h.origins, w.origins])
  const sole = h.origins === 1 && w.origins === 1
  const which: Both<K.Index> = sole ? [K.int(0), K.int(0)] : j
  const [y, x] = [h.origin(i[0], which[0]), w.origin(i[1], which[1])]
  const value = K.select(K.and(y.exists, x.exists), share([...lead(at), y.window, x.window], [y.tap, x.tap]), 0)
  return sole ? value : K.sum(axes, value)
}

/** The largest of each window, and the tap of the winner: the first of equals, and NaN wins. */
export const maxPooling = <A extends object>(pooling: Pooling<A>): Op.Primitive<A> => {
  const position = (tap: Both<K.Index>, w: Windows): K.Index => K.iadd(K.imul(tap[0], w.taps), tap[1])
  const forward: Op.Primitive<A> = Op.primitive({
    name: pooling.name,
    outputs: 2,
    shape: ([x = []], attributes) => pooling.shape(x, attributes),
    kernel: ({ inputs: [x = []], output, at, attributes }) => {
      const windows = pooling.windows(spatial(x), spatial(output), attributes)
      const { axes, body } = overWindow(at, windows, Number.NEGATIVE_INFINITY)
      return [K.maximum(axes, body), K.argmax(axes, body)]
    },
    gradient: {
      _tag: "Vjp",
      vjp: ({ inputs: [x], outputs: [, winner], attributes, cotangents: [dy] }) =>
        x === undefined || winner === undefined || dy == null
          ? [null]
          : [Op.call(scatter, [dy, winner], { ...attributes, shape: x.shape })],
    },
  })
  /** each element gathers from the windows that it won */
  const scatter: Op.Primitive<Back<A>> = Op.primitive({
    name: `${pooling.name}Gradient`,
    shape: (_, { shape }) => shape,
    kernel: ({ inputs: [dy = []], output, at, attributes }) => {
      const windows = pooling.windows(spatial(output), spatial(dy), attributes)
      return [
        overOrigins(at, windows, (window, tap) => {
          const won = K.compare("eq", K.load(1, window), K.toFloat(position(tap, windows[1])))
          return K.select(won, K.load(0, window), 0)
        }),
      ]
    },
    gradient: Op.vjp(({ inputs: [, winner], attributes, dy: d }) =>
      winner === undefined ? [] : [Op.call(pick, [d, winner], attributes), null],
    ),
  })
  /** the element of each window that won: the transpose of `scatter` */
  const pick: Op.Primitive<A> = Op.primitive({
    name: `${pooling.name}Pick`,
    shape: ([, winner = []]) => winner,
    kernel: ({ inputs: [x = []], output, at, attributes }) => {
      const [h, w] = pooling.windows(spatial(x), spatial(output), attributes)
      const winner = K.toIndex(K.load(1, at))
      const o = last(at)
      const row = h.element(o[0], K.idiv(winner, w.taps))
      return [K.load(0, [...lead(at), row, w.element(o[1], K.imod(winner, w.taps))])]
    },
    gradient: Op.vjp(({ inputs: [x, winner], attributes, dy }) =>
      x === undefined || winner === undefined
        ? []
        : [Op.call(scatter, [dy, winner], { ...attributes, shape: x.shape }), null],
    ),
  })
  return forward
}

/** The sum of each window over its divisor. */
export const averagePooling = <A extends object>(
  pooling: Pooling<A> & {
    /** what the sum of a window is divided by */
    readonly divisor: (window: Both<K.Index>, windows: Both<Windows>, attributes: A) => K.Index
  },
): Op.Primitive<A> => {
  const forward: Op.Primitive<A> = Op.primitive({
    name: pooling.name,
    shape: ([x = []], attributes) => pooling.shape(x, attributes),
    kernel: ({ inputs: [x = []], output, at, attributes }) => {
      const windows = pooling.windows(spatial(x), spatial(output), attributes)
      const { axes, body } = overWindow(at, windows, 0)
      return [K.div(K.sum(axes, body), K.toFloat(pooling.divisor(last(at), windows, attributes)))]
    },
    gradient: Op.linear((dy, { x, attributes }) => Op.call(spread, [dy], { ...attributes, shape: x.shape })),
  })
  const spread: Op.Primitive<Back<A>> = Op.primitive({
    name: `${pooling.name}Gradient`,
    shape: (_, { shape }) => shape,
    kernel: ({ inputs: [dy = []], output, at, attributes }) => {
      const windows = pooling.windows(spatial(output), spatial(dy), attributes)
      return [
        overOrigins(at, windows, (window) =>
          K.div(K.load(0, window), K.toFloat(pooling.divisor(last(window), windows, attributes))),
        ),
      ]
    },
    gradient: Op.linear((d, { attributes }) => Op.call(forward, [d], attributes)),
  })
  return forward
}
