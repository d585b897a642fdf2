/** Runs one tuned contraction on a WebGPU device and reads its output back. */
/// <reference types="@webgpu/types" />
import * as Effect from "effect/Effect"
import { inputShapes, outputShape, type Contraction } from "../../../src/gpu/Contraction.ts"
import { elements } from "../../../src/gpu/Plan.ts"
import type { Limits } from "../../../src/gpu/webgpu/contraction.ts"
import * as Runner from "../../../src/gpu/webgpu/Runner.ts"

const storage = 0x80 | 0x08 | 0x04 // STORAGE | COPY_DST | COPY_SRC
const readback = 0x01 | 0x08 // MAP_READ | COPY_DST

/** values in (-1, 1) by a small generator of the test's own */
export const values = (size: number, seed: number): Float32Array => {
  let state = (seed * 2654435761 + 1) >>> 0
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 8388608 - 1
  })
}

export const inputsFor = (c: Contraction, seed: number): ReadonlyArray<Float32Array> =>
  inputShapes(c).map((shape, i) => values(elements(shape), seed * 7 + i))

/** the device's methods, so that a test can give them other limits */
const methods = (device: GPUDevice): Omit<Runner.GpuDevice, "limits"> => ({
  createShaderModule: (d) => device.createShaderModule(d),
  createComputePipelineAsync: (d) => device.createComputePipelineAsync(d as GPUComputePipelineDescriptor), // our own subset of it
  createBindGroup: (d) => device.createBindGroup(d as GPUBindGroupDescriptor), // our own subset of it
})

export const run = async (
  device: GPUDevice,
  c: Contraction,
  inputs: ReadonlyArray<Float32Array>,
  limits: Limits = device.limits,
): Promise<Float32Array> => {
  const bytes = Math.max(4, elements(outputShape(c)) * 4)
  const buffers: Array<GPUBuffer> = []
  const create = (size: number, usage: number) => {
    const buffer = device.createBuffer({ size, usage })
    buffers.push(buffer)
    return buffer
  }
  const upload = (data: Float32Array) => {
    const buffer = create(Math.max(4, data.byteLength), storage)
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>) // ours are never shared
    return buffer
  }
  device.pushErrorScope("validation")
  const [output, read] = [create(bytes, storage), create(bytes, readback)]
  // what stands there before must not matter
  device.queue.writeBuffer(output, 0, new Float32Array(bytes / 4).fill(Number.NaN))
  const kernel = await Effect.runPromise(Runner.kernel({ ...methods(device), limits }, c))
  const workspace =
    kernel.workspaceBytes === 0 ? undefined : upload(new Float32Array(kernel.workspaceBytes / 4).fill(Number.NaN))
  const encodeInto = kernel.bind(inputs.map(upload), output, workspace)
  const encoder = device.createCommandEncoder()
  encodeInto(encoder)
  encoder.copyBufferToBuffer(output, 0, read, 0, bytes)
  device.queue.submit([encoder.finish()])
  const refusal = await device.popErrorScope()
  if (refusal !== null) throw new Error(refusal.message)
  await read.mapAsync(1)
  const result = new Float32Array(read.getMappedRange().slice(0))
  for (const buffer of buffers) buffer.destroy()
  return result
}
