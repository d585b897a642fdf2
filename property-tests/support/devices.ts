/** The devices that every machine has, and how a law file is put through each of them. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import { Device, type DeviceError } from "../../src/gpu/Device.ts"
import { deviceLayer, type DeviceName } from "../../src/gpu/devices.ts"
import { Effort, type Law } from "../../src/laws.ts"

export interface Present {
  readonly name: DeviceName
  readonly layer: Layer.Layer<Device, DeviceError>
  /** what the number of cases is multiplied by */
  readonly effort: number
}

const present = (name: DeviceName, effort: number): Present => ({
  name,
  layer: deviceLayer(name, name === "wasm" ? { threads: 1 } : {}),
  effort,
})

/** fewer cases on those whose kernels compile slowly; `EFFORT=10` tries ten times as many everywhere */
const effort = Number(process.env["EFFORT"] ?? 0.5)
export const devices: ReadonlyArray<Present> = [
  present("wasm", effort),
  present("reference", effort / 2),
  present("gpujs-cpu", effort / 5),
  present("gpujs-webasm", effort / 10),
]

/** what waits for a device is given on by `withLaws`: see `property-tests/ops/laws.device.test.ts` */
const collected: { laws: Array<Law> | null } = { laws: null }

/** every law on every device, and nothing left on any of them at the end */
export const onEveryDevice = (laws: ReadonlyArray<Law>, on: ReadonlyArray<Present> = devices): void => {
  if (collected.laws !== null) {
    collected.laws.push(...laws)
    return
  }
  describe.each(on)("$name", ({ layer, effort }) => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())
    for (const law of laws) {
      it(`${law.level}: ${law.name}`, async () => {
        await expect(runtime.runPromise(Effect.provideService(law.check, Effort, effort))).resolves.toBeUndefined()
      })
    }
    it("has nothing left", async () => {
      const live = await runtime.runPromise(Effect.flatMap(Device, (device) => device.live))
      expect(live).toEqual({ handles: 0, bytes: 0 })
    })
  })
}

/** the laws of the files that `load` imports, instead of running them */
export const lawsOf = async (load: () => Promise<unknown>): Promise<ReadonlyArray<Law>> => {
  const laws: Array<Law> = []
  collected.laws = laws
  await load()
  collected.laws = null
  return laws
}
