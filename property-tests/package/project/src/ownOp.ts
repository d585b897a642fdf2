/** A primitive op of one's own, with its index expression and its gradient, and the laws that it must obey. */
import { Kernel as K, Op, Ops, type Tensor } from "effect-nn"
import * as Laws from "effect-nn/laws"

/** `x / (1 + |x|)`, with the gradient that `power` of `1 + |x|` gives: 2 is right */
const withPower = (power: number): Op.Primitive<object> =>
  Op.primitive({
    name: "softsign",
    shape: ([x = []]) => x,
    kernel: ({ at }) => [K.div(K.load(0, at), K.add(1, K.abs(K.load(0, at))))],
    gradient: Op.vjp(({ x, dy }) => [Ops.div(dy, Ops.pow(Ops.add(Ops.abs(x), 1), power))]),
  })

const op = withPower(2)
const wrong = withPower(1)

export const softsign = <S extends ReadonlyArray<number | string>>(x: Tensor.Tensor<S>): Tensor.Tensor<S> =>
  Op.call(op, [x], {})

const description: Laws.Description<"x", object> = {
  name: "softsign",
  cases: Laws.shapes({ x: Laws.extents({ rank: [1, 3] }) }),
  reference: ({ x }) => Laws.map(x, (v) => v / (1 + Math.abs(v))),
  runs: 5,
}

export const laws = Laws.op(({ x }) => softsign(x), description)
export const lawsOfTheWrongOne = Laws.op(({ x }) => Op.call(wrong, [x], {}), description)
