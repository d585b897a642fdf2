/** A tensor is a node of an immutable graph, with a static shape. Nothing is computed until a `Program` runs. */
import { pipeArguments, type Pipeable } from "effect/Pipeable"
import type { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { Shape } from "../shapes/Shape.ts"
import type { HostTensor } from "./HostTensor.ts"
import type { NotDifferentiable } from "./NotDifferentiable.ts"
import type { Primitive } from "./Op.ts"
import { keyLimbs } from "./random.ts"

/**
 * A description of an array of float32 numbers of shape `S`.
 *
 * A tensor made by an op that could not take its inputs carries the refusal; `Program.compile` fails with the first.
 */
export interface Tensor<out S extends Shape = Shape> extends Pipeable {
  readonly shape: S
  readonly "~tensor": Source
}

/** Where a tensor's numbers come from. */
export type Source =
  | { readonly _tag: "Input" }
  | { readonly _tag: "Constant"; readonly data: Float32Array }
  | { readonly _tag: "Output"; readonly node: Node; readonly output: number }
  | { readonly _tag: "Refused"; readonly error: GraphError }

/** One application of a primitive op. All its outputs have one shape. */
export interface Node {
  readonly op: Primitive<unknown>
  readonly attributes: unknown
  readonly inputs: ReadonlyArray<Tensor>
  readonly outputs: ReadonlyArray<Tensor>
  readonly shape: Shape
}

/** what can be wrong with a graph */
export type GraphError = ShapeMismatch | NotDifferentiable

const prototype = {
  pipe() {
    return pipeArguments(this, arguments)
  },
}

/** a tensor of the given source; internal to ops and programs */
export const make = <S extends Shape>(shape: S, source: Source): Tensor<S> =>
  Object.assign(Object.create(prototype), { shape, "~tensor": source })

/** What a program is given at each run: a shape whose names are bound then. */
export interface TensorSpec<out S extends Shape = Shape> {
  readonly _tag: "TensorSpec"
  readonly shape: S
}

/**
 * An input of a program, given at each run. Names stand for sizes that are known then.
 *
 * @example
 * Tensor.input("N", 1, 28, 28) // TensorSpec<["N", 1, 28, 28]>
 */
export const input = <const S extends Shape>(...shape: S): TensorSpec<[...S]> => ({
  _tag: "TensorSpec",
  shape: [...shape],
})

/** Class indices (0, 1, 2, …), one for each sample: an input of one dimension. */
export const labels = <const D extends number | string>(size: D): TensorSpec<[D]> => ({
  _tag: "TensorSpec",
  shape: [size],
})

/**
 * The seed of a step's random numbers, which `Nn.apply` takes in training where there is dropout. At each run it is
 * given what `HostTensor.seed` makes of the run's seed and of the step.
 */
export const seed = (): TensorSpec<[4]> => ({ _tag: "TensorSpec", shape: [keyLimbs] })

/** A single number given at each run, such as a learning rate. */
export const scalar = (): TensorSpec<[]> => ({ _tag: "TensorSpec", shape: [] })

/**
 * A tensor whose numbers are part of the program.
 *
 * @example
 * Tensor.constant({ shape: [2], data: Float32Array.of(1, 2) })
 */
export const constant = <S extends Shape>(value: HostTensor<S>): Tensor<S> =>
  make(value.shape, { _tag: "Constant", data: value.data })

/** the number `value` in every place of `shape` (default: a scalar) */
export const fill = (value: number): Tensor<[]> => make([], { _tag: "Constant", data: Float32Array.of(value) })

/** why this tensor cannot be computed, if it cannot */
export const refusal = (x: Tensor): GraphError | undefined =>
  x["~tensor"]._tag === "Refused" ? x["~tensor"].error : undefined

/** whether a value is a tensor */
export const isTensor = (u: unknown): u is Tensor => typeof u === "object" && u !== null && "~tensor" in u
