/** Numbers in ordinary memory, with their shape: what goes into a program and what comes out. */
import type { Shape } from "../shapes/Shape.ts"

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

export { show } from "./showTensor.ts"
