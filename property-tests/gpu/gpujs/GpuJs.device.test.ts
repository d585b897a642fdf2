import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { inputShapes } from "../../../src/gpu/Contraction.ts"
import { Device } from "../../../src/gpu/Device.ts"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"
import { elements } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { runKernel } from "../runKernel.ts"
import { close, contractions, noise } from "./cases.ts"
import { conformance } from "./conformance.ts"
import { probe } from "./modes.ts"
import { random } from "./random.ts"

const webgpu = await probe("webgpu")
for (const present of [webgpu, await probe("headlessgl")]) {
  conformance(present)
  random(present)
}

const suite = webgpu.absent === undefined ? describe : describe.skip
suite("gpu.js webgpu with contractions on kernels of our own", { timeout: 120_000 }, () => {
  it.layer(Layer.orDie(GpuJs.layer({ mode: "webgpu" })))((it) => {
    it.effect("says so", () =>
      Effect.gen(function* () {
        assert.match((yield* Device).info.description, /contractions on kernels of our own/)
      }),
    )
    it.effect.each(contractions)("computes $name", (contraction) =>
      Effect.gen(function* () {
        const inputs = inputShapes(contraction).map((shape, i) => noise(elements(shape), i + 1))
        const [expected] = yield* runKernel(contraction, inputs).pipe(Effect.provide(Reference.layer))
        const [actual] = yield* runKernel(contraction, inputs)
        expected?.forEach((v, i) => close(actual?.[i] ?? 0, v, 1e-5, 1e-5, `element ${i}`))
        assert.deepStrictEqual(yield* (yield* Device).live, { handles: 0, bytes: 0 })
      }),
    )
  })
})
