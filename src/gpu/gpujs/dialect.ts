/** What each of gpu.js's modes can do, as data the lowering and the printer ask. */

export type Mode = "cpu" | "webasm" | "webgpu" | "webgl2" | "webgl" | "headlessgl"

export const modes: ReadonlyArray<Mode> = ["cpu", "webasm", "webgpu", "webgl2", "webgl", "headlessgl"]

export interface Dialect {
  readonly mode: Mode
  /**
   * Translated to a shading language, whose compilers may assume that there are no NaNs, whose `tanh` overflows and
   * whose `pow` knows no negative base.
   */
  readonly shader: boolean
  /** input arrays of one kernel: WebGPU guarantees 8 storage buffers with the output, WebGL 8 textures */
  readonly maxInputs: number
  /** integers above this are not exact where indices are floats */
  readonly maxIndex: number
  /** whether an output may have three dimensions; where not, it is always one row */
  readonly folds: boolean
  /** largest extents of an output's dimensions x, y, z when it has more than one */
  readonly maxOutput: readonly [x: number, y: number, z: number]
  /** a reduction with few results is cut into partial ones, so that many threads take part */
  readonly splitReductions: boolean
}

const exact = 2 ** 24

const gl = (mode: Mode): Dialect => ({
  mode,
  shader: true,
  maxInputs: 8,
  maxIndex: exact,
  folds: false,
  maxOutput: [exact, 1, 1],
  splitReductions: true,
})

const dialects: Record<Mode, Dialect> = {
  cpu: {
    mode: "cpu",
    shader: false,
    maxInputs: Infinity,
    maxIndex: Number.MAX_SAFE_INTEGER,
    folds: false,
    maxOutput: [Infinity, 1, 1],
    splitReductions: false,
  },
  webasm: {
    mode: "webasm",
    shader: false,
    maxInputs: Infinity,
    maxIndex: exact,
    folds: true,
    maxOutput: [exact, exact, exact],
    splitReductions: false,
  },
  webgpu: {
    mode: "webgpu",
    shader: true,
    maxInputs: 7,
    maxIndex: exact,
    folds: true,
    // 65535 workgroups of 8 × 8 × 1
    maxOutput: [65535 * 8, 65535 * 8, 65535],
    splitReductions: true,
  },
  webgl2: gl("webgl2"),
  webgl: gl("webgl"),
  headlessgl: gl("headlessgl"),
}

export const dialectOf = (mode: Mode): Dialect => dialects[mode]

/**
 * Consecutive dimensions gathered into at most three, each within its limit: `[x, y, z]` as lists of axes, the innermost
 * in `x`. `undefined` where that cannot be done.
 */
export const fold = (
  shape: ReadonlyArray<number>,
  limits: readonly [number, number, number],
): readonly [ReadonlyArray<number>, ReadonlyArray<number>, ReadonlyArray<number>] | undefined => {
  const size = (from: number, to: number) => shape.slice(from, to).reduce((n, d) => n * d, 1)
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  const n = shape.length
  // the longest rows that fit, then the longest columns
  for (let x = 0; x <= n; x++) {
    if (size(x, n) > limits[0]) continue
    for (let y = 0; y <= x; y++) {
      if (size(y, x) <= limits[1] && size(0, y) <= limits[2]) return [range(x, n), range(y, x), range(0, y)]
    }
  }
  return undefined
}
