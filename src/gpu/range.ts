/** Which values an index can take: what lets a device leave out the check of a load that is always in range. */
import type { Condition, Index, Kernel, Reduce, Value } from "./Kernel.ts"

/** both ends included; infinite where an index comes from data */
export type Interval = readonly [low: number, high: number]

/** the extent of every axis that is in scope */
export type Extents = ReadonlyMap<number, number>

/** the extents of a kernel's space */
export const spaceExtents = (kernel: Pick<Kernel, "space">): Extents => new Map(kernel.space.map((d, i) => [i, d]))

/** `extents` and those of the axes a reduction adds */
export const withReduction = (extents: Extents, reduce: Reduce): Extents =>
  new Map([...extents, ...reduce.axes.map((a): [number, number] => [a.axis, a.extent])])

const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

/** the interval that holds `index` wherever the axes stand within their extents */
export const interval = (index: Index, extents: Extents): Interval => {
  switch (index._tag) {
    case "Int":
      return [index.value, index.value]
    case "Axis":
      return [0, Math.max(0, (extents.get(index.axis) ?? Infinity) - 1)]
    case "ToIndex":
      return [-Infinity, Infinity]
    case "IndexBinary": {
      const [al, ah] = interval(index.a, extents)
      const [bl, bh] = interval(index.b, extents)
      switch (index.op) {
        case "add":
          return [al + bl, ah + bh]
        case "sub":
          return [al - bh, ah - bl]
        case "mul": {
          const ends = [product(al, bl), product(al, bh), product(ah, bl), product(ah, bh)]
          return [Math.min(...ends), Math.max(...ends)]
        }
        case "div":
          return [Math.floor(al / bl), Math.floor(ah / bl)]
        case "mod": {
          const [first, last] = [Math.floor(al / bl), Math.floor(ah / bl)]
          return Number.isFinite(first) && first === last ? [al - first * bl, ah - first * bl] : [0, bl - 1]
        }
        case "min":
          return [Math.min(al, bl), Math.min(ah, bh)]
        case "max":
          return [Math.max(al, bl), Math.max(ah, bh)]
      }
    }
  }
}

/** whether `index` always lies in `[0, extent)` */
export const provablyIn = (index: Index, extent: number, extents: Extents): boolean => {
  const [low, high] = interval(index, extents)
  return low >= 0 && high < extent
}

/** the axes an expression mentions, those of its own reductions left out */
export const axesOf = (v: Value | Index): ReadonlySet<number> => {
  const seen = new Set<number>()
  const index = (i: Index): void => {
    if (i._tag === "Axis") seen.add(i.axis)
    else if (i._tag === "ToIndex") value(i.value)
    else if (i._tag === "IndexBinary") {
      index(i.a)
      index(i.b)
    }
  }
  const value = (v: Value): void => {
    switch (v._tag) {
      case "Const":
        return
      case "Load":
        return v.at.forEach(index)
      case "ToFloat":
        return index(v.index)
      case "Unary":
        return value(v.a)
      case "Binary":
        value(v.a)
        return value(v.b)
      case "Select":
        condition(v.condition)
        value(v.a)
        return value(v.b)
      case "Reduce": {
        const before = new Set(seen)
        value(v.body)
        for (const a of v.axes) if (!before.has(a.axis)) seen.delete(a.axis)
      }
    }
  }
  const condition = (c: Condition): void => {
    switch (c._tag) {
      case "CompareIndex":
        index(c.a)
        return index(c.b)
      case "Compare":
        value(c.a)
        return value(c.b)
      case "And":
      case "Or":
        condition(c.a)
        return condition(c.b)
      case "Not":
        return condition(c.a)
      case "IsNaN":
        return value(c.a)
    }
  }
  if (v._tag === "Int" || v._tag === "Axis" || v._tag === "IndexBinary" || v._tag === "ToIndex") index(v)
  else value(v)
  return seen
}
