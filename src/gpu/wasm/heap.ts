/** Addresses in one memory that grows: given out lowest first, and again after they were freed. */
import { aligned } from "../memory.ts"
import { guardBytes } from "./Flat.ts"

export interface Heap {
  /** the address of `bytes` free bytes, or `undefined` where the memory cannot hold them */
  readonly allocate: (bytes: number) => number | undefined
  readonly free: (address: number, bytes: number) => void
  /** bytes that could still be had in one piece */
  readonly available: () => number
}

export const pageBytes = 65536

/**
 * A heap over a memory of at most `maximumPages`; `grow` makes it at least so many pages large, or says that it
 * cannot. The first page and the last are kept free, see `guardBytes`.
 */
export const makeHeap = (maximumPages: number, grow: (pages: number) => boolean): Heap => {
  const limit = maximumPages * pageBytes - guardBytes
  let top = guardBytes
  let holes: ReadonlyArray<{ readonly from: number; readonly to: number }> = []
  return {
    allocate: (wanted) => {
      const bytes = aligned(Math.max(1, wanted))
      const hole = holes.find((h) => h.to - h.from >= bytes)
      if (hole !== undefined) {
        const rest = hole.from + bytes
        holes = holes.flatMap((h) => (h !== hole ? [h] : rest < h.to ? [{ from: rest, to: h.to }] : []))
        return hole.from
      }
      if (top + bytes > limit || !grow(Math.ceil((top + bytes + guardBytes) / pageBytes))) return undefined
      const address = top
      top += bytes
      return address
    },
    free: (address, wanted) => {
      let [from, to] = [address, address + aligned(Math.max(1, wanted))]
      const others = holes.filter((h) => {
        if (h.to === from) from = h.from
        else if (h.from === to) to = h.to
        else return true
        return false
      })
      if (to === top) top = from
      else others.push({ from, to })
      holes = others.sort((a, b) => a.from - b.from)
    },
    available: () => holes.reduce((n, h) => Math.max(n, h.to - h.from), limit - top),
  }
}
