import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { type Shape, show, unknownDim } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

interface Range {
  readonly dim: number
  readonly start: number
  readonly end: number
}

const op: Op.Primitive<Range> = Op.primitive({
  name: "slice",
  shape: ([x = []], { dim, start, end }) => {
    const size = x[dim]
    if (size === undefined) return refuse(`there is no dimension ${dim} in ${show(x)}`)
    if (typeof size === "string") return x.with(dim, unknownDim)
    return start >= 0 && start < end && end <= size
      ? x.with(dim, end - start)
      : refuse(`${start} to ${end} is no part of dimension ${dim} of ${show(x)}`)
  },
  kernel: ({ at, attributes: { dim, start } }) => [
    K.load(
      0,
      at.map((i, d) => (d === dim ? K.iadd(i, start) : i)),
    ),
  ],
  gradient: Op.linear((dy, { x, attributes }) => Op.call(embed, [dy], { ...attributes, shape: x.shape })),
})

/** the transpose of `slice`: zeros around it */
const embed: Op.Primitive<Range & { readonly shape: Shape }> = Op.primitive({
  name: "sliceGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ at, attributes: { dim, start, end } }) => {
    const i = at[dim] ?? K.int(0)
    const inside = K.and(K.compareIndex("ge", i, start), K.compareIndex("lt", i, end))
    const element = K.load(
      0,
      at.map((j, d) => (d === dim ? K.isub(j, start) : j)),
    )
    return [K.select(inside, element, 0)]
  },
  gradient: Op.linear((dy, { attributes }) => Op.call(op, [dy], attributes)),
})

/**
 * Elements `start` to `end` (not included) along one dimension; negative positions count from the end.
 *
 * **Shapes** `S → S` with `end − start` in dimension `dim`. **Gradient** `dy` with zeros around it.
 * PyTorch's `narrow`, and `x[:, start:end]`.
 *
 * @example
 * Ops.slice(x, 1, 0, 3) // the first three channels
 */
export const slice = (x: Tensor, dim: number, start: number, end?: number): Tensor => {
  const from0 = dim < 0 ? dim + x.shape.length : dim
  const size = Number(x.shape[from0])
  const position = (i: number): number => (i < 0 ? i + size : i)
  return Op.call(op, [x], { dim: from0, start: position(start), end: end === undefined ? size : position(end) })
}
