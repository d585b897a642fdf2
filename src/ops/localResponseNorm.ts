import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import { firstFault, notSize } from "../shapes/size.ts"
import { elementwise } from "./elementwise.ts"
import { mul } from "./mul.ts"
import * as Op from "./Op.ts"
import { square } from "./square.ts"
import type { Tensor } from "./Tensor.ts"
import { within } from "./windows.ts"

interface Neighbours {
  readonly before: number
  readonly after: number
}

/** the sum over neighbouring channels */
const neighbourhood: Op.Primitive<Neighbours> = Op.primitive({
  name: "neighbourhood",
  shape: ([x = []]) => x,
  kernel: ({ inputs: [x = []], at, attributes: { before, after } }) => {
    const axis = K.reductionAxis(0)
    const [, channels = 1] = x
    const channel = K.isub(K.iadd(at[1] ?? K.int(0), K.axis(axis)), before)
    // an element that is there in any case: loading it needs no branch
    const nearest = K.imax(0, K.imin(channel, channels - 1))
    const element = K.load(
      0,
      at.map((i, d) => (d === 1 ? nearest : i)),
    )
    return [K.sum([{ axis, extent: before + after + 1 }], K.select(within(channel, channels), element, 0))]
  },
  gradient: Op.linear((dy, { attributes: { before, after } }) =>
    Op.call(neighbourhood, [dy], { before: after, after: before }),
  ),
})

interface Damping {
  readonly scale: number
  readonly k: number
  readonly beta: number
}

/** `x / (k + scale · total)^beta` */
const damped: Op.Primitive<Damping> = elementwise({
  name: "localResponseNorm",
  kernel: ([x = K.constant(0), total = K.constant(0)], { scale, k, beta }) => {
    const base = K.add(K.mul(total, scale), k)
    const root = K.sqrt(base)
    // the usual power, and its gradient's, are of roots, which take a tenth of the time
    const roots = K.mul(root, K.sqrt(root))
    if (beta === 0.75) return K.div(x, roots)
    if (beta === 1.75) return K.div(x, K.mul(base, roots))
    return K.div(x, K.pow(base, beta))
  },
  gradient: Op.vjp(({ inputs: [x, total], dy, attributes }) => {
    if (x === undefined || total === undefined) return []
    const { scale, beta } = attributes
    const slope = Op.call(damped, [mul(dy, x), total], { ...attributes, beta: beta + 1 })
    return [Op.call(damped, [dy, total], attributes), mul(slope, -beta * scale)]
  }),
})

/** The options of local response normalisation, with PyTorch's defaults. */
export interface LocalResponseNormOptions {
  /** 1e-4 when absent */
  readonly alpha?: number
  /** 0.75 when absent */
  readonly beta?: number
  /** 1 when absent */
  readonly k?: number
}

/**
 * Each element over a power of its neighbourhood: `x / (k + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring
 * channels.
 *
 * **Shapes** `[N, C, …] → [N, C, …]`. **Gradient** through the sum. PyTorch's `local_response_norm`; Krizhevsky,
 * Sutskever and Hinton, 2012.
 *
 * @example
 * Ops.localResponseNorm(x, 5, { k: 2 })
 */
export const localResponseNorm = <S extends Shape>(
  x: Tensor<S>,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormOptions = {},
): Tensor<S> => {
  const fault = firstFault({ size: notSize(size) })
  if (fault !== null) return Op.refused("localResponseNorm", [x], fault)
  if (x.shape.length < 3)
    return Op.refused("localResponseNorm", [x], refuse(`expects [N, C, …, W] but the input gives ${show(x.shape)}`))
  const before = Math.floor(size / 2)
  const total: Tensor = Op.call(neighbourhood, [square(x)], { before, after: size - 1 - before })
  // element by element of `x`
  return Op.call<Damping, S>(damped, [x, total], { scale: alpha / size, k, beta })
}
