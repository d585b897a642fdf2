/** One element of a contraction's result, by the definition, in float64. */
import type { Contraction } from "../src/gpu/Contraction.ts"
import { outputShape } from "../src/gpu/Contraction.ts"

/** the sum, and the sum of the sizes of its products */
export const element = (
  c: Contraction,
  at: number,
  a: Float32Array,
  b: Float32Array,
): readonly [sum: number, size: number] => {
  let [sum, size] = [0, 0]
  const add = (x: number, y: number): void => {
    const product = (a[x] ?? Number.NaN) * (b[y] ?? Number.NaN)
    sum += product
    size += Math.abs(product)
  }
  const f = c.form
  if (f._tag === "MatMul") {
    const [i, j] = [Math.floor(at / f.n), at % f.n]
    for (let k = 0; k < f.k; k++)
      add(f.transposeA ? k * f.m + i : i * f.k + k, f.transposeB ? j * f.k + k : k * f.n + j)
    return [sum, size]
  }
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  /** the product of output `o`, channel `c` and so on, where it is of the sum */
  const visit = (n: number, o: number, oy: number, ox: number, c: number, v: number, u: number): void => {
    const [y, x] = [oy * f.stride[0] + v - f.padding[0], ox * f.stride[1] + u - f.padding[1]]
    if (y < 0 || y >= f.h || x < 0 || x >= f.w || oy < 0 || oy >= f.oh || ox < 0 || ox >= f.ow) return
    const image = ((n * f.c + Math.floor(o / og) * cg + c) * f.h + y) * f.w + x
    const weight = ((o * cg + c) * kh + v) * kw + u
    const output = ((n * f.o + o) * f.oh + oy) * f.ow + ox
    if (f.pass === "forward") add(image, weight)
    else if (f.pass === "inputGradient") add(output, weight)
    else add(image, output)
  }
  const digits = (n: number, ...extents: ReadonlyArray<number>): Array<number> => {
    const reversed: Array<number> = []
    let rest = n
    for (const e of extents.toReversed()) {
      reversed.push(rest % e)
      rest = Math.floor(rest / e)
    }
    return reversed.toReversed()
  }
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0] = digits(at, ...outputShape(c))
  if (f.pass === "weightGradient") {
    for (let n = 0; n < f.n; n++)
      for (let oy = 0; oy < f.oh; oy++) for (let ox = 0; ox < f.ow; ox++) visit(n, d0, oy, ox, d1, d2, d3)
    return [sum, size]
  }
  for (let v = 0; v < kh; v++)
    for (let u = 0; u < kw; u++) {
      if (f.pass === "forward") for (let ch = 0; ch < cg; ch++) visit(d0, d1, d2, d3, ch, v, u)
      else {
        const [ty, tx] = [d2 + f.padding[0] - v, d3 + f.padding[1] - u]
        if (ty % f.stride[0] !== 0 || tx % f.stride[1] !== 0) continue
        const group = Math.floor(d1 / cg)
        for (let o = 0; o < og; o++) visit(d0, group * og + o, ty / f.stride[0], tx / f.stride[1], d1 % cg, v, u)
      }
    }
  return [sum, size]
}
