/** The laws of every op on WebGPU, a few cases each; skipped where there is no adapter. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import { Device } from "../../src/gpu/Device.ts"
import { deviceLayer } from "../../src/gpu/devices.ts"
import { Effort } from "../../src/laws.ts"
import { probe } from "../gpu/gpujs/modes.ts"
import { lawsOf } from "../support/devices.ts"

const folder = import.meta.dirname
const isLawFile = (file: string): boolean =>
  /^\w+\.test\.ts$/.test(file) && readFileSync(join(folder, file), "utf8").includes("onEveryDevice(")
const files = readdirSync(folder).filter(isLawFile)
const { absent } = await probe("webgpu")

/** what a device can get wrong: shapes and refusals are the same on all of them */
const ofDevices = [
  "computes what the reference computes",
  "computes its edge cases",
  "gives the same bits for the same inputs",
  "has the gradient of the reference",
]

// one case in twenty of each law: kernels compile slowly where WebGPU is software
const effort = Number(process.env["EFFORT"] ?? 1) / 20

describe.skipIf(absent !== undefined)("on gpujs-webgpu", async () => {
  const laws = await lawsOf(async () => {
    for (const file of files) await import(`./${file}`)
  })
  const runtime = ManagedRuntime.make(deviceLayer("gpujs-webgpu"))
  afterAll(() => runtime.dispose())
  it.each(laws.filter(({ law }) => ofDevices.includes(law)))("$level: $name", async (law) => {
    await expect(runtime.runPromise(Effect.provideService(law.check, Effort, effort))).resolves.toBeUndefined()
  })
  it("has nothing left", async () => {
    const live = await runtime.runPromise(Effect.flatMap(Device, (device) => device.live))
    expect(live).toEqual({ handles: 0, bytes: 0 })
  })
})
