/** Twenty steps of LeNet on gpu.js's WebGPU kernels alone, against the WebAssembly device. Skipped without WebGPU. */
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"
import { train } from "../../browser/lenet.ts"
import { dawn } from "../webgpu/dawn.ts"

const found = await dawn()
const reason = found._tag === "Absent" ? found.reason : undefined
if (reason !== undefined) console.warn(`LeNet on gpu.js's WebGPU kernels skipped: ${reason}`)

describe.skipIf(reason !== undefined)(`LeNet${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  test("twenty steps on gpujs-webgpu --plain follow wasm's losses within 1e-3", async () => {
    const [expected, trained] = await Promise.all([
      Effect.runPromise(train(20).pipe(Effect.provide(Wasm.layer({ threads: 1 })))),
      Effect.runPromise(train(20).pipe(Effect.provide(GpuJs.layer({ mode: "webgpu", plain: true })))),
    ])
    expect(trained.device).toMatchObject({ name: "gpujs-webgpu", backend: "webgpu" })
    expect(trained.losses).toHaveLength(20)
    const furthest = Math.max(...trained.losses.map((l, i) => Math.abs(l - (expected.losses[i] ?? Number.NaN))))
    expect(furthest).toBeLessThanOrEqual(1e-3)
    expect(trained.live).toEqual({ handles: 0, bytes: 0 })
  })
})
