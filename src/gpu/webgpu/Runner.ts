/** Runs a tuned contraction on a WebGPU device, and on buffers, that somebody else owns. */
import * as Effect from "effect/Effect"
import type { Contraction } from "../Contraction.ts"
import { DeviceError } from "../Device.ts"
import { contraction, type Limits, type Source, type Tuned } from "./contraction.ts"

// What is used of WebGPU, as types of our own: a real `GPUDevice` fits them, and no declaration that is emitted from
// here names a package of types that a user may not have. Handles stay opaque.

export interface GpuBuffer {
  readonly size: number
}
export interface GpuShaderModule {
  readonly label: string
}
export interface GpuBindGroup {
  readonly label: string
}
export interface GpuBindGroupLayout {
  readonly label: string
}
export interface GpuComputePipeline {
  getBindGroupLayout(index: number): GpuBindGroupLayout
}
export interface GpuComputePass {
  setPipeline(pipeline: GpuComputePipeline): void
  setBindGroup(index: number, group: GpuBindGroup | null): void
  dispatchWorkgroups(x: number, y?: number, z?: number): void
  end(): void
}
export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass
}
export interface GpuDevice {
  readonly limits: Limits
  createShaderModule(descriptor: { code: string }): GpuShaderModule
  createComputePipelineAsync(descriptor: {
    layout: "auto" | object
    compute: { module: GpuShaderModule; entryPoint?: string }
  }): Promise<GpuComputePipeline>
  createBindGroup(descriptor: {
    layout: GpuBindGroupLayout
    entries: Iterable<{ binding: number; resource: object }>
  }): GpuBindGroup
}

/** compiled shaders by their text, so that contractions of the same shapes share them */
export type Pipelines = Map<string, Promise<GpuComputePipeline>>

export interface Prepared {
  readonly name: string
  readonly tuned: Tuned
  /** by shader */
  readonly pipelines: ReadonlyArray<GpuComputePipeline>
}

export interface Buffers {
  readonly inputs: ReadonlyArray<GpuBuffer>
  readonly output: GpuBuffer
  /** at least `workspaceBytes` large; may be absent where that is 0 */
  readonly workspace?: GpuBuffer | undefined
}

/** dispatches with their buffers, ready to be encoded any number of times */
export interface Bound {
  readonly dispatches: ReadonlyArray<{
    readonly pipeline: GpuComputePipeline
    readonly group: GpuBindGroup
    readonly workgroups: readonly [x: number, y: number, z: number]
  }>
}

/** Compiles the shaders, each text once per `pipelines`. Fails where the device refuses one, with its reason. */
export const prepare = (
  device: GpuDevice,
  tuned: Tuned,
  name: string,
  pipelines: Pipelines = new Map(),
): Effect.Effect<Prepared, DeviceError> => {
  const compile = (code: string) => {
    const known = pipelines.get(code)
    if (known !== undefined) return known
    const pipeline = device.createComputePipelineAsync({
      layout: "auto",
      compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
    })
    pipelines.set(code, pipeline)
    return pipeline
  }
  return Effect.tryPromise({
    try: async () => ({ name, tuned, pipelines: await Promise.all(tuned.shaders.map(compile)) }),
    catch: (cause) =>
      new DeviceError({
        device: "webgpu",
        action: "compile",
        kernel: name,
        reason: `the contraction's shader was refused: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      }),
  })
}

const bufferOf = (name: string, buffers: Buffers, source: Source): GpuBuffer => {
  const buffer =
    source._tag === "Output"
      ? buffers.output
      : source._tag === "Workspace"
        ? buffers.workspace
        : buffers.inputs[source.index]
  // a plan always has them: their absence is a broken invariant of the caller
  if (buffer === undefined) throw new Error(`contraction ${name}: no buffer was given for its ${source._tag}`)
  return buffer
}

/** The dispatches on these buffers. Throws if a buffer that they need is not among them. */
export const bind = (device: GpuDevice, prepared: Prepared, buffers: Buffers): Bound => ({
  dispatches: prepared.tuned.dispatches.map((d) => {
    const pipeline = prepared.pipelines[d.shader]!
    const entries = d.bindings.map((b, binding) => ({
      binding,
      resource: { buffer: bufferOf(prepared.name, buffers, b.source) },
    }))
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries })
    return { pipeline, group, workgroups: d.workgroups }
  }),
})

/** Records the dispatches into a compute pass; they run in order when the pass's commands are submitted. */
export const encode = (pass: GpuComputePass, bound: Bound): void => {
  for (const { pipeline, group, workgroups } of bound.dispatches) {
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(...workgroups)
  }
}

/**
 * A contraction as a kernel for a device that runs whole plans: compiled once, bound once for each set of buffers, then
 * encoded in every run, as a compute pass of its own. Shaders of the same text are compiled once per `pipelines`.
 */
export const kernel = (device: GpuDevice, c: Contraction, pipelines?: Pipelines) =>
  Effect.map(prepare(device, contraction(c, device.limits), c.name, pipelines), (prepared) => ({
    workspaceBytes: prepared.tuned.workspaceBytes,
    bind: (inputs: ReadonlyArray<GpuBuffer>, output: GpuBuffer, workspace: GpuBuffer | undefined) => {
      const bound = bind(device, prepared, { inputs, output, workspace })
      return (encoder: GpuCommandEncoder): void => {
        const pass = encoder.beginComputePass()
        encode(pass, bound)
        pass.end()
      }
    },
  }))
