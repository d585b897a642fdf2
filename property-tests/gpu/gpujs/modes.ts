import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Device } from "../../../src/gpu/Device.ts"
import * as GpuJs from "../../../src/gpu/gpujs/GpuJs.ts"

const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json"
if (process.env["VK_ICD_FILENAMES"] === undefined && existsSync(swiftShader)) {
  process.env["VK_ICD_FILENAMES"] = swiftShader
}

export interface Present {
  readonly mode: GpuJs.Mode
  /** why this mode cannot run here, or `undefined` */
  readonly absent: string | undefined
}

const probe = async (mode: GpuJs.Mode): Promise<Present> => {
  const exit = await Effect.runPromiseExit(Effect.scoped(Layer.build(GpuJs.layer({ mode, plain: true }))))
  return { mode, absent: Exit.isSuccess(exit) ? undefined : String(exit.cause.reasons[0]) }
}

/** the modes that exist in Node; each says why it is absent, so that what is skipped is seen to be */
export const inNode: ReadonlyArray<Present> = [
  { mode: "cpu", absent: undefined },
  { mode: "webasm", absent: undefined },
  await probe("webgpu"),
  await probe("headlessgl"),
]

export const layerOf = (mode: GpuJs.Mode): Layer.Layer<Device> => Layer.orDie(GpuJs.layer({ mode, plain: true }))
