import * as K from "../gpu/Kernel.ts"
import { axis } from "../shapes/axis.ts"
import type { Shape } from "../shapes/Shape.ts"
import { range, type Slice as Rule, slice as rule } from "../shapes/slice.ts"
import * as Op from "./Op.ts"
import type { Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

/** positions as they were given: what they mean depends on a size that may be bound later */
interface Range {
  readonly dim: number
  readonly start: number
  readonly end: number | null
  readonly step: number
}

const op: Op.Primitive<Range> = Op.primitive({
  name: "slice",
  shape: ([x = []], { dim, start, end, step }) => rule(x, dim, start, end, step),
  kernel: ({ inputs: [x = []], at, attributes }) => {
    const { dim, first, step } = resolved(x, attributes)
    return [
      K.load(
        0,
        at.map((i, d) => (d === dim ? K.iadd(K.imul(i, step), first) : i)),
      ),
    ]
  },
  gradient: Op.linear((dy, { x, attributes }) => Op.call(embed, [dy], { ...attributes, shape: x.shape })),
})

/** the range in a shape whose sizes are known */
const resolved = (shape: ReadonlyArray<number>, { dim: named, start, end, step }: Range) => {
  const dim = axis(named, shape.length) ?? 0
  return { dim, step, ...range(shape[dim] ?? 0, start, end, step) }
}

/** the transpose of `slice`: zeros around it and between */
const embed: Op.Primitive<Range & { readonly shape: Shape }> = Op.primitive({
  name: "sliceGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ output, at, attributes }) => {
    const { dim, first, count, step } = resolved(output, attributes)
    if (count === 0) return [K.constant(0)]
    const i = K.isub(at[dim] ?? K.int(0), first)
    const within = K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, (count - 1) * step + 1))
    const taken = step === 1 ? within : K.and(within, K.compareIndex("eq", K.imod(i, step), 0))
    const element = K.load(
      0,
      at.map((j, d) => (d === dim ? K.idiv(i, step) : j)),
    )
    return [K.select(taken, element, 0)]
  },
  gradient: Op.linear((dy, { attributes }) => Op.call(op, [dy], attributes)),
})

/**
 * Elements from `start` to before `end` (to the end when absent) along one dimension, each `step`-th of them; negative
 * positions count from the end. What lies beyond the ends is not there, so that nothing may be left.
 *
 * **Shapes** `S → S` with `⌈(end − start) / step⌉` in dimension `dim`. **Gradient** `dy` with zeros around it.
 * PyTorch's `x[:, start:end:step]`.
 *
 * @example
 * Ops.slice(x, 1, 0, 3) // the first three channels
 */
export const slice = <
  S extends Shape,
  const D extends number,
  const Start extends number,
  const End extends number | null = null,
  const Step extends number = 1,
>(
  x: Tensor<S>,
  dim: D,
  start: Start,
  end?: End,
  { step }: { readonly step?: Step } = {},
): Tensor<Result<Rule<S, D, Start, End, Step>>> => Op.call(op, [x], { dim, start, end: end ?? null, step: step ?? 1 })
