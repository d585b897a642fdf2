/** What a device compiles: buffers and the steps that fill them, in order. Plain data; every size is known. */
import type { Contraction } from "./Contraction.ts"
import type { Kernel } from "./Kernel.ts"

export interface Plan {
  readonly name: string
  readonly buffers: ReadonlyArray<Buffer>
  readonly steps: ReadonlyArray<Step>
}

export interface Buffer {
  readonly shape: ReadonlyArray<number>
  readonly role: Role
}

/**
 * - `Input`: filled before each run with `inputs[slot]`;
 * - `State`: lives outside the plan (`state[slot]`), read and written in place;
 * - `Output`: read back to the host after each run as `outputs[slot]`;
 * - `Constant`: uploaded once;
 * - `Temp`: alive from the step that writes it to the last that reads it.
 */
export type Role =
  | { readonly _tag: "Input"; readonly slot: number }
  | { readonly _tag: "State"; readonly slot: number }
  | { readonly _tag: "Output"; readonly slot: number }
  | { readonly _tag: "Constant"; readonly data: Float32Array }
  | { readonly _tag: "Temp" }

/**
 * One kernel on buffers (indices into `buffers`), one buffer for each of its inputs and outputs.
 *
 * A buffer may stand among both only where the kernel loads it at the very point it stores (`loads at axis 0, axis 1,
 * …`), so that working in place is safe. A buffer may be indexed in another shape than its own, with as many elements
 * in the same row-major order: that is how a reshape costs nothing.
 */
export interface Step {
  readonly code: Kernel | Contraction
  readonly inputs: ReadonlyArray<number>
  readonly outputs: ReadonlyArray<number>
}

export const elements = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)
