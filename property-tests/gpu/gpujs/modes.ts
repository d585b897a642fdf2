import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { Device } from "../../../src/gpu/Device.ts"
import { findSwiftShader } from "../../../scripts/graphics.ts"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"

const driver = findSwiftShader()
if (driver !== undefined) process.env["VK_ICD_FILENAMES"] ??= driver

export interface Present {
  readonly mode: GpuJs.Mode
  /** why this mode cannot run here, or `undefined` */
  readonly absent: string | undefined
}

export const probe = async (mode: GpuJs.Mode): Promise<Present> => {
  const exit = await Effect.runPromiseExit(Effect.scoped(Layer.build(GpuJs.layer({ mode, plain: true }))))
  return { mode, absent: Exit.isSuccess(exit) ? undefined : String(exit.cause.reasons[0]) }
}

export const layerOf = (mode: GpuJs.Mode): Layer.Layer<Device> => Layer.orDie(GpuJs.layer({ mode, plain: true }))
