/** The service through which everything runs, and the handles it gives out. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Plan } from "./Plan.ts"

/** Why a device could not do what it was asked, and what to do about it. */
export class DeviceError extends Data.TaggedError("DeviceError")<{
  readonly device: string
  /** what was being done: `compile`, `run`, `allocate`, `read`, `write`, `start` */
  readonly action: "start" | "allocate" | "write" | "read" | "compile" | "run"
  /** the kernel concerned, where there is one */
  readonly kernel?: string | undefined
  readonly reason: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const where = this.kernel === undefined ? "" : ` (kernel ${this.kernel})`
    return `${this.device} could not ${this.action}${where}: ${this.reason}`
  }
}

/** Memory of a device that outlives a run: parameters, optimiser state, a batch uploaded ahead. */
export interface DeviceBuffer {
  readonly _tag: "DeviceBuffer"
  readonly shape: ReadonlyArray<number>
  readonly bytes: number
}

/** What really runs. */
export interface DeviceInfo {
  /** as `--device` spells it: `wasm`, `reference`, `gpujs-cpu`, … */
  readonly name: string
  /** one line for people: engine, vector width, adapter */
  readonly description: string
  readonly threads: number
  /** the backend asked of the engine itself, where there is one to ask */
  readonly backend: string
}

/** A plan compiled for one device. */
export interface Executable {
  /**
   * Runs every step once, and gives the plan's outputs, each a fresh array. It is not interruptible half-way.
   * `inputs` and `state` are by slot.
   */
  readonly run: (
    inputs: ReadonlyArray<Float32Array | DeviceBuffer>,
    state: ReadonlyArray<DeviceBuffer>,
  ) => Effect.Effect<ReadonlyArray<Float32Array>, DeviceError>
  /** bytes that the plan itself holds on the device: temporaries, inputs, outputs, constants, packed copies */
  readonly bytes: number
}

/** handles and bytes that have not been released */
export interface Live {
  readonly handles: number
  readonly bytes: number
}

export interface DeviceShape {
  readonly info: DeviceInfo
  readonly compile: (plan: Plan) => Effect.Effect<Executable, DeviceError, Scope.Scope>
  /** memory filled with zeros, released with the scope */
  readonly allocate: (shape: ReadonlyArray<number>) => Effect.Effect<DeviceBuffer, DeviceError, Scope.Scope>
  readonly write: (buffer: DeviceBuffer, data: Float32Array) => Effect.Effect<void, DeviceError>
  readonly read: (buffer: DeviceBuffer) => Effect.Effect<Float32Array, DeviceError>
  readonly live: Effect.Effect<Live>
}

/**
 * The device that programs run on. Only the line that provides a layer names hardware:
 * `Effect.provide(Device.auto)`, `Wasm.layer({ threads: 2 })`, `GpuJs.layer({ mode: "webgpu" })`, `Reference.layer`.
 */
export class Device extends Context.Service<Device, DeviceShape>()("effect-nn/gpu/Device") {
  /**
   * The best device of this machine, loaded when it is asked for: WebGPU on an adapter that is no fallback, else
   * `wasm`, else gpu.js on the CPU. Its `info.description` says what was taken and why.
   */
  static readonly auto: Layer.Layer<Device, DeviceError> = Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./auto.ts")),
      ({ autoLayer }) => autoLayer(),
    ),
  )
}
