/** A picture turned about a point, as torchvision's `rotate` of a tensor. */
import type { SampleShape } from "../data/Dataset.ts"
import { roundHalfEven } from "./Transform.ts"

export interface RotationOptions {
  /** the nearest pixel, or the mean of four by their distance: "nearest" unless told */
  readonly interpolation?: "nearest" | "bilinear"
  /** what stands where the picture does not reach: 0 unless told */
  readonly fill?: number
  /** `[x, y]` from the left upper corner: the middle unless told */
  readonly center?: readonly [x: number, y: number]
}

/** turns by `degrees` counter-clockwise */
export const rotate = (
  input: Float32Array,
  [channels = 1, height = 1, width = 1]: SampleShape,
  output: Float32Array,
  degrees: number,
  options: RotationOptions = {},
): void => {
  const { interpolation = "nearest", fill = 0, center } = options
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [cx, cy] = center === undefined ? [0, 0] : [center[0] - width / 2, center[1] - height / 2]
  const plane = height * width
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      // where this pixel comes from; pixels are known by their middle, seen from the middle of the picture
      const [dx, dy] = [x - width / 2 + 0.5 - cx, y - height / 2 + 0.5 - cy]
      const u = cos * dx - sin * dy + cx + (width - 1) / 2
      const v = sin * dx + cos * dy + cy + (height - 1) / 2
      if (interpolation === "nearest") {
        const [i, j] = [roundHalfEven(v), roundHalfEven(u)]
        const inside = i >= 0 && i < height && j >= 0 && j < width
        for (let c = 0; c < channels; c++) output[c * plane + at] = inside ? input[c * plane + i * width + j]! : fill
        continue
      }
      const [i, j] = [Math.floor(v), Math.floor(u)]
      const [fy, fx] = [v - i, u - j]
      const [above, below] = [i >= 0 && i < height, i + 1 >= 0 && i + 1 < height]
      const [left, right] = [j >= 0 && j < width, j + 1 >= 0 && j + 1 < width]
      const a = above && left ? (1 - fy) * (1 - fx) : 0
      const b = above && right ? (1 - fy) * fx : 0
      const c2 = below && left ? fy * (1 - fx) : 0
      const d = below && right ? fy * fx : 0
      // the share of the pixel that the picture covers
      const covered = a + b + c2 + d
      for (let c = 0; c < channels; c++) {
        const from = c * plane + i * width + j
        let sum = 0
        if (a !== 0) sum += a * input[from]!
        if (b !== 0) sum += b * input[from + 1]!
        if (c2 !== 0) sum += c2 * input[from + width]!
        if (d !== 0) sum += d * input[from + width + 1]!
        output[c * plane + at] = sum * covered + (1 - covered) * fill
      }
    }
  }
}
