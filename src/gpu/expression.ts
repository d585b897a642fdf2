/** Questions about index expressions, and their rewriting. */
import * as K from "./Kernel.ts"

/** calls `f` with every value inside `v`, itself included */
export const forEachValue = (v: K.Value, f: (v: K.Value) => void): void => {
  const visit = {
    value: (w: K.Value): K.Value => {
      forEachValue(w, f)
      return w
    },
    index: (i: K.Index): K.Index => K.mapIndex(i, visit),
  }
  f(v)
  K.mapValue(v, visit)
}

/** calls `f` once with every value inside the roots, however many places share it */
export const forEachPart = (roots: ReadonlyArray<K.Value>, f: (v: K.Value) => void): void => {
  const seen = new Set<K.Value>()
  const visit = {
    value: (v: K.Value): K.Value => {
      if (seen.has(v)) return v
      seen.add(v)
      f(v)
      return K.mapValue(v, visit)
    },
    index: (i: K.Index): K.Index => K.mapIndex(i, visit),
  }
  roots.forEach(visit.value)
}

/** whether some value inside `v` is as asked */
export const some = (v: K.Value, is: (v: K.Value) => boolean): boolean => {
  let found = false
  forEachValue(v, (w) => {
    found ||= is(w)
  })
  return found
}

/** the number of values inside `v` */
export const size = (v: K.Value): number => {
  let n = 0
  forEachValue(v, () => n++)
  return n
}

/** `v` with each axis that `axes` names replaced by an index, and each load by what `load` gives for it */
export const rewrite = (
  v: K.Value,
  axes: ReadonlyMap<number, K.Index>,
  load: (input: number, at: ReadonlyArray<K.Index>) => K.Value,
): K.Value => {
  const index = (i: K.Index): K.Index => (i._tag === "Axis" ? (axes.get(i.axis) ?? i) : K.mapIndex(i, both))
  const value = (w: K.Value): K.Value => (w._tag === "Load" ? load(w.input, w.at.map(index)) : K.mapValue(w, both))
  const both = { value, index }
  return value(v)
}

/** whether `at` is the very point that is computed: axis 0, axis 1, … */
export const isPoint = (at: ReadonlyArray<K.Index>): boolean => at.every((i, d) => i._tag === "Axis" && i.axis === d)
