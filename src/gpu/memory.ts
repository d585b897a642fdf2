/** Where the buffers of a plan lie in one stretch of memory: those that are never alive together share room. */
import { DeviceError } from "./Device.ts"
import { elements, type Plan } from "./Plan.ts"

/** something that needs `bytes` from step `first` to step `last`, both included */
export interface Need {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

/** the offset of each need, and the size of the whole */
export interface Arena {
  readonly offsets: ReadonlyArray<number>
  readonly bytes: number
}

/** every offset is a multiple of this, so that no two buffers share a cache line or the one fetched with it */
export const alignment = 128

export const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/**
 * Places the needs, the largest first, each at the lowest offset where it meets none that is alive at the same time.
 */
export const arrange = (needs: ReadonlyArray<Need>): Arena => {
  const offsets = needs.map(() => 0)
  const placed: Array<{ readonly from: number; readonly to: number; readonly need: Need }> = []
  const order = needs.map((_, i) => i).sort((a, b) => (needs[b]?.bytes ?? 0) - (needs[a]?.bytes ?? 0) || a - b)
  let bytes = 0
  for (const i of order) {
    const need = needs[i]
    if (need === undefined || need.bytes === 0) continue
    const size = aligned(need.bytes)
    const neighbours = placed
      .filter((p) => p.need.first <= need.last && need.first <= p.need.last)
      .sort((a, b) => a.from - b.from)
    let at = 0
    for (const p of neighbours) {
      if (at + size <= p.from) break
      at = Math.max(at, p.to)
    }
    offsets[i] = at
    bytes = Math.max(bytes, at + size)
    placed.push({ from: at, to: at + size, need })
  }
  return { offsets, bytes }
}

/**
 * From which step to which each buffer of a plan holds something, or `undefined` for one that lies outside it (state)
 * or is never used. What is copied in before a run is alive from its start, what is read back, to its end; a constant
 * always.
 */
export const lifetimes = (plan: Plan): ReadonlyArray<Need | undefined> => {
  const first = plan.buffers.map(() => Infinity)
  const last = plan.buffers.map(() => -Infinity)
  plan.steps.forEach((step, i) => {
    for (const b of [...step.inputs, ...step.outputs]) {
      first[b] = Math.min(first[b] ?? i, i)
      last[b] = Math.max(last[b] ?? i, i)
    }
  })
  const end = Math.max(0, plan.steps.length - 1)
  return plan.buffers.map((buffer, i): Need | undefined => {
    const bytes = elements(buffer.shape) * 4
    const [from, to] = [first[i] ?? 0, last[i] ?? 0]
    switch (buffer.role._tag) {
      case "State":
        return undefined
      case "Constant":
        return { bytes, first: 0, last: end }
      case "Input":
        return { bytes, first: 0, last: Math.max(0, to) }
      case "Output":
        return { bytes, first: Math.min(from, end), last: end }
      case "Temp":
        return from === Infinity ? undefined : { bytes, first: from, last: to }
    }
  })
}

/** fails, before anything is allocated, where `bytes` is more than the device can address */
export const fits = (device: string, what: string, bytes: number, available: number): DeviceError | undefined =>
  bytes <= available
    ? undefined
    : new DeviceError({
        device,
        action: "allocate",
        reason: `${what} needs ${bytes} bytes but ${available} are left; take a smaller batch or a device with more memory`,
      })
