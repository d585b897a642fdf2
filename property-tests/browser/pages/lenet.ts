/** LeNet in a page, on the WebAssembly device. */
import * as Effect from "effect/Effect"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import { train } from "../lenet.ts"

export const main = ({ steps, threads }: { readonly steps: number; readonly threads: number }) =>
  Effect.runPromise(train(steps).pipe(Effect.provide(Wasm.layer({ threads }))))
