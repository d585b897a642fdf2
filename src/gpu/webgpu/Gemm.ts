/**
 * Every form of contraction seen as one matrix product per slice: `y[z, i, j] = Σₖ a[z, i, k] · b[z, k, j]`, where the
 * two operands are not matrices in memory but rules that say where an element lies (for a convolution, the implicit
 * im2col matrix). Plain data and text: the shader printer asks the rules for WGSL expressions.
 */
import type * as Contraction from "../Contraction.ts"

/**
 * What one coordinate adds to an element's place: WGSL expressions, `offset` unsigned, `y` and `x` signed. The coordinate
 * is a scalar, or a vec4 of neighbours; a part that does not depend on it may be a scalar in either case.
 */
export interface Part {
  readonly offset: string
  /** position in the image, where the operand is one */
  readonly y?: string
  readonly x?: string
}

/** The image inside which `y` and `x` must lie for an element to be other than zero. */
export interface Window {
  readonly h: number
  readonly w: number
  /** `y` and `x` are divided by this, and an element where that leaves a remainder is zero */
  readonly divideBy: readonly [h: number, w: number]
  /** no element of the operand lies outside: nothing needs to be checked */
  readonly inside: boolean
}

export type Int = "i32" | "vec4<i32>"

export interface Operand {
  /** along which coordinate neighbours lie side by side in memory */
  readonly along: "row" | "k"
  /** four neighbours from a multiple of four on are one aligned vec4 */
  readonly vector: boolean
  /** `row` is `i` for the first operand and `j` for the second; `int` is the signed type of the coordinate */
  readonly row: (row: string, z: string, int: Int) => Part
  readonly k: (k: string, z: string, int: Int) => Part
  readonly window?: Window
}

export interface Gemm {
  /** independent products: batch or groups */
  readonly slices: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: Operand
  readonly b: Operand
  /** where `y[z, i, j]` lies: `row + column` */
  readonly row: (i: string, z: string) => string
  readonly column: (j: string) => string
  /** four neighbours along `j` are one aligned vec4 of the output */
  readonly vector: boolean
  readonly bias: Bias | undefined
}

export interface Bias {
  readonly along: "i" | "j"
  /** which element of the bias belongs to `y[z, i, j]` */
  readonly at: (i: string, j: string, z: string) => string
  /** the same for the element of the output at this place */
  readonly atPlace: (place: string) => string
}

const times = (e: string, factor: number): string =>
  factor === 1 || e === "0u" ? e : factor === 0 ? "0u" : `${e} * ${factor}u`
const quotient = (e: string, d: number): string => (d === 1 ? e : `${e} / ${d}u`)
const remainder = (e: string, d: number): string => (d === 1 ? "0u" : `${e} % ${d}u`)
const sum = (...terms: ReadonlyArray<string>): string => terms.filter((t) => t !== "0u").join(" + ") || "0u"
const group = (e: string): string => (/^\w+$/.test(e) ? e : `(${e})`)
const signed = (e: string, int: Int): string => (e === "0u" ? "0" : `${int}(${e})`)
const plus = (e: string, by: number): string => (by === 0 ? e : by < 0 ? `${e} - ${-by}` : `${e} + ${by}`)

const matmul = (f: Contraction.MatMul, bias: boolean): Gemm => {
  // one matrix on the right for the whole batch: the batch is more rows of the left one
  const fold = f.batchedA && !f.batchedB && !f.transposeA
  const slices = fold ? 1 : f.batch
  const m = fold ? f.batch * f.m : f.m
  const slice = (z: string, batched: boolean, size: number) => (batched && slices > 1 ? times(z, size) : "0u")
  const a: Operand = f.transposeA
    ? {
        along: "row",
        vector: m % 4 === 0,
        row: (i, z) => ({ offset: sum(slice(z, f.batchedA, m * f.k), i) }),
        k: (k) => ({ offset: times(k, m) }),
      }
    : {
        along: "k",
        vector: f.k % 4 === 0,
        row: (i, z) => ({ offset: sum(slice(z, f.batchedA, m * f.k), times(i, f.k)) }),
        k: (k) => ({ offset: k }),
      }
  const b: Operand = f.transposeB
    ? {
        along: "k",
        vector: f.k % 4 === 0,
        row: (j, z) => ({ offset: sum(slice(z, f.batchedB, f.n * f.k), times(j, f.k)) }),
        k: (k) => ({ offset: k }),
      }
    : {
        along: "row",
        vector: f.n % 4 === 0,
        row: (j, z) => ({ offset: sum(slice(z, f.batchedB, f.n * f.k), j) }),
        k: (k) => ({ offset: times(k, f.n) }),
      }
  return {
    slices,
    m,
    n: f.n,
    k: f.k,
    a,
    b,
    row: (i, z) => sum(slice(z, true, m * f.n), times(i, f.n)),
    column: (j) => j,
    vector: f.n % 4 === 0,
    bias: bias ? { along: "j", at: (_i, j) => j, atPlace: (place) => remainder(place, f.n) } : undefined,
  }
}

/** a flat position taken apart as `[first, y, x]` of extents `[?, h, w]` */
const apart = (e: string, h: number, w: number): readonly [first: string, y: string, x: string] => [
  quotient(e, h * w),
  remainder(group(quotient(e, w)), h),
  remainder(e, w),
]

const conv2d = (f: Contraction.Conv2d, bias: boolean): Gemm => {
  const [kh, kw] = f.kernel
  const [taps, image, map] = [kh * kw, f.h * f.w, f.oh * f.ow]
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const one = f.groups === 1
  const channel = (z: string, perGroup: number, c: string) => (one ? c : sum(times(z, perGroup), c))
  const reach = (d: 0 | 1, out: number) => (out - 1) * f.stride[d] + (f.kernel[d] - 1) * f.dilation[d] - f.padding[d]
  /** the window over `x`, as the forward pass and the weight gradient see it */
  const overX: Window = {
    h: f.h,
    w: f.w,
    divideBy: [1, 1],
    inside: f.padding[0] === 0 && f.padding[1] === 0 && reach(0, f.oh) < f.h && reach(1, f.ow) < f.w,
  }
  /** with one tap, no stride and no padding, the convolution is a matrix product of channels */
  const pointwise = taps === 1 && f.stride[0] === 1 && f.stride[1] === 1 && overX.inside && f.oh === f.h && f.ow === f.w
  const strided = (e: string, d: 0 | 1, int: Int) => signed(times(e, f.stride[d]), int)
  const tap = (e: string, d: 0 | 1, int: Int) => signed(times(e, f.dilation[d]), int)
  const lead = { m: og, slices: f.groups }

  /** `[n, perImage channels, area]` read at position `p = (n, area)` and channel `c` of the group */
  const planes = (channels: number, area: number) => ({
    position: (p: string) => sum(times(group(quotient(p, area)), channels * area), remainder(p, area)),
    channel: (z: string, c: string) => times(group(channel(z, channels / f.groups, c)), area),
  })

  switch (f.pass) {
    case "forward": {
      const x = planes(f.c, image)
      return {
        ...lead,
        n: f.n * map,
        k: cg * taps,
        a: {
          along: "k",
          vector: (cg * taps) % 4 === 0,
          row: (i, z) => ({ offset: times(group(channel(z, og, i)), cg * taps) }),
          k: (k) => ({ offset: k }),
        },
        b: pointwise
          ? {
              along: "row",
              vector: map % 4 === 0,
              row: (j) => ({ offset: x.position(j) }),
              k: (k, z) => ({ offset: x.channel(z, k) }),
            }
          : {
              along: "row",
              vector: false,
              row: (j, _z, int) => {
                const [n, oy, ox] = apart(j, f.oh, f.ow)
                return {
                  offset: times(group(n), f.c * image),
                  y: plus(strided(group(oy), 0, int), -f.padding[0]),
                  x: plus(strided(group(ox), 1, int), -f.padding[1]),
                }
              },
              k: (k, z, int) => {
                const [c, ky, kx] = apart(k, kh, kw)
                return { offset: x.channel(z, group(c)), y: tap(group(ky), 0, int), x: tap(group(kx), 1, int) }
              },
              window: overX,
            },
        row: (i, z) => times(group(channel(z, og, i)), map),
        column: planes(f.o, map).position,
        vector: map % 4 === 0,
        bias: bias
          ? {
              along: "i",
              at: (i, _j, z) => channel(z, og, i),
              atPlace: (place) => remainder(group(quotient(place, map)), f.o),
            }
          : undefined,
      }
    }
    case "inputGradient": {
      const dy = planes(f.o, map)
      return {
        ...lead,
        m: cg,
        n: f.n * image,
        k: og * taps,
        a: {
          along: taps === 1 ? "row" : "k",
          vector: taps === 1 && cg % 4 === 0,
          row: (i) => ({ offset: times(i, taps) }),
          k: (k, z) => ({
            offset: sum(
              times(group(channel(z, og, quotient(k, taps))), cg * taps),
              taps === 1 ? "0u" : remainder(k, taps),
            ),
          }),
        },
        b: pointwise
          ? {
              along: "row",
              vector: map % 4 === 0,
              row: (j) => ({ offset: dy.position(j) }),
              k: (k, z) => ({ offset: dy.channel(z, k) }),
            }
          : {
              along: "row",
              vector: false,
              row: (j, _z, int) => {
                const [n, iy, ix] = apart(j, f.h, f.w)
                return {
                  offset: times(group(n), f.o * map),
                  y: plus(signed(iy, int), f.padding[0]),
                  x: plus(signed(ix, int), f.padding[1]),
                }
              },
              k: (k, z, int) => {
                const [o, ky, kx] = apart(k, kh, kw)
                return {
                  offset: dy.channel(z, group(o)),
                  y: `-${tap(group(ky), 0, int)}`,
                  x: `-${tap(group(kx), 1, int)}`,
                }
              },
              window: { h: f.oh, w: f.ow, divideBy: f.stride, inside: false },
            },
        row: (i, z) => times(group(channel(z, cg, i)), image),
        column: planes(f.c, image).position,
        vector: image % 4 === 0,
        bias: undefined,
      }
    }
    case "weightGradient": {
      const [x, dy] = [planes(f.c, image), planes(f.o, map)]
      return {
        ...lead,
        n: cg * taps,
        k: f.n * map,
        a: {
          along: "k",
          vector: map % 4 === 0,
          row: (i, z) => ({ offset: dy.channel(z, i) }),
          k: (k) => ({ offset: dy.position(k) }),
        },
        b: pointwise
          ? {
              along: "k",
              vector: map % 4 === 0,
              row: (j, z) => ({ offset: x.channel(z, j) }),
              k: (k) => ({ offset: x.position(k) }),
            }
          : {
              along: "k",
              vector: false,
              row: (j, z, int) => {
                const [c, ky, kx] = apart(j, kh, kw)
                return {
                  offset: x.channel(z, group(c)),
                  y: plus(tap(group(ky), 0, int), -f.padding[0]),
                  x: plus(tap(group(kx), 1, int), -f.padding[1]),
                }
              },
              k: (k, _z, int) => {
                const [n, oy, ox] = apart(k, f.oh, f.ow)
                return {
                  offset: times(group(n), f.c * image),
                  y: strided(group(oy), 0, int),
                  x: strided(group(ox), 1, int),
                }
              },
              window: overX,
            },
        row: (i, z) => times(group(channel(z, og, i)), cg * taps),
        column: (j) => j,
        vector: (cg * taps) % 4 === 0,
        bias: undefined,
      }
    }
  }
}

/** the contraction as a matrix product per slice; the first input is not always its first operand */
export const of = (c: Contraction.Contraction): Gemm & { readonly inputs: readonly [a: number, b: number] } => {
  if (c.form._tag === "MatMul") return { ...matmul(c.form, c.bias), inputs: [0, 1] }
  // the weights (or, for their own gradient, dy) are the left operand: its rows are channels, and the columns are
  // positions, side by side in memory
  return { ...conv2d(c.form, c.bias), inputs: [1, 0] }
}
