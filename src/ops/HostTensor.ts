/** Numbers in ordinary memory, with their shape: what goes into a program and what comes out. */
import type { Shape } from "../shapes/Shape.ts"
import * as Random from "./random.ts"

export interface HostTensor<out S extends Shape = Shape> {
  readonly shape: S
  /** row-major */
  readonly data: Float32Array
}

/**
 * Wraps numbers with their shape.
 *
 * @example
 * HostTensor.make([2, 2], [1, 2, 3, 4])
 */
export const make = <const S extends ReadonlyArray<number>>(
  shape: S,
  data: Float32Array | ReadonlyArray<number>,
): HostTensor<[...S]> => ({ shape: [...shape], data: data instanceof Float32Array ? data : Float32Array.from(data) })

/**
 * The seed of a step (counted from 1) for the input that `Tensor.seed` describes; both are whole numbers from 0 to
 * 2^53 - 1. The same two give the same random numbers on every device.
 *
 * @example
 * yield* step.run({ state, x, y, seed: HostTensor.seed(1, ++done), scalars: adam.scalars(done) })
 */
export const seed = (seed: number, step: number): HostTensor<[4]> => make([Random.keyLimbs], Random.key(seed, step))

export { show } from "./showTensor.ts"
