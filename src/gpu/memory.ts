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

/** each in turn at the lowest offset where it meets none that is alive at the same time */
const placed = (needs: ReadonlyArray<Need>, order: ReadonlyArray<number>): Arena => {
  const offsets = needs.map(() => 0)
  // by their offsets
  const there: Array<{ readonly from: number; readonly to: number; readonly need: Need }> = []
  let bytes = 0
  for (const i of order) {
    const need = needs[i]
    if (need === undefined) continue
    const size = aligned(need.bytes)
    let at = 0
    for (const p of there) {
      if (p.need.first > need.last || need.first > p.need.last) continue
      if (at + size <= p.from) break
      at = Math.max(at, p.to)
    }
    offsets[i] = at
    bytes = Math.max(bytes, at + size)
    const behind = there.findIndex((p) => p.from > at)
    there.splice(behind < 0 ? there.length : behind, 0, { from: at, to: at + size, need })
  }
  return { offsets, bytes }
}

/**
 * Places the needs so that none that are alive at the same time overlap: the largest first, or, where that wastes room, those
 * first that take the most of room and time, or that are alive when most is.
 */
export const arrange = (needs: ReadonlyArray<Need>): Arena => {
  const some = needs.flatMap((need, i) => (need.bytes > 0 ? [{ ...need, i }] : []))
  const alive = Array.from({ length: some.reduce((n, need) => Math.max(n, need.last + 1), 0) }, () => 0)
  for (const need of some)
    for (let s = need.first; s <= need.last; s++) alive[s] = (alive[s] ?? 0) + aligned(need.bytes)
  const least = alive.reduce((a, b) => Math.max(a, b), 0)
  type One = (typeof some)[number]
  const peak = (need: One): number => alive.slice(need.first, need.last + 1).reduce((a, b) => Math.max(a, b), 0)
  const ranks: ReadonlyArray<(need: One) => number> = [
    () => 0,
    (need) => need.bytes * (need.last - need.first + 1),
    peak,
  ]
  let best: Arena = { offsets: needs.map(() => 0), bytes: Infinity }
  for (const rank of ranks) {
    const ranked = some.map((need) => ({ ...need, rank: rank(need) }))
    const order = ranked.sort((a, b) => b.rank - a.rank || b.bytes - a.bytes || a.i - b.i).map((need) => need.i)
    const arena = placed(needs, order)
    if (arena.bytes < best.bytes) best = arena
    if (best.bytes === least) break
  }
  return best
}

/** steps that run together, and the buffers that have no room of their own in them */
interface Together {
  readonly first: number
  readonly last: number
  readonly local: ReadonlySet<number>
}

/**
 * From which step to which each buffer of a plan holds something, or `undefined` for one that lies outside it (state)
 * or is never used. What is copied in before a run is alive from its start, what is read back, to its end; a constant
 * always.
 */
export const lifetimes = (plan: Plan, together: ReadonlyArray<Together> = []): ReadonlyArray<Need | undefined> => {
  const first = plan.buffers.map(() => Infinity)
  const last = plan.buffers.map(() => -Infinity)
  plan.steps.forEach((step, i) => {
    const around = together.find((t) => t.first <= i && i <= t.last)
    for (const b of [...step.inputs, ...step.outputs]) {
      if (around?.local.has(b) === true) continue
      first[b] = Math.min(first[b] ?? i, around?.first ?? i)
      last[b] = Math.max(last[b] ?? i, around?.last ?? i)
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
