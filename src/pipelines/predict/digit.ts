/**
 * A picture of one digit, brought to the form of MNIST's: light ink on black, within 20×20, its centre of mass in the
 * middle of 28×28. Plain functions over pixels.
 */
import { largestParts } from "./components.ts"
import { flattened } from "./background.ts"
import type { Picture } from "./decode.ts"
import type { Plane } from "./Plane.ts"
import { resized } from "./resized.ts"

/** the shade of every pixel, what is transparent laid on the background that its ink stands out from */
const grayOf = ({ width, height, channels, data }: Picture): Plane => {
  const gray = new Float32Array(width * height)
  let [ink, weight] = [0, 0]
  const alphaOf = (i: number): number => (channels === 2 || channels === 4 ? data[(i + 1) * channels - 1]! : 1)
  for (let i = 0; i < gray.length; i++) {
    const [r, g, b] = [data[i * channels]!, data[i * channels + 1]!, data[i * channels + 2]!]
    gray[i] = channels < 3 ? r : 0.299 * r + 0.587 * g + 0.114 * b
    ink += gray[i]! * alphaOf(i)
    weight += alphaOf(i)
  }
  const background = ink > weight / 2 ? 0 : 1
  for (let i = 0; i < gray.length; i++) gray[i] = background + (gray[i]! - background) * alphaOf(i)
  return { width, height, data: gray }
}

/** each pixel the mean of those around it, to a distance of `radius` */
const blurred = ({ width, height, data }: Plane, radius: number): Plane => {
  if (radius < 1) return { width, height, data }
  const pass = (from: Float32Array, length: number, lines: number, step: number, next: number): Float32Array => {
    const to = new Float32Array(from.length)
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        const [first, last] = [Math.max(0, i - radius), Math.min(length - 1, i + radius)]
        let sum = 0
        for (let j = first; j <= last; j++) sum += from[line * next + j * step]!
        to[line * next + i * step] = sum / (last - first + 1)
      }
    }
    return to
  }
  return { width, height, data: pass(pass(data, width, height, 1, width), height, width, width, 1) }
}

/** the number below which a share of them lies */
const quantile = (numbers: Float32Array, share: number): number => {
  const sorted = numbers.toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

/** the threshold that parts numbers into two groups that differ most (Otsu) */
const otsu = (numbers: Float32Array, top: number): number => {
  const bins = 128
  const counts = new Float64Array(bins)
  for (const x of numbers) counts[Math.max(0, Math.min(bins - 1, Math.floor((x / top) * bins)))]!++
  let [below, sumBelow, best, at] = [0, 0, -1, 0]
  const total = numbers.length
  const sum = counts.reduce((s, n, b) => s + n * b, 0)
  for (let b = 0; b < bins - 1; b++) {
    below += counts[b]!
    sumBelow += counts[b]! * b
    if (below === 0 || below === total) continue
    const difference = sumBelow / below - (sum - sumBelow) / (total - below)
    const between = below * (total - below) * difference ** 2
    if (between > best) [best, at] = [between, b + 1]
  }
  return (at / bins) * top
}

/** how far from its background the ink of a picture must be, of the way from black to white */
const leastContrast = 0.06

/** how much of each pixel is ink, 0 to 1; `undefined` where nothing stands out */
export const inkOf = (picture: Picture): Plane | undefined => {
  const size = Math.max(picture.width, picture.height)
  // the grain of paper and sensors goes first
  const smooth = blurred(grayOf(picture), Math.round(size / 200))
  const even = flattened(smooth)
  // ink is the smaller part, so it is on the side where the few far ones are
  let third = 0
  for (const x of even.data) third += x ** 3
  const contrast = even.data.map((x) => Math.max(0, third < 0 ? -x : x))
  const level = quantile(contrast, 0.995)
  if (level < leastContrast) return undefined
  const edge = otsu(contrast, level)
  const mask = largestParts({ ...even, data: contrast }, edge)
  // pixels on the edge of a stroke keep how much of them it covers
  const data = contrast.map((x, i) => (mask[i] === 0 ? 0 : Math.min(1, Math.max(0, (x - 0.5 * edge) / edge))))
  return { ...even, data }
}

/** the smallest part that holds all ink */
const cropped = ({ width, height, data }: Plane): Plane | undefined => {
  let [left, right, top, bottom] = [width, -1, height, -1]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x]! < 0.25) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
  }
  if (right < left) return undefined
  const [w, h] = [right - left + 1, bottom - top + 1]
  const out = new Float32Array(w * h)
  for (let y = 0; y < h; y++) out.set(data.subarray((top + y) * width + left, (top + y) * width + left + w), y * w)
  return { width: w, height: h, data: out }
}

/** pixels of a side, and of the part of it that a digit fills */
const [side, inner] = [28, 20]
/** how wide the strokes of a digit are at least, of its longer side: thinner ones fade when they are made small */
const leastStroke = 0.085

/** strokes made wider on all sides by `radius` */
const thickened = (plane: Plane, radius: number): Plane => {
  const margin = Math.ceil(radius)
  const [width, height] = [plane.width + 2 * margin, plane.height + 2 * margin]
  const data = new Float32Array(width * height)
  const disc: Array<readonly [number, number]> = []
  for (let dy = -margin; dy <= margin; dy++) {
    for (let dx = -margin; dx <= margin; dx++) if (Math.hypot(dx, dy) <= radius + 0.25) disc.push([dx, dy])
  }
  for (let y = 0; y < plane.height; y++) {
    for (let x = 0; x < plane.width; x++) {
      const ink = plane.data[y * plane.width + x]!
      if (ink === 0) continue
      for (const [dx, dy] of disc) {
        const at = (y + margin + dy) * width + x + margin + dx
        if (ink > data[at]!) data[at] = ink
      }
    }
  }
  return { width, height, data }
}

/** the width of strokes, from their area and the length of their edge */
const strokeWidth = ({ width, height, data }: Plane): number => {
  const isInk = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && data[y * width + x]! >= 0.5
  let [area, edge] = [0, 0]
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const here = isInk(x, y)
      if (here) area++
      if (here !== isInk(x + 1, y)) edge++
      if (here !== isInk(x, y + 1)) edge++
    }
  }
  // steps along a slanted edge are longer than the edge
  return edge === 0 ? 0 : (2 * area) / (edge * 0.8)
}

/** within 20×20, its centre of mass in the middle of 28×28 */
const placed = (digit: Plane): Float32Array => {
  const scale = inner / Math.max(digit.width, digit.height)
  const size = (n: number): number => Math.max(1, Math.round(n * scale))
  const { width, height, data } = resized(digit, size(digit.width), size(digit.height))
  const peak = data.reduce((a, b) => Math.max(a, b), 0)
  let [mass, x, y] = [0, 0, 0]
  for (const [i, value] of data.entries()) {
    mass += value
    x += value * (i % width)
    y += value * Math.floor(i / width)
  }
  const clamp = (at: number, length: number): number => Math.max(0, Math.min(side - length, at))
  // the middle of 28 pixels lies between the two in the middle, as in MNIST
  const left = clamp(Math.round(side / 2 - 0.5 - x / mass), width)
  const top = clamp(Math.round(side / 2 - 0.5 - y / mass), height)
  const out = new Float32Array(side * side)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      out[(top + row) * side + left + column] = Math.min(1, data[row * width + column]! / peak)
    }
  }
  return out
}

/**
 * The digit of a picture as MNIST would hold it, `[1, 28, 28]` from 0 to 1; `undefined` where nothing stands out. Dark
 * ink on light or light on dark, anywhere in the picture, on a background that may be unevenly lit.
 */
export const toMnist = (picture: Picture): Float32Array | undefined => {
  const ink = inkOf(picture)
  const found = ink === undefined ? undefined : cropped(ink)
  if (found === undefined) return undefined
  const missing = leastStroke * Math.max(found.width, found.height) - strokeWidth(found)
  return placed(missing > 0.5 ? thickened(found, missing / 2) : found)
}
