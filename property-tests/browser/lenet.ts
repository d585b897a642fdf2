/** The first example, and what the device still holds after it: the same in Node and in a page. */
import * as Effect from "effect/Effect"
import { train as example } from "../../examples/01-train-lenet.ts"
import { Device } from "../../src/gpu/Device.ts"

export interface Trained {
  readonly device: { readonly name: string; readonly threads: number; readonly backend: string }
  readonly losses: ReadonlyArray<number>
  /** nothing */
  readonly live: { readonly handles: number; readonly bytes: number }
}

/** the loss of each step */
export const train = Effect.fnUntraced(function* (steps: number) {
  const { device, losses } = yield* example(steps)
  const { name, threads, backend } = device
  const trained: Trained = { device: { name, threads, backend }, losses, live: yield* (yield* Device).live }
  return trained
})
