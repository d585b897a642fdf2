/** A WebGPU device in Node through Dawn (the optional package `webgpu`), on whatever Vulkan adapter there is. */
/// <reference types="@webgpu/types" />
import { findSwiftShader } from "../../../scripts/graphics.ts"

export type Dawn =
  | { readonly _tag: "Device"; readonly device: GPUDevice; readonly description: string }
  | { readonly _tag: "Absent"; readonly reason: string }

let instance: GPU | undefined

/** the device, or why there is none: tests that need it are then reported as skipped */
export const dawn = async (): Promise<Dawn> => {
  const driver = findSwiftShader()
  if (driver !== undefined) process.env["VK_ICD_FILENAMES"] ??= driver
  try {
    const { create, globals } = await import("webgpu")
    Object.assign(globalThis, globals)
    // Dawn aborts the process if its instance is collected while a device lives. The kernels write workgroup memory
    // before they read it; without its initialisation SwiftShader compiles them forty times faster
    instance = create(["enable-dawn-features=disable_workgroup_init"])
    const adapter = await instance.requestAdapter()
    if (adapter === null) {
      return { _tag: "Absent", reason: "no adapter: install chromium (for SwiftShader) and libvulkan1" }
    }
    const device = await adapter.requestDevice()
    return { _tag: "Device", device, description: `${adapter.info.vendor} ${adapter.info.description}` }
  } catch (cause) {
    return { _tag: "Absent", reason: `the package webgpu does not load: ${String(cause)}` }
  }
}
