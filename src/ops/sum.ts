import * as K from "../gpu/Kernel.ts"
import { axis } from "../shapes/axis.ts"
import { broadcast } from "../shapes/broadcast.ts"
import { type Reduce, reduce } from "../shapes/reduce.ts"
import type { Result } from "./Result.ts"
import { isRefusal, refuse } from "../shapes/Refusal.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Tensor } from "./Tensor.ts"

export interface Reduction {
  readonly dims: ReadonlyArray<number>
  readonly keepDim: boolean
}

/** the axes of a reduction of `input` over `dims`, and the point of the input that meets `at` of the output */
export const reduction = (
  input: ReadonlyArray<number>,
  { dims, keepDim }: Reduction,
  at: ReadonlyArray<K.Index>,
): { readonly axes: ReadonlyArray<K.ReduceAxis>; readonly point: ReadonlyArray<K.Index> } => {
  const kept = input.map((_, d) => d).filter((d) => !dims.includes(d))
  const axes = dims.map((d, i) => ({ axis: K.reductionAxis(i), extent: input[d] ?? 1 }))
  const point = input.map((_, d) => {
    const i = dims.indexOf(d)
    return i >= 0 ? K.axis(K.reductionAxis(i)) : (at[keepDim ? d : kept.indexOf(d)] ?? K.int(0))
  })
  return { axes, point }
}

const sumOp: Op.Primitive<Reduction> = Op.primitive({
  name: "sum",
  shape: ([x], { dims, keepDim }) => reduce(x ?? [], dims, keepDim),
  kernel: ({ inputs, at, attributes }) => {
    const { axes, point } = reduction(inputs[0] ?? [], attributes, at)
    return [K.sum(axes, K.load(0, point))]
  },
  gradient: Op.linear((dy, { x, attributes }) => expandTo(keep(dy, x.shape, attributes.dims), x.shape)),
})

/** the result of a reduction of `shape` over `dims` with the reduced dimensions back in place, of size 1 */
export const keep = (reduced: Tensor, shape: Shape, dims: ReadonlyArray<number>): Tensor =>
  reshapeTo(
    reduced,
    shape.map((d, i) => (dims.includes(i) ? 1 : d)),
  )

const expandOp: Op.Primitive<{ readonly shape: Shape }> = Op.primitive({
  name: "expandTo",
  shape: ([x = []], { shape }) => {
    const both = broadcast(x, shape)
    return isRefusal(both) || fitsShape(both, shape)
      ? both
      : refuse(`${show(x)} cannot be repeated to ${show(shape)}, which has fewer elements`)
  },
  kernel: ({ inputs, output, at }) => [K.load(0, broadcastPoint(inputs[0] ?? [], output, at))],
  gradient: Op.linear((dy, { x }) => sumTo(dy, x.shape)),
})

/** the point of an input that meets point `at` of the output under broadcasting */
export const broadcastPoint = (
  input: ReadonlyArray<number>,
  output: ReadonlyArray<number>,
  at: ReadonlyArray<K.Index>,
): ReadonlyArray<K.Index> =>
  input.map((extent, i) => {
    const d = output.length - input.length + i
    return extent === 1 && output[d] !== 1 ? K.int(0) : (at[d] ?? K.int(0))
  })

/** `x` repeated along its dimensions of size 1, and along new ones before them, to `shape` */
export const expandTo = <S extends Shape>(x: Tensor, shape: S): Tensor<S> => Op.call(expandOp, [x], { shape })

/** the transpose of `expandTo`: `x` summed back to `shape` */
export const sumTo = <S extends Shape>(x: Tensor, shape: S): Tensor<S> => {
  const both = broadcast(shape, x.shape)
  if (isRefusal(both) || !fitsShape(both, x.shape))
    return Op.refused("sumTo", [x], refuse(`${show(x.shape)} cannot be summed to ${show(shape)}`))
  const lead = x.shape.length - shape.length
  const dims = x.shape.map((_, d) => d).filter((d) => d < lead || (shape[d - lead] === 1 && x.shape[d] !== 1))
  // with nothing to sum the shapes are the same
  if (dims.length === 0) return x as Tensor<S>
  return reshapeTo(Op.call(sumOp, [x], { dims, keepDim: true }), shape)
}

/** which dimensions to reduce (all when absent; negative ones count from the end), and whether they stay, of size 1 */
export interface ReduceOptions {
  readonly dim?: number | ReadonlyArray<number>
  readonly keepDim?: boolean
}

/** the dimensions of `options` as sorted positions in `shape`; those that do not exist stay for the rule to refuse */
export const reducedDims = (shape: Shape, { dim }: ReduceOptions): ReadonlyArray<number> => {
  const dims = dim === undefined ? shape.map((_, d) => d) : typeof dim === "number" ? [dim] : dim
  return dims.map((d) => axis(d, shape.length) ?? d).sort((a, b) => a - b)
}

type Dims<O> = O extends { readonly dim: infer D }
  ? D extends number
    ? readonly [D]
    : D extends ReadonlyArray<number>
      ? D
      : ReadonlyArray<number>
  : null
/** the shape after a reduction with options `O` */
export type Reduced<S extends Shape, O> =
  Dims<O> extends ReadonlyArray<number>
    ? Result<Reduce<S, Dims<O>, O extends { readonly keepDim: infer K extends boolean } ? K : false>>
    : O extends { readonly keepDim: true }
      ? Shape
      : []

/**
 * The sum over dimensions, all of them when none are named.
 *
 * **Shapes** `S → S` without the dimensions, or with 1 in their place (`keepDim`). **Gradient** `dy`, repeated.
 * PyTorch's `sum`.
 *
 * @example
 * Ops.sum(x, { dim: [2, 3], keepDim: true })
 */
export const sum = <S extends Shape, const O extends ReduceOptions = object>(
  x: Tensor<S>,
  options?: O,
): Tensor<Reduced<S, O>> =>
  Op.call(sumOp, [x], { dims: reducedDims(x.shape, options ?? {}), keepDim: options?.keepDim ?? false })
