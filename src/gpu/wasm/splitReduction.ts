/** A reduction of very many elements to very few, as two kernels: threads share the first. */
import * as K from "../Kernel.ts"

export interface SplitReduction {
  /** each gives partial results: its space is the kernel's with one axis more */
  readonly partials: ReadonlyArray<K.Kernel>
  /** the kernel itself, with the partial results as further inputs */
  readonly final: K.Kernel
}

const most = 64
const manyElements = 32768
const fewPoints = 15
/** parts of an axis that are enough for any number of threads */
const enough = 16

/** `v` with one axis replaced */
const substitute = (v: K.Value, axis: number, by: K.Index): K.Value => {
  const done = new Map<K.Value, K.Value>()
  const f = {
    value: (x: K.Value): K.Value => {
      const made = done.get(x) ?? K.mapValue(x, f)
      done.set(x, made)
      return made
    },
    index: (i: K.Index): K.Index => (i._tag === "Axis" && i.axis === axis ? by : K.mapIndex(i, f)),
  }
  return f.value(v)
}

const outermost = (stores: ReadonlyArray<K.Value>): ReadonlyArray<K.Reduce> => {
  const found = new Set<K.Reduce>()
  const seen = new Set<K.Value>()
  const visit = (v: K.Value): K.Value => {
    if (seen.has(v)) return v
    seen.add(v)
    if (v._tag === "Reduce") found.add(v)
    else K.mapValue(v, { value: visit, index: (i) => i })
    return v
  }
  stores.forEach(visit)
  return [...found]
}

const extentOf = (axes: ReadonlyArray<K.ReduceAxis>): number => axes.reduce((n, a) => n * a.extent, 1)

/** how many parts an axis is cut into: a number that divides it, where there is one of a good size */
const chunksOf = (extent: number): number => {
  for (let n = Math.min(most, extent); n >= enough; n--) if (extent % n === 0) return n
  return Math.min(most, extent)
}

/**
 * The kernel in two stages, if it has few points, each of a sum or maximum of many elements. The parts depend on shapes
 * alone, and are joined in order.
 */
export const splitReduction = (kernel: K.Kernel): SplitReduction | undefined => {
  const points = kernel.space.reduce((n, d) => n * d, 1)
  const reduces = outermost(kernel.stores)
  const large = (r: K.Reduce) => r.op !== "argmax" && extentOf(r.axes) >= manyElements
  if (points === 0 || points > fewPoints || reduces.length === 0 || !reduces.every(large)) return undefined
  const point = K.point(kernel.space)
  const replaced = new Map<K.Value, K.Value>()
  const partials = reduces.map((r, i): K.Kernel => {
    // parts of the outermost axis are each contiguous
    const cut = r.axes.find((a) => a.extent >= enough) ?? r.axes.reduce((a, b) => (b.extent > a.extent ? b : a))
    const chunks = chunksOf(cut.extent)
    const size = Math.ceil(cut.extent / chunks)
    const chunk = K.axis(kernel.space.length)
    const at = K.iadd(K.imul(chunk, size), K.axis(cut.axis))
    const body = substitute(r.body, cut.axis, at)
    const whole =
      size * chunks === cut.extent
        ? body
        : K.select(K.compareIndex("lt", at, cut.extent), body, r.op === "sum" ? 0 : -Infinity)
    const axes = r.axes.map((a) => (a === cut ? { ...a, extent: size } : a))
    const joined = K.load(kernel.inputs.length + i, [...point, K.axis(cut.axis)])
    replaced.set(r, { _tag: "Reduce", op: r.op, axes: [{ axis: cut.axis, extent: chunks }], body: joined })
    return {
      ...kernel,
      space: [...kernel.space, chunks],
      stores: [{ ...r, axes, body: whole }],
    }
  })
  const rebuild = (v: K.Value): K.Value => {
    const made = replaced.get(v) ?? K.mapValue(v, { value: rebuild, index: (i) => i })
    replaced.set(v, made)
    return made
  }
  const final: K.Kernel = {
    ...kernel,
    inputs: [...kernel.inputs, ...partials.map((p) => p.space)],
    stores: kernel.stores.map(rebuild),
  }
  return { partials, final }
}
