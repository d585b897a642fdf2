/** What every command prints in the same way. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Device } from "../gpu/Device.ts"
import { type DeviceError, type DeviceInfo } from "../gpu/Device.ts"
import { autoLayer } from "../gpu/auto.ts"
import { deviceLayer, type DeviceName } from "../gpu/devices.ts"
import { CliFailure } from "./CliFailure.ts"

/** one object as one line */
export const jsonLine = (value: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Console.log(JSON.stringify(value))

const threadsOf = (n: number): string => `${n} ${n === 1 ? "thread" : "threads"}`

/** what a device says of itself, its threads included */
export const describe = (info: DeviceInfo): string =>
  /thread/.test(info.description) ? info.description : `${info.description}, ${threadsOf(info.threads)}`

/** the device as people read it */
export const describeDevice = (info: DeviceInfo): string => `device  ${info.name}: ${describe(info)}`

/** the device that the flags name */
export const deviceOf = (flags: {
  readonly device: "auto" | DeviceName
  readonly threads: number | undefined
}): Effect.Effect<Layer.Layer<Device, DeviceError>, CliFailure> => {
  const { device, threads } = flags
  if (device === "auto") return Effect.succeed(autoLayer({ threads }))
  if (threads !== undefined && device !== "wasm") {
    return new CliFailure({ sentence: `--threads is an option of the device wasm, ${device} has none` })
  }
  return Effect.succeed(deviceLayer(device, { threads }))
}

/** numbers as people read them */
export const count = (n: number): string => n.toLocaleString("en-US")
