import * as Effect from "effect/Effect"
import * as Contraction from "../../src/gpu/Contraction.ts"
import { Device, type DeviceError } from "../../src/gpu/Device.ts"
import type { Kernel } from "../../src/gpu/Kernel.ts"
import type { Buffer, Plan } from "../../src/gpu/Plan.ts"

/** the plan of one kernel alone: every input a host array, every store an output */
export const planOf = (code: Kernel | Contraction.Contraction): Plan => {
  const inputs = code._tag === "Kernel" ? code.inputs : Contraction.inputShapes(code)
  const space = code._tag === "Kernel" ? code.space : Contraction.outputShape(code)
  const stores = code._tag === "Kernel" ? code.stores.length : 1
  const outputs = Array.from({ length: stores }, (_, slot): Buffer => ({
    shape: space,
    role: { _tag: "Output", slot },
  }))
  return {
    name: code.name,
    buffers: [...inputs.map((shape, slot): Buffer => ({ shape, role: { _tag: "Input", slot } })), ...outputs],
    steps: [{ code, inputs: inputs.map((_, i) => i), outputs: outputs.map((_, i) => inputs.length + i) }],
  }
}

/** compiles and runs one kernel on the device provided */
export const runKernel = (
  code: Kernel | Contraction.Contraction,
  inputs: ReadonlyArray<Float32Array>,
): Effect.Effect<ReadonlyArray<Float32Array>, DeviceError, Device> =>
  Effect.scoped(
    Effect.gen(function* () {
      const device = yield* Device
      const executable = yield* device.compile(planOf(code))
      return yield* executable.run(inputs, [])
    }),
  )
