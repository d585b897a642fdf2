import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Command from "effect/cli/Command"
import { Device, type DeviceError } from "../gpu/Device.ts"
import { deviceNames } from "../gpu/devices.ts"
import { CliFailure } from "./CliFailure.ts"
import * as flags from "./flags.ts"
import { describe, deviceOf, jsonLine } from "./output.ts"

/** milliseconds after which a device that does not start counts as not there */
const patience = 60_000

const probe = (layer: Layer.Layer<Device, DeviceError>) =>
  Effect.map(Device, ({ info }) => info).pipe(
    Effect.provide(layer, { local: true }),
    Effect.timeout(patience),
    Effect.result,
  )

/** `devices`: which devices run here, and why the others do not; with `--device`, that one only */
export const devicesCommand = Command.make(
  "devices",
  { device: flags.device, threads: flags.threads, seed: flags.seed, json: flags.json },
  Effect.fnUntraced(function* ({ device, threads, json }) {
    const names = device === "auto" ? [...deviceNames, "auto" as const] : [device]
    for (const name of names) {
      const layer = yield* deviceOf({ device: name, threads: name === "wasm" || name === "auto" ? threads : undefined })
      const result = yield* probe(layer)
      if (result._tag === "Success") {
        const info = result.success
        const taken = name === "auto" ? `takes ${info.name}: ` : ""
        yield* json
          ? jsonLine({ event: "Device", device: name, runs: true, ...info })
          : Console.log(`${name.padEnd(18)}runs    ${taken}${describe(info)}`)
      } else {
        const reason = result.failure.message.replaceAll(/\s+/g, " ")
        if (device !== "auto") return yield* new CliFailure({ sentence: reason })
        yield* json
          ? jsonLine({ event: "Device", device: name, runs: false, reason })
          : Console.log(`${name.padEnd(18)}absent  ${reason}`)
      }
    }
    return undefined
  }),
).pipe(
  Command.withDescription("List the devices that run here, and why the others do not"),
  Command.withExamples([{ command: "effect-nn devices" }, { command: "effect-nn devices --device gpujs-webgpu" }]),
)
