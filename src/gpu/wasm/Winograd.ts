/** Which convolutions run by Winograd's minimal filtering, and how they are laid out for `winogradKernels.ts`. */
import type { Conv2d } from "../Contraction.ts"
import { roundUp } from "./Product.ts"
import { winogradField } from "./winogradKernels.ts"

export interface LaidWinograd {
  readonly tables: Int32Array
  /** the memory that each thread needs for itself */
  readonly threadBytes: number
  /** the transformed filters, which the threads share */
  readonly weightBytes: number
  readonly weights: {
    readonly fn: "winogradWeights" | "winogradWeightsFlipped"
    /** filters, channels, and how many bytes of the weights lie from filter to filter and from channel to channel */
    readonly args: readonly [filters: number, channels: number, filterStride: number, channelStride: number]
    /** bytes from frequency to frequency */
    readonly frequency: number
  }
}

/** the convolution of stride 1 that it is: of `x`, or of `dy` with the filters turned around */
const asForward = (f: Conv2d) => {
  const forward = f.pass === "forward"
  return {
    images: f.n,
    flipped: !forward,
    channels: forward ? f.c : f.o,
    filters: forward ? f.o : f.c,
    height: forward ? f.h : f.oh,
    width: forward ? f.w : f.ow,
    outputHeight: forward ? f.oh : f.h,
    outputWidth: forward ? f.ow : f.w,
    top: forward ? f.padding[0] : 2 - f.padding[0],
    left: forward ? f.padding[1] : 2 - f.padding[1],
  }
}

/** pieces of a row are taken four at a time */
const leastPieces = 4
/** V and M of so many pieces lie in memory at a time, for each thread */
const piecesAtOnce = 96
/** a panel of so many channels stays in the first-level cache */
const longestBlock = 256

/** whether it can run so, and costs clearly fewer instructions */
export const suits = (f: Conv2d): boolean => {
  if (f.pass === "weightGradient" || f.groups !== 1) return false
  if (![...f.kernel, ...f.stride, ...f.dilation].every((x, i) => x === (i < 2 ? 3 : 1))) return false
  const g = asForward(f)
  // nothing is cut off at the border
  const whole = [g.top, g.left].every((x) => x >= 0 && x <= 2)
  if (!whole || g.height + g.top > g.outputHeight + 2 || g.width + g.left > g.outputWidth + 2) return false
  const [across, down] = [Math.ceil(g.outputWidth / 2), Math.ceil(g.outputHeight / 2)]
  if (across < leastPieces || g.channels % 4 !== 0) return false
  const pieces = g.images * across * down
  const products = 2 * g.channels * g.filters
  const cost = pieces * (products + 25 * g.channels + 18 * g.filters) + 25 * g.channels * g.filters
  const direct = 1.125 * g.images * g.outputHeight * g.outputWidth * g.channels * g.filters
  return cost < 0.8 * direct
}

/** an odd number of cache lines: rows that far apart do not meet in the same few places of a cache */
const oddLines = (floats: number): number => {
  const lines = Math.ceil(floats / 16)
  return 64 * (lines + 1 - (lines % 2))
}

/** Lays out a convolution that `suits` for `threads` threads. */
export const lay = (f: Conv2d, threads: number): LaidWinograd => {
  const g = asForward(f)
  const pieces = Math.ceil(g.outputWidth / 2)
  const imagePieceRows = Math.ceil(g.outputHeight / 2)
  const pieceRows = g.images * imagePieceRows
  const share = Math.ceil(pieceRows / threads)
  const rounds = Math.ceil((share * pieces) / Math.max(piecesAtOnce, pieces))
  const rowsAtOnce = Math.ceil(share / rounds)

  // of the frequencies: a little more than a multiple of the rows' distance, for the same reason
  const channelStride = oddLines(rowsAtOnce * pieces)
  const imageFrequency = g.channels * channelStride + 64
  const productFrequency = g.filters * channelStride + 64
  const weightFrequency = 4 * g.channels * g.filters + 64
  const lineBytes = roundUp(4 * (2 * pieces + 2), 16) + 16
  const products = 16 * imageFrequency
  const lines = products + 16 * productFrequency

  const words: Array<number> = Array.from({ length: Object.keys(winogradField).length }, () => 0)
  const place = (table: ReadonlyArray<number>): number => {
    const at = 4 * words.length
    words.push(...table)
    return at
  }
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
  const [imagePlane, outputPlane] = [4 * g.height * g.width, 4 * g.outputHeight * g.outputWidth]
  const threadBytes = roundUp(lines + 4 * lineBytes + 64, 128)
  const values: Record<keyof typeof winogradField, number> = {
    pieceRows,
    imagePieceRows,
    pieces,
    rowsAtOnce,
    channels: g.channels,
    filters: g.filters,
    height: g.height,
    width: g.width,
    top: g.top,
    left: g.left,
    outputHeight: g.outputHeight,
    outputWidth: g.outputWidth,
    imageStride: g.channels * imagePlane,
    imagePlane,
    outputStride: g.filters * outputPlane,
    outputPlane,
    weightFrequency,
    imageFrequency,
    productFrequency,
    channelStride,
    threadBytes,
    products,
    lines,
    lineBytes,
    filterTable: place(upTo(g.filters).map((i) => 4 * i * g.channels)),
    channelTable: place(upTo(g.channels).flatMap((i) => [4 * i, i * channelStride])),
    zeroTable: place(upTo(16).map(() => 0)),
    longestBlock: Math.ceil(g.channels / Math.ceil(g.channels / longestBlock)),
  }
  for (const name of Object.keys(winogradField) as ReadonlyArray<keyof typeof winogradField>)
    words[winogradField[name]] = values[name]
  const [filterStride, channelWeights] = g.flipped ? [36, 36 * f.c] : [36 * f.c, 36]
  return {
    tables: Int32Array.from(words),
    threadBytes,
    weightBytes: roundUp(16 * weightFrequency, 128),
    weights: {
      fn: g.flipped ? "winogradWeightsFlipped" : "winogradWeights",
      args: [g.filters, g.channels, filterStride, channelWeights],
      frequency: weightFrequency,
    },
  }
}
