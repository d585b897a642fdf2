/**
 * The one special form of kernel: a sum of products of two arrays. A device may carry a tuned version of it;
 * `plain` gives the ordinary kernel that every device can run.
 */
import * as K from "./Kernel.ts"

export interface Contraction {
  readonly _tag: "Contraction"
  readonly name: string
  readonly form: MatMul | Conv2d
  /** a third input is added: of length `n` for `MatMul`, of length `o` for a forward `Conv2d` */
  readonly bias: boolean
}

/**
 * `y[b, i, j] = Σₖ a[b, i, k] · c[b, k, j] (+ bias[j])`.
 *
 * Inputs: `a` is `[batch, m, k]` (or `[batch, k, m]` where `transposeA`), `c` is `[batch, k, n]` (or `[batch, n, k]`
 * where `transposeB`); one that is not batched lacks the first dimension. The output is `[batch, m, n]`.
 */
export interface MatMul {
  readonly _tag: "MatMul"
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly batchedA: boolean
  readonly batchedB: boolean
}

/**
 * A cross-correlation of `x: [n, c, h, w]` with `weight: [o, c / groups, kh, kw]` to `y: [n, o, oh, ow]`, or one of its
 * two gradients. `padding` is what stands before the first row and column; what is needed behind the last follows
 * from `oh` and `ow`.
 *
 * | pass | inputs | output |
 * | --- | --- | --- |
 * | `forward` | `x`, `weight` (, `bias: [o]`) | `y` |
 * | `inputGradient` | `dy: [n, o, oh, ow]`, `weight` | `dx: [n, c, h, w]` |
 * | `weightGradient` | `x`, `dy` | `dweight: [o, c / groups, kh, kw]` |
 */
export interface Conv2d {
  readonly _tag: "Conv2d"
  readonly pass: "forward" | "inputGradient" | "weightGradient"
  readonly n: number
  readonly c: number
  readonly h: number
  readonly w: number
  readonly o: number
  readonly oh: number
  readonly ow: number
  readonly kernel: readonly [h: number, w: number]
  readonly stride: readonly [h: number, w: number]
  readonly padding: readonly [top: number, left: number]
  readonly dilation: readonly [h: number, w: number]
  readonly groups: number
}

type Extents = ReadonlyArray<number>

/** the shapes of the inputs, the bias last */
export const inputShapes = (c: Contraction): ReadonlyArray<Extents> => {
  const f = c.form
  if (f._tag === "MatMul") {
    const a = f.transposeA ? [f.k, f.m] : [f.m, f.k]
    const b = f.transposeB ? [f.n, f.k] : [f.k, f.n]
    const both = [f.batchedA ? [f.batch, ...a] : a, f.batchedB ? [f.batch, ...b] : b]
    return c.bias ? [...both, [f.n]] : both
  }
  const x = [f.n, f.c, f.h, f.w]
  const weight = [f.o, f.c / f.groups, ...f.kernel]
  const y = [f.n, f.o, f.oh, f.ow]
  if (f.pass === "forward") return c.bias ? [x, weight, [f.o]] : [x, weight]
  return f.pass === "inputGradient" ? [y, weight] : [x, y]
}

/** the shape of the only output */
export const outputShape = (c: Contraction): Extents => {
  const f = c.form
  if (f._tag === "MatMul") return [f.batch, f.m, f.n]
  if (f.pass === "forward") return [f.n, f.o, f.oh, f.ow]
  return f.pass === "inputGradient" ? [f.n, f.c, f.h, f.w] : [f.o, f.c / f.groups, ...f.kernel]
}

/** useful floating-point operations: a multiplication and an addition for each product of the definition */
export const flops = (c: Contraction): number => {
  const f = c.form
  if (f._tag === "MatMul") return 2 * f.batch * f.m * f.n * f.k
  return 2 * f.n * f.o * f.oh * f.ow * (f.c / f.groups) * f.kernel[0] * f.kernel[1]
}

const inRange = (i: K.Index, extent: number): K.Condition =>
  K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, extent))

const reduceOver = (
  extents: Extents,
): { readonly axes: ReadonlyArray<K.ReduceAxis>; readonly at: ReadonlyArray<K.Index> } => ({
  axes: extents.map((extent, i) => ({ axis: K.reductionAxis(i), extent })),
  at: extents.map((_, i) => K.axis(K.reductionAxis(i))),
})

const plainMatMul = (f: MatMul, bias: boolean): K.Value => {
  const [b, i, j] = [K.axis(0), K.axis(1), K.axis(2)]
  const { axes, at } = reduceOver([f.k])
  const [k] = at as [K.Index]
  const a = f.transposeA ? [k, i] : [i, k]
  const c = f.transposeB ? [j, k] : [k, j]
  const product = K.mul(K.load(0, f.batchedA ? [b, ...a] : a), K.load(1, f.batchedB ? [b, ...c] : c))
  const total = K.sum(axes, product)
  return bias ? K.add(total, K.load(2, [j])) : total
}

const plainConv2d = (f: Conv2d, bias: boolean): K.Value => {
  const [p0, p1, p2, p3] = [K.axis(0), K.axis(1), K.axis(2), K.axis(3)]
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  /** where the window of output position `o` finds tap `k` in the input */
  const tap = (o: K.Index, k: K.Index, d: 0 | 1): K.Index =>
    K.isub(K.iadd(K.imul(o, f.stride[d]), K.imul(k, f.dilation[d])), f.padding[d])
  switch (f.pass) {
    case "forward": {
      const { axes, at } = reduceOver([cg, ...f.kernel])
      const [c, kh, kw] = at as [K.Index, K.Index, K.Index]
      const [y, x] = [tap(p2, kh, 0), tap(p3, kw, 1)]
      const channel = K.iadd(K.imul(K.idiv(p1, og), cg), c)
      const product = K.mul(K.load(0, [p0, channel, y, x]), K.load(1, [p1, c, kh, kw]))
      const total = K.sum(axes, K.select(K.and(inRange(y, f.h), inRange(x, f.w)), product, 0))
      return bias ? K.add(total, K.load(2, [p1])) : total
    }
    case "inputGradient": {
      const { axes, at } = reduceOver([og, ...f.kernel])
      const [o, kh, kw] = at as [K.Index, K.Index, K.Index]
      /** the strided position, `stride · output`, whose tap `k` fell on this input position */
      const from = (i: K.Index, k: K.Index, d: 0 | 1) => K.isub(K.iadd(i, f.padding[d]), K.imul(k, f.dilation[d]))
      const [sy, sx] = [from(p2, kh, 0), from(p3, kw, 1)]
      const [y, x] = [K.idiv(sy, f.stride[0]), K.idiv(sx, f.stride[1])]
      const channel = K.iadd(K.imul(K.idiv(p1, cg), og), o)
      const product = K.mul(K.load(0, [p0, channel, y, x]), K.load(1, [channel, K.imod(p1, cg), kh, kw]))
      const meets = K.and(
        inRange(y, f.oh),
        inRange(x, f.ow),
        K.compareIndex("eq", K.imod(sy, f.stride[0]), 0),
        K.compareIndex("eq", K.imod(sx, f.stride[1]), 0),
      )
      return K.sum(axes, K.select(meets, product, 0))
    }
    case "weightGradient": {
      const { axes, at } = reduceOver([f.n, f.oh, f.ow])
      const [n, oy, ox] = at as [K.Index, K.Index, K.Index]
      const [y, x] = [tap(oy, p2, 0), tap(ox, p3, 1)]
      const channel = K.iadd(K.imul(K.idiv(p0, og), cg), p1)
      const product = K.mul(K.load(0, [n, channel, y, x]), K.load(1, [n, p0, oy, ox]))
      return K.sum(axes, K.select(K.and(inRange(y, f.h), inRange(x, f.w)), product, 0))
    }
  }
}

/** the same result as an ordinary kernel */
export const plain = (c: Contraction): K.Kernel => ({
  _tag: "Kernel",
  name: c.name,
  space: outputShape(c),
  inputs: inputShapes(c),
  stores: [c.form._tag === "MatMul" ? plainMatMul(c.form, c.bias) : plainConv2d(c.form, c.bias)],
})
