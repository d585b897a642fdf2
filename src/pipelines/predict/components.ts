import type { Plane } from "./Plane.ts"

/** the share of the largest part's pixels that another must have to belong to the digit: less is dust */
const leastShare = 0.06

/** 1 where a pixel is in, or beside, one of the large connected parts of what is above `edge` */
export const largestParts = ({ width, height, data }: Plane, edge: number): Uint8Array => {
  const part = new Int32Array(data.length).fill(-1)
  const sizes: Array<number> = []
  const stack: Array<number> = []
  for (let start = 0; start < data.length; start++) {
    if (data[start]! < edge || part[start] !== -1) continue
    const label = sizes.length
    let size = 0
    part[start] = label
    stack.push(start)
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      size++
      const [x, y] = [i % width, Math.floor(i / width)]
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue
          const next = i + dy * width + dx
          if (data[next]! < edge || part[next] !== -1) continue
          part[next] = label
          stack.push(next)
        }
      }
    }
    sizes.push(size)
  }
  const least = leastShare * Math.max(...sizes, 0)
  const mask = new Uint8Array(data.length)
  for (const [i, label] of part.entries()) {
    if (label < 0 || sizes[label]! < least) continue
    // with the soft rim around it
    const [x, y] = [i % width, Math.floor(i / width)]
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height) mask[i + dy * width + dx] = 1
      }
    }
  }
  return mask
}
