import type { Plane } from "./Plane.ts"

/** for each position of a line of `to`, the weights of those of a line of `from`: bilinear, and antialiased where it shrinks */
const weightsOf = (from: number, to: number) => {
  const scale = from / to
  const reach = Math.max(1, scale)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5
    const first = Math.max(0, Math.ceil(centre - reach))
    const last = Math.min(from - 1, Math.floor(centre + reach))
    const weights = Array.from({ length: last - first + 1 }, (_, j) =>
      Math.max(0, 1 - Math.abs(first + j - centre) / reach),
    )
    const total = weights.reduce((a, b) => a + b, 0)
    return { first, weights: weights.map((w) => w / total) }
  })
}

/** a plane of another size, as PIL's bilinear resize makes it */
export const resized = (plane: Plane, width: number, height: number): Plane => {
  const [across, down] = [weightsOf(plane.width, width), weightsOf(plane.height, height)]
  const rows = new Float32Array(width * plane.height)
  for (let y = 0; y < plane.height; y++) {
    for (const [x, { first, weights }] of across.entries()) {
      rows[y * width + x] = weights.reduce((sum, w, j) => sum + w * plane.data[y * plane.width + first + j]!, 0)
    }
  }
  const data = new Float32Array(width * height)
  for (const [y, { first, weights }] of down.entries()) {
    for (let x = 0; x < width; x++) {
      data[y * width + x] = weights.reduce((sum, w, j) => sum + w * rows[(first + j) * width + x]!, 0)
    }
  }
  return { width, height, data }
}
