import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { adapterRefusal, autoLayer } from "../../src/gpu/auto.ts"
import { Device } from "../../src/gpu/Device.ts"
import { deviceLayer, deviceNames } from "../../src/gpu/devices.ts"

const info = Effect.map(Device, (device) => device.info)

describe("the choice of a device", () => {
  it.each([
    [null, "no WebGPU adapter"],
    [
      { info: { vendor: "google", architecture: "swiftshader" } },
      "the WebGPU adapter is software (google swiftshader)",
    ],
    [
      { info: { description: "llvmpipe (LLVM 15.0.6, 256 bits)" } },
      "the WebGPU adapter is software (llvmpipe (LLVM 15.0.6, 256 bits))",
    ],
    [{ isFallbackAdapter: true }, "the WebGPU adapter is software (a fallback adapter)"],
    [{ info: { isFallbackAdapter: true, vendor: "someone" } }, "the WebGPU adapter is software (someone)"],
    [{ info: { vendor: "nvidia", architecture: "hopper", description: "NVIDIA H200" } }, undefined],
    [{ info: { vendor: "intel", architecture: "gen-12lp" } }, undefined],
    [{}, undefined],
  ])("an adapter that computes on the CPU is not taken: %#", (adapter, why) =>
    assert.strictEqual(adapterRefusal(adapter), why),
  )

  it.live("takes one that runs, and says why", () =>
    Effect.gen(function* () {
      for (const layer of [Device.auto, autoLayer({ threads: 1 })]) {
        const taken = yield* Effect.provide(info, layer)
        assert.include(["gpujs-webgpu", "wasm", "gpujs-cpu"], taken.name)
        assert.match(taken.description, / \(taken because: .+\)$/)
      }
    }),
  )
})

describe("devices by name", () => {
  it.live.each(deviceNames)(
    "%s is the one that runs, or says why it does not",
    (name) =>
      Effect.gen(function* () {
        const result = yield* Effect.result(Effect.provide(info, deviceLayer(name)))
        if (result._tag === "Success") assert.strictEqual(result.success.name, name)
        else assert.match(result.failure.message, new RegExp(`^${name} could not start: .+`))
      }),
    60_000,
  )

  it.live("the options reach the device", () =>
    Effect.gen(function* () {
      const one = yield* Effect.provide(info, deviceLayer("wasm", { threads: 1 }))
      assert.strictEqual(one.threads, 1)
    }),
  )
})
