/** LeNet in a page, on gpu.js. */
import * as Effect from "effect/Effect"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"
import { train } from "../lenet.ts"

export const main = ({ steps, mode }: { readonly steps: number; readonly mode: GpuJs.Mode }) =>
  Effect.runPromise(train(steps).pipe(Effect.provide(GpuJs.layer({ mode }))))
