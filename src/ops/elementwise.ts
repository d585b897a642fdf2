/** The builder of ops that compute each element from the elements at the same place of their inputs. */
import * as K from "../gpu/Kernel.ts"
import { broadcast } from "../shapes/broadcast.ts"
import { isRefusal, type Refusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import { broadcastPoint, sumTo } from "./sum.ts"
import type { Tensor } from "./Tensor.ts"

/**
 * A primitive that is computed element by element, with PyTorch's broadcasting of its inputs.
 *
 * `gradient` gives the cotangent of each input in the shape of the output; it is summed back to the input's own.
 */
export const elementwise = <A = object>(op: {
  readonly name: string
  readonly kernel: (values: ReadonlyArray<K.Value>, attributes: A) => K.Value
  readonly gradient: Op.Gradient<A>
}): Op.Primitive<A> =>
  Op.primitive<A>({
    name: op.name,
    shape: ([first, ...rest]) =>
      rest.reduce<Shape | Refusal>((a, b) => (isRefusal(a) ? a : broadcast(a, b)), first ?? []),
    kernel: ({ inputs, output, at, attributes }) => [
      op.kernel(
        inputs.map((shape, i) => K.load(i, broadcastPoint(shape, output, at))),
        attributes,
      ),
    ],
    gradient: summed(op.gradient),
  })

const summed = <A>(gradient: Op.Gradient<A>): Op.Gradient<A> =>
  gradient._tag !== "Vjp"
    ? gradient
    : {
        _tag: "Vjp",
        vjp: (context) =>
          gradient.vjp(context).map((dx, i) => {
            const x = context.inputs[i]
            return dx === null || x === undefined ? null : sumTo(dx, x.shape)
          }),
      }

/** an element-wise op of one tensor */
export type Unary = <S extends Shape>(x: Tensor<S>) => Tensor<S>

/** the builder of element-wise ops of one tensor */
export const unary = (op: {
  readonly name: string
  readonly kernel: (x: K.Value) => K.Value
  /** the cotangent of the input, from the input, the output and the output's cotangent */
  readonly gradient: (b: Op.Backward<object>) => Tensor
}): Unary => {
  const record = elementwise<object>({
    name: op.name,
    kernel: ([x]) => op.kernel(x ?? K.constant(Number.NaN)),
    gradient: Op.vjp((b) => [op.gradient(b)]),
  })
  return <S extends Shape>(x: Tensor<S>): Tensor<S> => Op.call(record, [x], {})
}
