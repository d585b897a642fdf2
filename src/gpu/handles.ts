/** The handles a device has given out, and the exact count of those that are alive. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type DeviceBuffer, DeviceError, type Live } from "./Device.ts"
import { elements } from "./Plan.ts"

/**
 * The storage behind each live `DeviceBuffer`. `A` is whatever a device keeps: an array, an address, a GPU buffer.
 */
export interface Handles<A> {
  readonly live: Effect.Effect<Live>
  /** counts something that is no buffer (a compiled plan) while its scope is open */
  readonly counted: <T>(
    acquire: Effect.Effect<{ readonly bytes: number; readonly value: T; readonly release: () => void }, DeviceError>,
  ) => Effect.Effect<T, DeviceError, Scope.Scope>
  readonly allocate: (
    shape: ReadonlyArray<number>,
    acquire: (bytes: number) => A,
    release: (storage: A, bytes: number) => void,
  ) => Effect.Effect<DeviceBuffer, DeviceError, Scope.Scope>
  /** why a buffer cannot be used, or `undefined` */
  readonly unusable: (buffer: DeviceBuffer) => string | undefined
  readonly storage: (buffer: DeviceBuffer, action: DeviceError["action"]) => Effect.Effect<A, DeviceError>
  readonly storageUnsafe: (buffer: DeviceBuffer) => A
}

export const makeHandles = <A>(device: string): Handles<A> => {
  const known = new WeakSet<DeviceBuffer>()
  const storages = new Map<DeviceBuffer, A>()
  let handles = 0
  let bytes = 0

  const counted: Handles<A>["counted"] = (acquire) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.tap(acquire, (held) =>
          Effect.sync(() => {
            handles++
            bytes += held.bytes
          }),
        ),
        (held) =>
          Effect.sync(() => {
            handles--
            bytes -= held.bytes
            held.release()
          }),
      ),
      (held) => held.value,
    )

  const unusable = (buffer: DeviceBuffer): string | undefined => {
    if (storages.has(buffer)) return undefined
    return known.has(buffer)
      ? "is a buffer that has been released; use it within the scope that allocated it"
      : `is a buffer of another device; allocate it on ${device}`
  }

  return {
    live: Effect.sync(() => ({ handles, bytes })),
    counted,
    unusable,
    storageUnsafe: (buffer) => storages.get(buffer) as A, // after `unusable` gave undefined
    storage: (buffer, action) =>
      Effect.suspend(() => {
        const why = unusable(buffer)
        if (why !== undefined) return Effect.fail(new DeviceError({ device, action, reason: `it ${why}` }))
        return Effect.succeed(storages.get(buffer) as A) // `unusable` has looked
      }),
    allocate: (shape, acquire, release) =>
      counted(
        Effect.suspend(() => {
          if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) {
            const reason = `[${shape}] is not a shape; every dimension is a whole number, zero or more`
            return Effect.fail(new DeviceError({ device, action: "allocate", reason }))
          }
          const size = elements(shape) * 4
          const buffer: DeviceBuffer = { _tag: "DeviceBuffer", shape: [...shape], bytes: size }
          return Effect.try({
            try: () => {
              const storage = acquire(size)
              known.add(buffer)
              storages.set(buffer, storage)
              const free = () => {
                storages.delete(buffer)
                release(storage, size)
              }
              return { bytes: size, value: buffer, release: free }
            },
            catch: (cause) =>
              cause instanceof DeviceError
                ? cause
                : new DeviceError({ device, action: "allocate", reason: `no memory for ${size} bytes`, cause }),
          })
        }),
      ),
  }
}
