import * as K from "../gpu/Kernel.ts"
import { type Pool2d as Rule, pool2d as rule } from "../shapes/pool2d.ts"
import { type Pair, pairX, pairY, type Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

type Two = readonly [number, number]

interface Geometry {
  readonly kernelSize: Two
  readonly stride: Two
  readonly padding: Two
  readonly dilation: Two
  readonly ceilMode: boolean
}

const inside = (i: K.Index, extent: number): K.Condition =>
  K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, extent))

/** whether some window reaches beyond the input */
const overhangs = (input: ReadonlyArray<number>, output: ReadonlyArray<number>, g: Geometry): boolean =>
  [0, 1].some((d) => {
    const [size = 1, count = 1] = [input.at(d - 2), output.at(d - 2)]
    const [k, s, p, e] = [g.kernelSize[d] ?? 1, g.stride[d] ?? 1, g.padding[d] ?? 0, g.dilation[d] ?? 1]
    return p > 0 || (count - 1) * s + (k - 1) * e >= size
  })

/** the largest value of each window, and its position in the window (row-major): the first of equals, and NaN wins */
const forward: Op.Primitive<Geometry> = Op.primitive({
  name: "maxPool2d",
  outputs: 2,
  shape: ([x = []], attributes) => rule(x, attributes),
  kernel: ({ inputs: [x = []], output, at, attributes }) => {
    const { kernelSize, stride, padding, dilation } = attributes
    const lead = x.length - 2
    const axes = kernelSize.map((extent, i) => ({ axis: K.reductionAxis(i), extent }))
    const tap = (d: 0 | 1): K.Index => {
      const first = K.imul(at[lead + d] ?? K.int(0), stride[d])
      return K.isub(K.iadd(first, K.imul(K.axis(K.reductionAxis(d)), dilation[d])), padding[d])
    }
    const [y, z] = [tap(0), tap(1)]
    const element = K.load(0, [...at.slice(0, lead), y, z])
    const there = K.and(inside(y, x[lead] ?? 1), inside(z, x[lead + 1] ?? 1))
    const body = overhangs(x, output, attributes) ? K.select(there, element, Number.NEGATIVE_INFINITY) : element
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

/** each input element gathers from the windows that it won */
const scatter: Op.Primitive<Geometry & { readonly shape: Shape }> = Op.primitive({
  name: "maxPool2dGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ inputs: [dy = []], at, attributes: { kernelSize, stride, padding, dilation } }) => {
    const lead = dy.length - 2
    const disjoint = [0, 1].every((d) => (stride[d] ?? 1) >= (kernelSize[d] ?? 1) && dilation[d] === 1)
    const position = (d: 0 | 1): K.Index => K.iadd(at[lead + d] ?? K.int(0), padding[d])
    const [oh = 1, ow = 1] = dy.slice(lead)
    if (disjoint) {
      const [y, z] = [K.idiv(position(0), stride[0]), K.idiv(position(1), stride[1])]
      const tap = K.iadd(K.imul(K.imod(position(0), stride[0]), kernelSize[1]), K.imod(position(1), stride[1]))
      const window = [...at.slice(0, lead), y, z]
      const reached = K.and(
        K.compareIndex("lt", y, oh),
        K.compareIndex("lt", z, ow),
        K.compareIndex("lt", K.imod(position(0), stride[0]), kernelSize[0]),
        K.compareIndex("lt", K.imod(position(1), stride[1]), kernelSize[1]),
      )
      const won = K.select(K.compare("eq", K.load(1, window), K.toFloat(tap)), K.load(0, window), 0)
      return [K.select(reached, won, 0)]
    }
    // over the taps (i, j) by which a window can have reached this element
    const axes = kernelSize.map((extent, i) => ({ axis: K.reductionAxis(i), extent }))
    const taps: readonly [K.Index, K.Index] = [K.axis(K.reductionAxis(0)), K.axis(K.reductionAxis(1))]
    const start = (d: 0 | 1): K.Index => K.isub(position(d), K.imul(taps[d], dilation[d]))
    const [y, z] = [K.idiv(start(0), stride[0]), K.idiv(start(1), stride[1])]
    const tap = K.iadd(K.imul(taps[0], kernelSize[1]), taps[1])
    const window = [...at.slice(0, lead), y, z]
    const reached = K.and(
      inside(y, oh),
      inside(z, ow),
      K.compareIndex("eq", K.imod(start(0), stride[0]), 0),
      K.compareIndex("eq", K.imod(start(1), stride[1]), 0),
    )
    const won = K.select(K.compare("eq", K.load(1, window), K.toFloat(tap)), K.load(0, window), 0)
    return [K.sum(axes, K.select(reached, won, 0))]
  },
  gradient: Op.vjp(({ inputs: [, winner], attributes, dy: d }) =>
    winner === undefined ? [] : [Op.call(pick, [d, winner], attributes), null],
  ),
})

/** the element of each window that won: the transpose of `scatter` */
const pick: Op.Primitive<Geometry> = Op.primitive({
  name: "maxPool2dPick",
  shape: ([, winner = []]) => winner,
  kernel: ({ at, attributes: { kernelSize, stride, padding, dilation } }) => {
    const lead = at.length - 2
    const winner = K.toIndex(K.load(1, at))
    const taps: readonly [K.Index, K.Index] = [K.idiv(winner, kernelSize[1]), K.imod(winner, kernelSize[1])]
    const tap = (d: 0 | 1): K.Index =>
      K.isub(K.iadd(K.imul(at[lead + d] ?? K.int(0), stride[d]), K.imul(taps[d], dilation[d])), padding[d])
    return [K.load(0, [...at.slice(0, lead), tap(0), tap(1)])]
  },
  gradient: Op.vjp(({ inputs: [x, winner], attributes, dy }) =>
    x === undefined || winner === undefined
      ? []
      : [Op.call(scatter, [dy, winner], { ...attributes, shape: x.shape }), null],
  ),
})

/** The options of max pooling, as PyTorch's, in camelCase. */
export interface MaxPool2dOptions {
  readonly kernelSize: Pair
  /** the kernel's size when absent */
  readonly stride?: Pair
  /** 0 when absent; at most half the kernel */
  readonly padding?: Pair
  /** 1 when absent */
  readonly dilation?: Pair
  /** rounds the output's size up */
  readonly ceilMode?: boolean
}

const two = (p: Pair): Two => [pairY(p), pairX(p)]
type Option<O, Key extends string, Default> = O extends { readonly [K in Key]: infer V } ? V : Default

/**
 * The largest element of each window; padding counts as −∞, and NaN wins.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H′, W′]`, or both without `N`. **Gradient** `dy` to the first of the largest.
 * PyTorch's `maxPool2d`.
 *
 * @example
 * Ops.maxPool2d(x, { kernelSize: 3, stride: 2 })
 */
export const maxPool2d = <X extends Shape, const O extends MaxPool2dOptions>(
  x: Tensor<X>,
  options: O,
): Tensor<
  Result<
    Rule<
      X,
      O["kernelSize"],
      Option<O, "stride", O["kernelSize"]> & Pair,
      Option<O, "padding", 0> & Pair,
      Option<O, "dilation", 1> & Pair,
      Option<O, "ceilMode", false> & boolean
    >
  >
> => {
  const { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: MaxPool2dOptions = options
  const geometry = { kernelSize: two(kernelSize), stride: two(stride), padding: two(padding), dilation: two(dilation) }
  return Op.call(forward, [x], { ...geometry, ceilMode })
}
