/** The devices that every machine has, and how a law file is put through each of them. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { afterAll, describe, expect, it } from "vitest"
import { Device, type DeviceError } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import type { Law } from "../../src/laws.ts"

export interface Present {
  readonly name: string
  readonly layer: Layer.Layer<Device, DeviceError>
}

export const present: ReadonlyArray<Present> = [{ name: "reference", layer: Reference.layer }]

/** every law on every device, and nothing left on any of them at the end */
export const onEveryDevice = (laws: ReadonlyArray<Law>, devices: ReadonlyArray<Present> = present): void => {
  describe.each(devices)("$name", ({ layer }) => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())
    it.each(laws)("$level: $name", (law) => runtime.runPromise(law.check))
    it("has nothing left", async () => {
      const live = await runtime.runPromise(Effect.flatMap(Device, (device) => device.live))
      expect(live).toEqual({ handles: 0, bytes: 0 })
    })
  })
}
