/** The builder of element-wise ops of two tensors, and the type that they share. */
import { dual } from "effect/Function"
import type * as K from "../gpu/Kernel.ts"
import { constant } from "../gpu/Kernel.ts"
import type { Broadcast } from "../shapes/broadcast.ts"
import type { Shape } from "../shapes/Shape.ts"
import { elementwise } from "./elementwise.ts"
import * as Op from "./Op.ts"
import type { Checked, Result } from "./Result.ts"
import { fill, type Tensor } from "./Tensor.ts"

/** An element-wise op of two tensors, or of a tensor and a number; data-first, or data-last for `pipe`. */
export interface Binary<Name extends string> {
  (that: number): <A extends Shape>(self: Tensor<A>) => Tensor<A>
  <B extends Shape>(that: Tensor<B>): <A extends Shape>(self: Tensor<A>) => Tensor<Result<Broadcast<A, B>>>
  <A extends Shape>(self: Tensor<A>, that: number): Tensor<A>
  <B extends Shape>(self: number, that: Tensor<B>): Tensor<B>
  <A extends Shape, B extends Shape>(
    self: Tensor<A>,
    that: Checked<Name, Broadcast<A, NoInfer<B>>, Tensor<B>>,
  ): Tensor<Result<Broadcast<A, B>>>
}

export interface BinaryBackward {
  readonly a: Tensor
  readonly b: Tensor
  readonly y: Tensor
  readonly dy: Tensor
}

const tensor = (x: Tensor | number): Tensor => (typeof x === "number" ? fill(x) : x)

export const binary = <const Name extends string>(op: {
  readonly name: Name
  readonly kernel: (a: K.Value, b: K.Value) => K.Value
  readonly gradient: (b: BinaryBackward) => readonly [Tensor | null, Tensor | null]
}): Binary<Name> => {
  const missing = constant(Number.NaN)
  const record: Op.Primitive<object> = elementwise({
    name: op.name,
    kernel: ([a, b]) => op.kernel(a ?? missing, b ?? missing),
    gradient: Op.vjp(({ inputs: [a, b], y, dy }) =>
      a === undefined || b === undefined ? [] : op.gradient({ a, b, y, dy }),
    ),
  })
  const call = (a: Tensor | number, b: Tensor | number): Tensor => Op.call(record, [tensor(a), tensor(b)], {})
  // `dual` cannot express the refusals and the numbers of `Binary`; the rule as a value computes the same shapes
  return dual(2, call) as Binary<Name>
}
