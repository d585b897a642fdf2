/** Numbers of a step beside those of the optimiser that is transformed. */
import * as K from "../../gpu/Kernel.ts"
import * as Op from "../../ops/Op.ts"
import { input, type Tensor } from "../../ops/Tensor.ts"
import type { Optimizer } from "./Optimizer.ts"

interface Part {
  readonly start: number
  /** `null` for a single number, without dimensions */
  readonly length: number | null
}

const op: Op.Primitive<Part> = Op.primitive({
  name: "part",
  shape: (_, { length }) => (length === null ? [] : [length]),
  kernel: ({ at: [i = K.int(0)], attributes: { start } }) => [K.load(0, [K.iadd(i, start)])],
  gradient: Op.none("the numbers of a step are inputs"),
})

/** `length` numbers from the `start`-th on */
export const part = (scalars: Tensor<[number]>, start: number, length: number): Tensor<[number]> =>
  Op.call(op, [scalars], { start, length })

/** the `i`-th number */
export const single = (scalars: Tensor<[number]>, i: number): Tensor<[]> =>
  Op.call(op, [scalars], { start: i, length: null })

/** how many numbers a step of the optimiser takes */
export const countOf = (optimizer: Optimizer): number => optimizer.spec.shape[0]

/** the numbers of a step, with further ones after those of the optimiser, whose own step may be another */
export const extended = (
  inner: Optimizer,
  further: ReadonlyArray<(step: number) => number>,
  stepOf: (step: number) => number = (step) => step,
): Pick<Optimizer, "spec" | "scalars"> => {
  const length = countOf(inner) + further.length
  return {
    spec: input(length),
    scalars: (step, rateScale) => ({
      shape: [length],
      data: Float32Array.of(...inner.scalars(stepOf(step), rateScale).data, ...further.map((f) => f(step))),
    }),
  }
}
