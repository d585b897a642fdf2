/** Windows along one dimension, both ways: what a window covers, and which windows cover an element. */
import * as K from "../gpu/Kernel.ts"
import { type Pair, pairX, pairY } from "../shapes/Shape.ts"

export interface Windows {
  /** the input's size, and the number of windows */
  readonly size: number
  readonly count: number
  /** how many elements a window has at most */
  readonly taps: number
  /** the element under tap `t` of window `o` */
  readonly element: (o: K.Index, t: K.Index) => K.Index
  /** whether tap `t` of window `o` is an element at all; `null` where every tap is */
  readonly covers: (o: K.Index, t: K.Index) => K.Condition | null
  /** how many windows cover an element at most */
  readonly origins: number
  /** the `j`-th window that can cover element `i`, the tap by which it does, and whether it does */
  readonly origin: (
    i: K.Index,
    j: K.Index,
  ) => { readonly window: K.Index; readonly tap: K.Index; readonly exists: K.Condition }
}

export const within = (i: K.Index, extent: number): K.Condition =>
  K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, extent))

export interface Sliding {
  readonly kernelSize: number
  readonly stride: number
  readonly padding: number
  readonly dilation: number
}

/** windows of one size that move by the stride */
export const sliding = (size: number, count: number, { kernelSize, stride, padding, dilation }: Sliding): Windows => {
  const overhangs = padding > 0 || (count - 1) * stride + (kernelSize - 1) * dilation >= size
  const element = (o: K.Index, t: K.Index): K.Index => K.isub(K.iadd(K.imul(o, stride), K.imul(t, dilation)), padding)
  const dense = dilation === 1
  return {
    size,
    count,
    taps: kernelSize,
    element,
    covers: (o, t) => (overhangs ? within(element(o, t), size) : null),
    origins: dense ? Math.ceil(kernelSize / stride) : kernelSize,
    origin: (i, j) => {
      const position = K.iadd(i, padding)
      if (dense) {
        const window = K.isub(K.idiv(position, stride), j)
        const tap = K.isub(position, K.imul(window, stride))
        return { window, tap, exists: K.and(within(window, count), K.compareIndex("lt", tap, kernelSize)) }
      }
      const start = K.isub(position, K.imul(j, dilation))
      const window = K.idiv(start, stride)
      const aligned = K.compareIndex("eq", K.imod(start, stride), 0)
      return { window, tap: j, exists: K.and(within(window, count), aligned) }
    },
  }
}

/** windows of one size along height and width */
export const slidingBoth = (
  input: readonly [number, number],
  output: readonly [number, number],
  geometry: { readonly [K in keyof Sliding]: Pair },
): readonly [Windows, Windows] => {
  const along = (d: 0 | 1, of: (p: Pair) => number): Windows =>
    sliding(input[d], output[d], {
      kernelSize: of(geometry.kernelSize),
      stride: of(geometry.stride),
      padding: of(geometry.padding),
      dilation: of(geometry.dilation),
    })
  return [along(0, pairY), along(1, pairX)]
}

/** where window `o` of `count` begins and ends (not included) in an input of `size`: they overlap where uneven */
export const binStart = (o: K.Index, size: number, count: number): K.Index => K.idiv(K.imul(o, size), count)
export const binEnd = (o: K.Index, size: number, count: number): K.Index =>
  K.idiv(K.iadd(K.imul(K.iadd(o, 1), size), count - 1), count)

/** PyTorch's adaptive bins: window `o` covers `⌊o·size/count⌋` to `⌈(o + 1)·size/count⌉` */
export const adaptive = (size: number, count: number): Windows => {
  const bins = Array.from({ length: count }, (_, o) => ({
    start: Math.floor((o * size) / count),
    end: Math.ceil(((o + 1) * size) / count),
  }))
  const taps = Math.max(...bins.map((b) => b.end - b.start))
  const even = bins.every((b) => b.end - b.start === taps)
  const covering = Array.from({ length: size }, (_, i) => bins.filter((b) => b.start <= i && i < b.end).length)
  return {
    size,
    count,
    taps,
    element: (o, t) => K.iadd(binStart(o, size, count), t),
    covers: (o, t) => (even ? null : K.compareIndex("lt", K.iadd(binStart(o, size, count), t), binEnd(o, size, count))),
    origins: Math.max(...covering),
    origin: (i, j) => {
      const window = K.iadd(K.idiv(K.imul(i, count), size), j)
      const tap = K.isub(i, binStart(window, size, count))
      return { window, tap, exists: K.and(K.compareIndex("lt", window, count), K.compareIndex("ge", tap, 0)) }
    },
  }
}
