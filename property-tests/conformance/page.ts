/** The runner in a page: the folder lies under `files/`, and every case is reported as it ends. */
import * as Effect from "effect/Effect"
import { Device } from "../../src/gpu/Device.ts"
import { type DeviceName, deviceLayer } from "../../src/gpu/devices.ts"
import * as Cases from "./Cases.ts"
import { runCases } from "./run.ts"

export interface Argument {
  readonly device: DeviceName
  readonly plain: boolean
  readonly only: string
  readonly large: boolean
}

const file = async (name: string): Promise<Response> => {
  const response = await fetch(`files/${name}`)
  if (!response.ok) throw new Error(`${name} could not be fetched: ${response.status}`)
  return response
}

/** gives what the device says of itself */
export const main = async ({ device, plain, only, large }: Argument, report: (message: unknown) => void) => {
  const [json, tensors] = await Promise.all([
    file("cases.json").then((r) => r.text()),
    file("tensors.safetensors").then((r) => r.arrayBuffer()),
  ])
  const cases = Cases.parse(json, new Uint8Array(tensors))
  const program = Effect.gen(function* () {
    const { info } = yield* Device
    report({ _tag: "Device", description: info.description, backend: info.backend })
    yield* runCases(cases, (r) => report({ _tag: "Case", ...r }), { only, large })
  })
  await Effect.runPromise(program.pipe(Effect.provide(deviceLayer(device, { plain }))))
}
