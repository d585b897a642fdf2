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

/** rounds of fitting, each without what was far from the surface before */
const rounds = 6

/**
 * The plane minus its background: a surface of second degree, fitted to all that is not far from it. The background is
 * then near 0, ink below or above.
 */
export const flattened = (plane: Plane): Plane => {
  const { width, height, data } = plane
  const at = (i: number) => terms((2 * (i % width)) / width - 1, (2 * Math.floor(i / width)) / height - 1)
  const step = Math.max(1, Math.floor(data.length / 10_000))
  const middle = median(data)
  let rest = data.map((x) => x - middle)
  for (let round = 0; round < rounds; round++) {
    const spread = median(rest.map(Math.abs))
    // at first wide, so that a shadow is not taken for ink; then only what is surely background
    const limit = Math.max(0.02, spread * Math.max(2.5, 5 - round))
    const matrix = Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => 0))
    const right = Array.from({ length: 6 }, () => 0)
    for (let i = 0; i < data.length; i += step) {
      if (Math.abs(rest[i]!) > limit) continue
      const t = at(i)
      for (let a = 0; a < 6; a++) {
        right[a]! += t[a]! * data[i]!
        for (let b = 0; b < 6; b++) matrix[a]![b]! += t[a]! * t[b]!
      }
    }
    const surface = solve(matrix, right)
    rest = data.map((x, i) => x - at(i).reduce((sum, term, a) => sum + term * surface[a]!, 0))
  }
  return { width, height, data: rest }
}
