/** Arrays of a reference: float64, row-major, read and made element by element. */

/** the sizes of an array's dimensions */
export type Extents = ReadonlyArray<number>

/** Numbers of the reference, in float64 and row-major order. */
export interface Array64 {
  readonly shape: Extents
  readonly data: Float64Array
}

/** how many elements a shape has */
export const size = (shape: Extents): number => shape.reduce((n, d) => n * d, 1)

/** the flat position of an index */
const position = (shape: Extents, index: Extents): number => shape.reduce((n, d, i) => n * d + (index[i] ?? 0), 0)

/** The element at an index. An index out of range is an error of the reference. */
export const at = (x: Array64, ...index: Extents): number => {
  const inside = index.length === x.shape.length && index.every((i, d) => i >= 0 && i < (x.shape[d] ?? 0))
  const value = inside ? x.data[position(x.shape, index)] : undefined
  if (value === undefined)
    throw new RangeError(`[${index.join(", ")}] is outside of an array of [${x.shape.join(", ")}]`)
  return value
}

/**
 * An array from a function of the index.
 *
 * @example
 * Laws.tabulate([2, 2], (i, j) => 10 * i + j) // 0, 1, 10, 11
 */
export const tabulate = (shape: Extents, f: (...index: ReadonlyArray<number>) => number): Array64 => {
  const index = shape.map(() => 0)
  const data = Float64Array.from({ length: size(shape) }, () => {
    const value = f(...index)
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = (index[d] ?? 0) + 1
      if ((index[d] ?? 0) < (shape[d] ?? 0)) break
      index[d] = 0
    }
    return value
  })
  return { shape, data }
}

/** An array of the same shape, from a function of each element. */
export const map = (x: Array64, f: (value: number) => number): Array64 => ({ shape: x.shape, data: x.data.map(f) })
