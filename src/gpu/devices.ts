/** The devices by the names that `--device` takes; each is loaded when it is asked for. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Device, DeviceError } from "./Device.ts"

/** Every device but `auto`, which chooses among them. */
export const deviceNames = [
  "wasm",
  "reference",
  "gpujs-cpu",
  "gpujs-webasm",
  "gpujs-webgpu",
  "gpujs-webgl",
  "gpujs-webgl2",
  "gpujs-headlessgl",
] as const
export type DeviceName = (typeof deviceNames)[number]

/** What devices can be told; each takes what it knows. */
export interface DeviceOptions {
  /** of the WebAssembly device; as many as the machine has processors unless told */
  readonly threads?: number | undefined
  /** contractions as ordinary kernels too: slow, for comparison */
  readonly plain?: boolean | undefined
}

const lazy = <A>(load: () => Promise<A>, layer: (module: A) => Layer.Layer<Device, DeviceError>) =>
  Layer.unwrap(Effect.map(Effect.promise(load), layer))

const gpujs =
  (mode: "cpu" | "webasm" | "webgpu" | "webgl" | "webgl2" | "headlessgl") =>
  ({ plain }: DeviceOptions) =>
    lazy(
      () => import("./gpujs/GpuJs.ts"),
      (GpuJs) => GpuJs.layer({ mode, ...(plain === undefined ? {} : { plain }) }),
    )

/** total over the names, so that a device without a layer does not compile */
const layers: { readonly [N in DeviceName]: (options: DeviceOptions) => Layer.Layer<Device, DeviceError> } = {
  wasm: ({ threads, plain }) =>
    lazy(
      () => import("./wasm/Wasm.ts"),
      (Wasm) =>
        Wasm.layer({ ...(threads === undefined ? {} : { threads }), ...(plain === undefined ? {} : { plain }) }),
    ),
  reference: () =>
    lazy(
      () => import("./reference/Reference.ts"),
      (Reference) => Reference.layer,
    ),
  "gpujs-cpu": gpujs("cpu"),
  "gpujs-webasm": gpujs("webasm"),
  "gpujs-webgpu": gpujs("webgpu"),
  "gpujs-webgl": gpujs("webgl"),
  "gpujs-webgl2": gpujs("webgl2"),
  "gpujs-headlessgl": gpujs("headlessgl"),
}

/**
 * A device by name.
 *
 * @example
 * program.pipe(Effect.provide(deviceLayer("wasm", { threads: 2 })))
 */
export const deviceLayer = (name: DeviceName, options: DeviceOptions = {}): Layer.Layer<Device, DeviceError> =>
  layers[name](options)
