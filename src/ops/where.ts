import * as K from "../gpu/Kernel.ts"
import type { Broadcast } from "../shapes/broadcast.ts"
import type { Shape } from "../shapes/Shape.ts"
import { elementwise } from "./elementwise.ts"
import * as Op from "./Op.ts"
import type { Result } from "./Result.ts"
import { fill, type Tensor } from "./Tensor.ts"

const op: Op.Primitive<object> = elementwise({
  name: "where",
  kernel: ([condition = K.constant(0), a = K.constant(0), b = K.constant(0)]) =>
    K.select(K.compare("ne", condition, 0), a, b),
  gradient: Op.vjp(({ inputs: [condition], dy }) =>
    condition === undefined ? [] : [null, where(condition, dy, 0), where(condition, 0, dy)],
  ),
})

type ShapeOf<X> = X extends Tensor<infer S> ? S : []

/**
 * The first of two where the condition is not 0, else the second, with broadcasting.
 *
 * **Shapes** `C × A × B → broadcast(C, A, B)`. **Gradient** `dy` to the side that was taken. PyTorch's `where`.
 *
 * @example
 * Ops.where(Ops.greater(x, 0), x, 0)
 */
export const where = <C extends Shape, A extends Tensor | number, B extends Tensor | number>(
  condition: Tensor<C>,
  a: A,
  b: B,
): Tensor<Result<Broadcast<C, Broadcast<ShapeOf<A>, ShapeOf<B>>>>> => Op.call(op, [condition, tensor(a), tensor(b)], {})

const tensor = (x: Tensor | number): Tensor => (typeof x === "number" ? fill(x) : x)
