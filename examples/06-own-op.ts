/**
 * One step past 05: an op of one's own. Its kernel is an index expression, from which every device's code is made; its
 * gradient is written in other ops. The laws check both on whatever device runs it, against a reference in plain loops.
 */
import * as Effect from "effect/Effect"
import { HostTensor, Kernel as K, Op, Ops, Program, Tensor } from "../src/index.ts"
import * as Laws from "../src/laws.ts"

const op: Op.Primitive<object> = Op.primitive({
  name: "softsign",
  shape: ([x = []]) => x,
  kernel: ({ at }) => [K.div(K.load(0, at), K.add(1, K.abs(K.load(0, at))))],
  // the derivative of x / (1 + |x|) is 1 / (1 + |x|)²
  gradient: Op.vjp(({ x, dy }) => [Ops.div(dy, Ops.square(Ops.add(Ops.abs(x), 1)))]),
})

/** `x / (1 + |x|)`. **Shapes** `S → S`. **Gradient** `dy / (1 + |x|)²`. PyTorch's `softsign`. */
export const softsign = <S extends ReadonlyArray<number | string>>(x: Tensor.Tensor<S>): Tensor.Tensor<S> =>
  Op.call(op, [x], {})

export const laws = Laws.op(({ x }) => softsign(x), {
  name: "softsign",
  cases: Laws.shapes({ x: Laws.extents({ rank: [1, 3] }) }),
  reference: ({ x }) => Laws.map(x, (v) => v / (1 + Math.abs(v))),
  runs: 5,
})

export const run = () =>
  Effect.gen(function* () {
    const x = Tensor.constant(HostTensor.make([3], [-3, 0, 1]))
    const { y, dx } = yield* Program.evaluate({ y: softsign(x), dx: Ops.grad(Ops.sum(softsign(x)), x) })
    console.log(`softsign [${[...y.data].join(", ")}], its slope [${[...dx.data].join(", ")}]`)
    for (const law of laws) {
      yield* law.check
      console.log(`holds: ${law.name}`)
    }
    return { y: [...y.data], dx: [...dx.data], laws: laws.length }
  })
