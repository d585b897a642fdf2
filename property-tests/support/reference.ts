/** Functions of the references, each from its definition, in float64. */
import { type Array64, at, type Extents, tabulate } from "../../src/laws.ts"

/** the error function: its Taylor series up to 3, and beyond it the continued fraction of its complement */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (a > 3) {
    let fraction = 0
    for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction)
    return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)))
  }
  let [term, total] = [x, x]
  for (let n = 1; n < 80; n++) {
    term *= -(x * x) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** the element of `x` that stands at `index` of an array that `x` is broadcast to */
export const spread = (x: Array64, index: Extents): number =>
  at(x, ...x.shape.map((d, i) => (d === 1 ? 0 : (index[index.length - x.shape.length + i] ?? 0))))

/** both arrays broadcast, and `f` of each pair */
export const pairwise = (a: Array64, b: Array64, f: (a: number, b: number) => number): Array64 => {
  const rank = Math.max(a.shape.length, b.shape.length)
  const extent = (s: Extents, i: number): number => s[i - rank + s.length] ?? 1
  const shape = Array.from({ length: rank }, (_, i) =>
    extent(a.shape, i) === 1 ? extent(b.shape, i) : extent(a.shape, i),
  )
  return tabulate(shape, (...i) => f(spread(a, i), spread(b, i)))
}

/** every index of a shape, in row-major order */
export const indices = (shape: Extents): ReadonlyArray<Extents> =>
  shape.reduce<ReadonlyArray<Extents>>(
    (all, d) => all.flatMap((index) => Array.from({ length: d }, (_, i) => [...index, i])),
    [[]],
  )

/** `f` of all the numbers that fall together when `dims` are reduced, in row-major order */
export const reduced = (
  x: Array64,
  { dims, keepDim = false }: { readonly dims: ReadonlyArray<number>; readonly keepDim?: boolean },
  f: (numbers: ReadonlyArray<number>) => number,
): Array64 => {
  const kept = x.shape.map((d, i) => (dims.includes(i) ? 1 : d))
  const values = tabulate(kept, (...index) => {
    const inside = indices(x.shape.map((d, i) => (dims.includes(i) ? d : 1)))
    return f(inside.map((j) => at(x, ...index.map((v, d) => v + (j[d] ?? 0)))))
  })
  return keepDim ? values : { shape: x.shape.filter((_, i) => !dims.includes(i)), data: values.data }
}

export const total = (xs: ReadonlyArray<number>): number => xs.reduce((a, b) => a + b, 0)
export const average = (xs: ReadonlyArray<number>): number => total(xs) / xs.length
