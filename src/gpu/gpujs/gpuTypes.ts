/** What is used of WebGPU, as types of our own: no declaration that is emitted may need a package of types. */

import type * as Runner from "../webgpu/Runner.ts"

export interface GpuBuffer extends Runner.GpuBuffer {
  destroy(): void
  mapAsync(mode: number, offset?: number, size?: number): Promise<unknown>
  getMappedRange(offset?: number, size?: number): ArrayBuffer
  unmap(): void
}

export interface GpuCommandEncoder extends Runner.GpuCommandEncoder {
  copyBufferToBuffer(source: GpuBuffer, sourceOffset: number, to: GpuBuffer, toOffset: number, size: number): void
  clearBuffer(buffer: GpuBuffer, offset?: number, size?: number): void
  finish(): object
}

export interface GpuDevice extends Runner.GpuDevice {
  readonly limits: Runner.GpuDevice["limits"] & { readonly maxBufferSize: number }
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: Float32Array): void
    submit(commands: ReadonlyArray<object>): void
    onSubmittedWorkDone(): Promise<unknown>
  }
  createBuffer(descriptor: { readonly size: number; readonly usage: number }): GpuBuffer
  createCommandEncoder(): GpuCommandEncoder
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void
  popErrorScope(): Promise<{ readonly message: string } | null>
}

export interface GpuAdapterInfo {
  readonly vendor?: string
  readonly architecture?: string
  readonly device?: string
  readonly description?: string
  readonly isFallbackAdapter?: boolean
}

export interface GpuContext {
  readonly device: GpuDevice
  readonly adapter: { readonly info?: GpuAdapterInfo }
}

/** A contraction with a kernel of its own on the device that gpu.js uses. */
export interface TunedKernel {
  /** a buffer this large is given to `bind`, its content not kept; 0 for none */
  readonly workspaceBytes: number
  /** called once for each set of buffers; what it gives is encoded in every run, in a command encoder of that run */
  readonly bind: (
    inputs: ReadonlyArray<GpuBuffer>,
    output: GpuBuffer,
    workspace: GpuBuffer | undefined,
  ) => (encoder: GpuCommandEncoder) => void
}
