import * as K from "../gpu/Kernel.ts"
import { axis } from "../shapes/axis.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

interface Attributes {
  readonly paddingIndex: number | null
}

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "embedding",
  shape: ([index = [], weight = []], { paddingIndex }) => {
    const [count, features] = weight
    if (count === undefined || features === undefined || weight.length !== 2)
      return refuse(`expects a weight [count, features] but is given ${show(weight)}`)
    return paddingIndex === null || typeof count === "string" || axis(paddingIndex, count) !== null
      ? [...index, features]
      : refuse(`has a wrong paddingIndex: ${paddingIndex} is no row of ${count}`)
  },
  kernel: ({ inputs: [, weight = []], at }) => {
    const index = K.load(0, at.slice(0, -1))
    const valid = K.and(K.compare("ge", index, 0), K.compare("lt", index, weight[0] ?? 0))
    // an index that does not exist must not pass unseen
    return [K.select(valid, K.load(1, [K.toIndex(index), at.at(-1) ?? K.int(0)]), Number.NaN)]
  },
  gradient: Op.vjp(({ inputs: [index, weight], attributes, dy }) =>
    index === undefined || weight === undefined
      ? []
      : [null, Op.call(scatter, [dy, index], { ...attributes, shape: weight.shape })],
  ),
})

const scatter: Op.Primitive<Attributes & { readonly shape: Shape }> = Op.primitive({
  name: "embeddingGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ inputs: [, index = []], output, at, attributes: { paddingIndex } }) => {
    const [row = K.int(0), feature = K.int(0)] = at
    const padding = paddingIndex === null ? null : axis(paddingIndex, output[0] ?? 0)
    const axes = index.map((extent, i) => ({ axis: K.reductionAxis(i), extent }))
    const where = axes.map((a) => K.axis(a.axis))
    const own = K.compare("eq", K.load(1, where), K.toFloat(row))
    const counts = padding === null ? own : K.and(own, K.compareIndex("ne", row, padding))
    return [K.sum(axes, K.select(counts, K.load(0, [...where, feature]), 0))]
  },
  gradient: Op.vjp(({ inputs: [, index], attributes, dy }) =>
    index === undefined ? [] : [Op.call(forward, [index, dy], attributes), null],
  ),
})

/**
 * Rows of a table by their numbers. The row `paddingIndex` (negative: counted from the end) gets no gradient; a row that
 * does not exist gives NaN.
 *
 * **Shapes** `[…] × [count, features] → […, features]`. **Gradient** each row gathers the `dy` of its uses.
 * PyTorch's `embedding`.
 */
export const embedding = <I extends Shape, W extends readonly [number, number]>(
  index: Tensor<I>,
  weight: Tensor<W>,
  { paddingIndex = null }: Partial<Attributes> = {},
): Tensor<[...I, W[1]]> => Op.call(forward, [index, weight], { paddingIndex })
