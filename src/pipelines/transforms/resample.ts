/** Bilinear resampling, one axis after the other, as PyTorch's `interpolate` with and without `antialias`. */
import type { SampleShape } from "../data/Dataset.ts"

/** for each place of the result: the first place of the original that counts, how many do, and their weights */
export interface Filter {
  readonly first: Int32Array
  readonly count: Int32Array
  readonly weights: Float64Array
  /** room for so many weights at each place */
  readonly most: number
}

/**
 * The weights that bring `from` places, of which the first has index `offset`, to `to`. Antialiased, each is a triangle
 * as wide as the places that fall together; else two neighbours, however many lie between.
 */
export const filter = (from: number, to: number, antialias: boolean, offset = 0): Filter => {
  const scale = from / to
  const support = antialias ? Math.max(1, scale) : 1
  const most = Math.ceil(2 * support) + 2
  const [first, count] = [new Int32Array(to), new Int32Array(to)]
  const weights = new Float64Array(to * most)
  for (let i = 0; i < to; i++) {
    if (!antialias) {
      const at = Math.max(0, scale * (i + 0.5) - 0.5)
      const low = Math.min(Math.floor(at), from - 1)
      first[i] = offset + low
      count[i] = low + 1 < from ? 2 : 1
      weights[i * most] = low + 1 < from ? 1 - (at - low) : 1
      weights[i * most + 1] = at - low
      continue
    }
    const center = scale * (i + 0.5)
    const low = Math.max(Math.trunc(center - support + 0.5), 0)
    const n = Math.min(Math.trunc(center + support + 0.5), from) - low
    let sum = 0
    for (let j = 0; j < n; j++) {
      const distance = Math.abs((low + j - center + 0.5) / support)
      const weight = Math.max(0, 1 - distance)
      weights[i * most + j] = weight
      sum += weight
    }
    for (let j = 0; j < n; j++) weights[i * most + j]! /= sum
    first[i] = offset + low
    count[i] = n
  }
  return { first, count, weights, most }
}

/** scratch memory for pictures of a height that become so wide */
export const scratchFor = (height: number, width: number): Float32Array => new Float32Array(height * width)

/** the picture at the places of two filters */
export const resample = (
  input: Float32Array,
  [channels = 1, height = 1, width = 1]: SampleShape,
  output: Float32Array,
  rows: Filter,
  columns: Filter,
  scratch: Float32Array,
): void => {
  const [h, w] = [rows.first.length, columns.first.length]
  // only the rows that the result looks at
  const top = rows.first[0]!
  const bottom = rows.first[h - 1]! + rows.count[h - 1]!
  // read once: engines do not know that an object's arrays stay the same
  const { first, count, weights, most } = columns
  for (let c = 0; c < channels; c++) {
    for (let y = top; y < bottom; y++) {
      const from = (c * height + y) * width
      for (let x = 0; x < w; x++) {
        const at = from + first[x]!
        const last = x * most + count[x]!
        let sum = 0
        for (let k = x * most, i = at; k < last; k++, i++) sum += weights[k]! * input[i]!
        scratch[y * w + x] = sum
      }
    }
    for (let y = 0; y < h; y++) {
      const line = output.subarray((c * h + y) * w, (c * h + y + 1) * w)
      const n = rows.count[y]!
      for (let j = 0; j < n; j++) {
        const weight = rows.weights[y * rows.most + j]!
        const from = (rows.first[y]! + j) * w
        if (j === 0) for (let x = 0; x < w; x++) line[x] = weight * scratch[from + x]!
        else for (let x = 0; x < w; x++) line[x]! += weight * scratch[from + x]!
      }
    }
  }
}
