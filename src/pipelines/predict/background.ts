/** What a picture would be without its ink: smooth light and shadow, taken away. */
import type { Plane } from "./Plane.ts"

/** the terms of a surface of second degree, at a point from −1 to 1 each way */
const terms = (x: number, y: number): ReadonlyArray<number> => [1, x, y, x * x, x * y, y * y]

/** the solution of a small symmetric system, by elimination; a singular direction gives 0 */
const solve = (matrix: ReadonlyArray<ReadonlyArray<number>>, right: ReadonlyArray<number>): ReadonlyArray<number> => {
  const n = right.length
  const rows = matrix.map((row, i) => [...row, right[i]!])
  for (let i = 0; i < n; i++) {
    let pivot = i
    for (let r = i + 1; r < n; r++) if (Math.abs(rows[r]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = r
    const held = rows[i]!
    rows[i] = rows[pivot]!
    rows[pivot] = held
    if (Math.abs(rows[i]![i]!) < 1e-9) continue
    for (let r = 0; r < n; r++) {
      if (r === i) continue
      const factor = rows[r]![i]! / rows[i]![i]!
      for (let c = i; c <= n; c++) rows[r]![c]! -= factor * rows[i]![c]!
    }
  }
  return rows.map((row, i) => (Math.abs(row[i]!) < 1e-9 ? 0 : row[n]! / row[i]!))
}

const median = (numbers: Float32Array): number => numbers.toSorted()[numbers.length >> 1] ?? 0

/** rounds of fitting, each without what was far from the surface before; on about so many pixels */
const [rounds, fitted] = [6, 4_000]

/**
 * The plane minus its background: a surface of second degree, fitted to all that is not far from it. The background is
 * then near 0, ink below or above.
 */
export const flattened = (plane: Plane): Plane => {
  const { width, height, data } = plane
  // an odd step, so that the pixels that are looked at do not lie in columns
  const step = Math.max(1, Math.floor(data.length / fitted) | 1)
  const points = Array.from({ length: Math.ceil(data.length / step) }, (_, k) => {
    const i = k * step
    return { value: data[i]!, at: terms((2 * (i % width)) / width - 1, (2 * Math.floor(i / width)) / height - 1) }
  })
  const heightAt = (surface: ReadonlyArray<number>, at: ReadonlyArray<number>): number =>
    at.reduce((sum, term, a) => sum + term * surface[a]!, 0)
  let surface: ReadonlyArray<number> = [median(Float32Array.from(points, (p) => p.value)), 0, 0, 0, 0, 0]
  for (let round = 0; round < rounds; round++) {
    const rest = Float32Array.from(points, ({ value, at }) => Math.abs(value - heightAt(surface, at)))
    // at first wide, so that a shadow is not taken for ink; then only what is surely background
    const limit = Math.max(0.02, median(rest) * Math.max(2.5, 5 - round))
    const near = points.filter((_, i) => rest[i]! <= limit)
    const sums = (of: (p: (typeof points)[number]) => number): number => near.reduce((sum, p) => sum + of(p), 0)
    const six = [0, 1, 2, 3, 4, 5]
    surface = solve(
      six.map((a) => six.map((b) => sums(({ at }) => at[a]! * at[b]!))),
      six.map((a) => sums(({ at, value }) => at[a]! * value)),
    )
  }
  const [c = 0, cx = 0, cy = 0, cxx = 0, cxy = 0, cyy = 0] = surface
  const rest = new Float32Array(data.length)
  for (let row = 0, i = 0; row < height; row++) {
    const y = (2 * row) / height - 1
    for (let column = 0; column < width; column++, i++) {
      const x = (2 * column) / width - 1
      rest[i] = data[i]! - (c + cx * x + cy * y + cxx * x * x + cxy * x * y + cyy * y * y)
    }
  }
  return { width, height, data: rest }
}
