/** The choice of a device: WebGPU where there is hardware for it, else WebAssembly, else gpu.js on the CPU. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Device, DeviceError, type DeviceShape } from "./Device.ts"
import { deviceLayer, type DeviceName, type DeviceOptions } from "./devices.ts"
import { installWebGpu } from "./gpujs/dawn.ts"

/** what is read of a WebGPU adapter; some engines tell of a fallback on the adapter, some in its `info` */
interface Adapter {
  readonly isFallbackAdapter?: boolean
  readonly info?: {
    readonly isFallbackAdapter?: boolean
    readonly vendor?: string
    readonly architecture?: string
    readonly device?: string
    readonly description?: string
  }
}

/** renderers that compute on the CPU, by what they call themselves */
const software = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software/i

/** Why an adapter is not worth taking, where it is not. */
export const adapterRefusal = (adapter: Adapter | null): string | undefined => {
  if (adapter === null) return "no WebGPU adapter"
  const { info = {} } = adapter
  const names = [info.vendor, info.architecture, info.device, info.description].filter(
    (s) => s !== undefined && s !== "",
  )
  if (adapter.isFallbackAdapter === true || info.isFallbackAdapter === true || software.test(names.join(" "))) {
    return `the WebGPU adapter is software (${names.join(" ") || "a fallback adapter"})`
  }
  return undefined
}

/**
 * Whether Node on Linux has a driver to reach a graphics card by. Dawn would find that out itself, but slowly, and the
 * Vulkan drivers that it asks print what they miss to standard error.
 */
const hasGraphicsDriver = (): boolean => {
  const { process } = globalThis as {
    readonly process?: {
      readonly platform?: string
      readonly getBuiltinModule?: (name: "node:fs") => { readonly readdirSync: (path: string) => Array<string> }
    }
  }
  const fs = process?.getBuiltinModule?.("node:fs")
  if (process?.platform !== "linux" || fs === undefined) return true
  const list = (path: string): Array<string> => {
    try {
      return fs.readdirSync(path)
    } catch {
      return []
    }
  }
  return list("/dev/dri").some((d) => d.startsWith("renderD")) || list("/dev").some((d) => /^(nvidia\d|dxg$)/.test(d))
}

/** why WebGPU is not taken, or `undefined` where it is */
const webGpuRefusal: Effect.Effect<string | undefined> = Effect.tryPromise(async () => {
  if (!hasGraphicsDriver()) return "no graphics card"
  const installed = await installWebGpu()
  if ("missing" in installed) return "no WebGPU here"
  try {
    // only what is asked here, of an object that the platform defines
    const { gpu } = (globalThis as { navigator?: object }).navigator as {
      readonly gpu: { readonly requestAdapter: (options: object) => Promise<Adapter | null> }
    }
    return adapterRefusal(await gpu.requestAdapter({ powerPreference: "high-performance" }))
  } finally {
    installed.remove()
  }
}).pipe(Effect.catch((error) => Effect.succeed(`WebGPU failed (${String(error.cause)})`)))

const start = (name: DeviceName, options: DeviceOptions) =>
  Effect.map(Layer.build(deviceLayer(name, options)), (context): DeviceShape => Context.get(context, Device))

/**
 * The best device of this machine. Its `info.description` says what was taken and why.
 *
 * WebGPU is taken only on an adapter that is no fallback, since a software renderer is slower than WebAssembly. Fails
 * with `DeviceError` where not even gpu.js's `cpu` mode runs.
 */
export const autoLayer = (options: DeviceOptions = {}): Layer.Layer<Device, DeviceError> =>
  Layer.effect(
    Device,
    Effect.gen(function* () {
      const passed: Array<string> = []
      const refusal = yield* webGpuRefusal
      if (refusal !== undefined) passed.push(refusal)
      const candidates: ReadonlyArray<DeviceName> = [
        ...(refusal === undefined ? (["gpujs-webgpu"] as const) : []),
        "wasm",
        "gpujs-cpu",
      ]
      for (const name of candidates) {
        const started = yield* Effect.result(start(name, options))
        if (started._tag === "Success") {
          const { info } = started.success
          const why = passed.length === 0 ? "the fastest kind there is" : passed.join("; ")
          const chosen: DeviceShape = {
            ...started.success,
            info: { ...info, description: `${info.description} (taken because: ${why})` },
          }
          return chosen
        }
        passed.push(started.failure.message)
      }
      return yield* new DeviceError({ device: "auto", action: "start", reason: passed.join("; ") })
    }),
  )
