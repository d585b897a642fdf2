/** Our device, as the benchmark uses it: Effects run to promises, with a scope for each thing that is measured. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { Device, type DeviceInfo } from "../src/gpu/Device.ts"
import { deviceLayer } from "../src/gpu/devices.ts"
import { layer } from "../src/gpu/wasm/Wasm.ts"
import type { Options } from "./options.ts"

export interface Ours {
  readonly info: DeviceInfo
  readonly run: <A, E>(effect: Effect.Effect<A, E, Device>) => Promise<A>
  /** makes something that lives until it is dropped */
  readonly make: <A, E>(
    effect: Effect.Effect<A, E, Device | Scope.Scope>,
  ) => Promise<{ readonly value: A; readonly drop: () => Promise<void> }>
  readonly stop: () => Promise<void>
}

export const startOurs = async (options: Pick<Options, "threads" | "narrow" | "device">): Promise<Ours> => {
  const { device, threads, narrow } = options
  const runtime = ManagedRuntime.make(
    device === "wasm" ? layer({ threads, vectorBits: narrow ? 128 : "auto" }) : deviceLayer(device),
  )
  return {
    info: await runtime.runPromise(Effect.map(Device, (d) => d.info)),
    run: (effect) => runtime.runPromise(effect),
    make: async (effect) => {
      const scope = await runtime.runPromise(Scope.make())
      const drop = () => runtime.runPromise(Scope.close(scope, Exit.void))
      try {
        return { value: await runtime.runPromise(Scope.provide(effect, scope)), drop }
      } catch (error) {
        await drop()
        throw error
      }
    },
    stop: () => runtime.dispose(),
  }
}
