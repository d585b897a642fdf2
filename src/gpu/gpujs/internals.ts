/**
 * gpu.js, as far as we know it. This is the one place that imports it and that names what it does not promise; a test
 * beside it holds each of these against the version installed (2.24.1).
 */
import type { Mode } from "./dialect.ts"

/** an array on the host, flat, and the dimensions `[x, y, z]` a kernel indexes it in */
export interface HostInput {
  readonly value: Float32Array
  readonly size: ReadonlyArray<number>
}

/** a result that stayed on a GL device; promised: `toArray`, `delete`, `type` */
export interface GlTexture {
  readonly type: string
  toArray(): unknown
  delete(): void
  /** private: the dimensions a kernel indexes it in are those it is built with, so a view is a copy with others */
  readonly dimensions: ReadonlyArray<number>
  readonly output: ReadonlyArray<number>
}

/** What a kernel object holds beside its call. */
interface KernelInternals {
  readonly built: boolean
  /** set where gpu.js fell back to its `cpu` mode, with why */
  readonly fallbackReason: string | null
  readonly fallbackRequested: boolean
  /** webgpu: the shared `{ adapter, device }` */
  context: unknown
  /** webgpu: where the result goes, which we replace by a buffer of our own */
  outputBuffer: { _refs: number; destroy(): void } | null
  /** webgpu: makes the next run bind its buffers anew */
  bindGroupDirty: boolean
  /** GL: the corners of what is drawn, which every run reads from wherever the kernel built last had them */
  buffer: unknown
  build(...args: ReadonlyArray<unknown>): Promise<void> | void
}

/** what `createKernel` gives: it is called to run, and `kernel` is what really runs */
export interface GpuJsKernel {
  (...args: ReadonlyArray<unknown>): unknown
  kernel: KernelInternals & { readonly constructor: unknown }
  destroy(removeCanvasReferences?: boolean): void
}

export interface KernelSettings {
  readonly output: ReadonlyArray<number>
  readonly argumentTypes: ReadonlyArray<string>
  readonly pipeline: boolean
  readonly immutable: boolean
  readonly precision: "single"
  readonly returnType: "Number"
  readonly fixIntegerDivisionAccuracy: boolean
  readonly loopMaxIterations: number
  readonly tactic: "precision"
}

export interface GpuJsInstance {
  createKernel(source: string, settings: KernelSettings): GpuJsKernel
  destroy(): Promise<void>
  /** private: the GL context its kernels share */
  readonly context: unknown
  readonly kernels: Array<unknown>
}

export interface GpuJsLibrary {
  readonly GPU: new (settings: { readonly mode: Mode }) => GpuJsInstance
  readonly input: (value: Float32Array, size: ReadonlyArray<number>) => HostInput
  /** the class behind each mode: what a kernel's constructor is compared with */
  readonly CPUKernel: unknown
  readonly WebAssemblyKernel: unknown
  readonly WebGPUKernel: unknown
  readonly WebGL2Kernel: unknown
  readonly WebGLKernel: unknown
  readonly HeadlessGLKernel: unknown
  readonly WebGPUContext: { destroy(): Promise<void> }
}

/** Loads gpu.js: a CommonJS module, whose namespace looks different in Node and in each bundler. */
export const load = async (): Promise<GpuJsLibrary> => {
  // gpu.js's own types are not used: no declaration of ours may name them, and they lack most of the above
  const module = (await import("gpu.js")) as object as { default?: object; GPU?: object }
  const found = [module, module.default, module.default && (module.default as { default?: object }).default].find(
    (m): m is GpuJsLibrary => m !== undefined && "GPU" in m && "input" in m && "CPUKernel" in m,
  )
  if (found === undefined) throw new Error("gpu.js was loaded but exports no GPU: version 2.24.1 is expected")
  return found
}

const classOf = (library: GpuJsLibrary, mode: Mode): unknown =>
  ({
    cpu: library.CPUKernel,
    webasm: library.WebAssemblyKernel,
    webgpu: library.WebGPUKernel,
    webgl2: library.WebGL2Kernel,
    webgl: library.WebGLKernel,
    headlessgl: library.HeadlessGLKernel,
  })[mode]

/** The mode that a kernel really runs in, read back from it: `unknown` where it is none that we know. */
export const backendOf = (library: GpuJsLibrary, kernel: GpuJsKernel): Mode | "unknown" => {
  const constructor = kernel.kernel.constructor
  for (const mode of ["webgl2", "headlessgl", "webgl", "webgpu", "webasm", "cpu"] as const) {
    if (constructor === classOf(library, mode)) return mode
  }
  return "unknown"
}

/** Why a kernel does not run in `mode`, if it does not. */
export const otherBackend = (library: GpuJsLibrary, kernel: GpuJsKernel, mode: Mode): string | undefined => {
  const ran = backendOf(library, kernel)
  if (ran === mode) return undefined
  const why = kernel.kernel.fallbackReason
  return `gpu.js ran it in mode ${ran} instead of ${mode}${why === null || why === undefined ? "" : ` (${why})`}`
}

export const build = (kernel: GpuJsKernel, args: ReadonlyArray<unknown>): Promise<void> | void =>
  kernel.kernel.build(...args)

/** the same texture, indexed in other dimensions; it holds no reference of its own and is not to be deleted */
export const viewTexture = (texture: GlTexture, dimensions: ReadonlyArray<number>): GlTexture =>
  // a kernel takes only what has the class of the texture it was built for
  Object.assign(Object.create(Object.getPrototypeOf(texture) as object) as GlTexture, texture, {
    dimensions,
    output: dimensions,
  })

/** What a webgpu kernel takes for an array that lies in a buffer: the fields of gpu.js's own result that it reads. */
export interface BufferArgument<Buffer> {
  readonly type: "WebGPUBuffer"
  readonly buffer: Buffer
  readonly output: ReadonlyArray<number>
  readonly componentCount: 1
  readonly context: unknown
  readonly _deleted: false
}

export const bufferArgument = <Buffer>(
  buffer: Buffer,
  dimensions: ReadonlyArray<number>,
  context: unknown,
): BufferArgument<Buffer> => ({
  type: "WebGPUBuffer",
  buffer,
  output: dimensions,
  componentCount: 1,
  context,
  _deleted: false,
})

/**
 * Lets a GL kernel that is not built yet draw with the corners of `other`. A kernel does not bind its own before it
 * draws, so one that is destroyed would take those that all others draw with.
 */
export const shareCorners = (kernel: GpuJsKernel, other: GpuJsKernel): void => {
  kernel.kernel.buffer = other.kernel.buffer
}

/** Destroys a GL kernel and leaves the corners that it shares. */
export const destroySharing = (kernel: GpuJsKernel): void => {
  kernel.kernel.buffer = null
  kernel.destroy()
}

/** the `{ adapter, device }` that all webgpu kernels share, read from one that is built */
export const contextOf = (kernel: GpuJsKernel): unknown => kernel.kernel.context

/** Lets a webgpu kernel write into `buffer`. gpu.js counts references on it, and never comes to destroy it. */
export const writeInto = (kernel: GpuJsKernel, buffer: { destroy(): void }): void => {
  const inner = kernel.kernel
  const before = inner.outputBuffer
  if (before === buffer) return
  if (before !== null && ours.has(before) === false) before.destroy()
  ours.add(buffer)
  inner.outputBuffer = Object.assign(buffer, { _refs: 2 ** 30 })
  inner.bindGroupDirty = true
}
const ours = new WeakSet<object>()
