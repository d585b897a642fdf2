/** Windows of the pooling references: which elements each covers, and how many windows there are. */
import * as fc from "fast-check"
import { int } from "./cases.ts"

const pair = (min: number, max: number) => fc.tuple(int(min, max), int(min, max))

/** images and windows that fit them; padding is at most half a window */
export const pooling = fc
  .record({
    lead: fc.constantFrom<ReadonlyArray<number>>([2], [1, 2], [2, 1]),
    kernelSize: pair(1, 3),
    stride: pair(1, 3),
    half: fc.boolean(),
    more: pair(0, 4),
    ceilMode: fc.boolean(),
  })
  .map(({ lead, kernelSize, stride, half, more, ceilMode }) => ({
    shape: [...lead, kernelSize[0] + more[0], kernelSize[1] + more[1]],
    options: {
      kernelSize,
      stride,
      padding: kernelSize.map((k) => (half ? Math.floor(k / 2) : 0)) as [number, number],
      ceilMode,
    },
  }))

export interface Along {
  readonly kernelSize: number
  readonly stride: number
  readonly padding: number
  readonly dilation: number
  readonly ceilMode: boolean
}

/** how many windows there are; one that would begin in the padding beyond the end is none */
export const count = (size: number, { kernelSize, stride, padding, dilation, ceilMode }: Along): number => {
  const room = size + 2 * padding - dilation * (kernelSize - 1) - 1
  const windows = (ceilMode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
  return ceilMode && (windows - 1) * stride >= size + padding ? windows - 1 : windows
}

/** the positions that window `o` covers, those of the padding among them */
export const covered = (o: number, { kernelSize, stride, padding, dilation }: Along): ReadonlyArray<number> =>
  Array.from({ length: kernelSize }, (_, t) => o * stride - padding + t * dilation)
