/** Contractions in plain float64 loops, for tests; shares nothing with the kernels. */
import type { Contraction, Conv2d, MatMul } from "../../../src/gpu/Contraction.ts"

export interface Result {
  readonly values: Float64Array
  /** for each element, the sum of the absolute products: what rounding errors are measured against */
  readonly magnitudes: Float64Array
}

const matmul = (f: MatMul, a: Float32Array, c: Float32Array, bias: Float32Array | undefined): Result => {
  const values = new Float64Array(f.batch * f.m * f.n)
  const magnitudes = new Float64Array(values.length)
  for (let b = 0; b < f.batch; b++)
    for (let i = 0; i < f.m; i++)
      for (let j = 0; j < f.n; j++) {
        const at = (b * f.m + i) * f.n + j
        let sum = 0
        let magnitude = 0
        for (let k = 0; k < f.k; k++) {
          const left = a[(f.batchedA ? b * f.m * f.k : 0) + (f.transposeA ? k * f.m + i : i * f.k + k)]!
          const right = c[(f.batchedB ? b * f.k * f.n : 0) + (f.transposeB ? j * f.k + k : k * f.n + j)]!
          sum += left * right
          magnitude += Math.abs(left * right)
        }
        const added = bias === undefined ? 0 : bias[j]!
        values[at] = sum + added
        magnitudes[at] = magnitude + Math.abs(added)
      }
  return { values, magnitudes }
}

/** visits every product of the definition as (element of x, element of weight, element of y) */
const visit = (f: Conv2d, each: (x: number, w: number, y: number) => void): void => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  for (let n = 0; n < f.n; n++)
    for (let o = 0; o < f.o; o++)
      for (let oy = 0; oy < f.oh; oy++)
        for (let ox = 0; ox < f.ow; ox++)
          for (let c = 0; c < cg; c++)
            for (let ky = 0; ky < f.kernel[0]; ky++)
              for (let kx = 0; kx < f.kernel[1]; kx++) {
                const y = oy * f.stride[0] + ky * f.dilation[0] - f.padding[0]
                const x = ox * f.stride[1] + kx * f.dilation[1] - f.padding[1]
                if (y < 0 || y >= f.h || x < 0 || x >= f.w) continue
                const channel = Math.floor(o / og) * cg + c
                each(
                  ((n * f.c + channel) * f.h + y) * f.w + x,
                  ((o * cg + c) * f.kernel[0] + ky) * f.kernel[1] + kx,
                  ((n * f.o + o) * f.oh + oy) * f.ow + ox,
                )
              }
}

const conv2d = (f: Conv2d, first: Float32Array, second: Float32Array, bias: Float32Array | undefined): Result => {
  const size =
    f.pass === "forward"
      ? f.n * f.o * f.oh * f.ow
      : f.pass === "inputGradient"
        ? f.n * f.c * f.h * f.w
        : (f.o * f.c * f.kernel[0] * f.kernel[1]) / f.groups
  const values = new Float64Array(size)
  const magnitudes = new Float64Array(size)
  const add = (to: number, product: number) => {
    values[to] = values[to]! + product
    magnitudes[to] = magnitudes[to]! + Math.abs(product)
  }
  visit(f, (x, w, y) => {
    if (f.pass === "forward") add(y, first[x]! * second[w]!)
    else if (f.pass === "inputGradient") add(x, first[y]! * second[w]!)
    else add(w, first[x]! * second[y]!)
  })
  if (bias !== undefined) for (let i = 0; i < size; i++) add(i, bias[Math.floor(i / (f.oh * f.ow)) % f.o]!)
  return { values, magnitudes }
}

export const contraction = (c: Contraction, inputs: ReadonlyArray<Float32Array>): Result => {
  const [first, second, bias] = inputs
  return c.form._tag === "MatMul" ? matmul(c.form, first!, second!, bias) : conv2d(c.form, first!, second!, bias)
}
