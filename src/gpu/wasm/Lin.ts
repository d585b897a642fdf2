/**
 * Integer expressions as sums: `constant + Σ coefficient · atom`. An atom is an axis or something no sum can express.
 * Equal expressions have equal keys, which is how code is shared; intervals say what needs no check.
 */
import type { Node } from "./Flat.ts"

export type Atom = (
  | { readonly _tag: "Axis"; readonly axis: number }
  /** the address of the `index`-th array, inputs first */
  | { readonly _tag: "Base"; readonly index: number }
  | { readonly _tag: "Div" | "Mod"; readonly a: Lin; readonly by: number }
  | { readonly _tag: "Min" | "Max" | "Times"; readonly a: Lin; readonly b: Lin }
  | { readonly _tag: "ToIndex"; readonly value: Node }
) &
  Known

export interface Known {
  readonly key: string
  /** the axes it depends on */
  readonly deps: ReadonlySet<number>
  readonly low: number
  readonly high: number
}

export interface Term {
  readonly coefficient: number
  readonly atom: Atom
}

export interface Lin extends Known {
  readonly constant: number
  readonly terms: ReadonlyArray<Term>
}

const nothing: ReadonlySet<number> = new Set()

const both = (a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> => {
  if (a === b || b.size === 0) return a
  if (a.size === 0) return b
  for (const x of b) if (!a.has(x)) return new Set([...a, ...b])
  return a
}
export const union = (sets: ReadonlyArray<ReadonlySet<number>>): ReadonlySet<number> => sets.reduce(both, nothing)

const times = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)

/** a quotient and a remainder of the same thing are the thing again */
const recombine = (terms: ReadonlyArray<Term>): { readonly lin: Lin; readonly coefficient: number } | undefined => {
  for (const low of terms) {
    if (low.atom._tag !== "Mod") continue
    const { a, by } = low.atom
    for (const high of terms) {
      const rest = terms.filter((t) => t !== low && t !== high)
      if (high.coefficient !== low.coefficient * by) continue
      const whole =
        high.atom._tag === "Div" && high.atom.by === by && high.atom.a.key === a.key
          ? a
          : high.atom._tag === "Mod" && high.atom.a.key === divide(a, by).key
            ? modulo(a, by * high.atom.by)
            : undefined
      if (whole !== undefined) return { lin: add(scale(whole, low.coefficient), make(0, rest)), coefficient: 1 }
    }
  }
  return undefined
}

const keyOf = (constant: number, terms: ReadonlyArray<Term>): string => {
  let key = String(constant)
  for (const t of terms) key += `+${t.coefficient}*${t.atom.key}`
  return key
}

/** a sum of terms that are in order, different, and cannot be joined */
const sum = (constant: number, terms: ReadonlyArray<Term>): Lin => {
  let [low, high, deps] = [constant, constant, nothing]
  for (const { coefficient, atom } of terms) {
    const [a, b] = [times(coefficient, atom.low), times(coefficient, atom.high)]
    low += Math.min(a, b)
    high += Math.max(a, b)
    deps = both(deps, atom.deps)
  }
  return { constant, terms, key: keyOf(constant, terms), deps, low, high }
}

export const make = (constant: number, given: ReadonlyArray<Term>): Lin => {
  if (given.length === 0) return int(constant)
  if (given.length === 1 && given[0]?.coefficient !== 0) return sum(constant, given)
  const merged = new Map<string, Term>()
  for (const { coefficient, atom } of given) {
    const before = merged.get(atom.key)
    merged.set(atom.key, { coefficient: coefficient + (before?.coefficient ?? 0), atom })
  }
  const terms = [...merged.values()]
    .filter((t) => t.coefficient !== 0)
    .sort((a, b) => (a.atom.key < b.atom.key ? -1 : a.atom.key > b.atom.key ? 1 : 0))
  const whole = recombine(terms)
  if (whole !== undefined) return add(whole.lin, int(constant))
  return sum(constant, terms)
}

export const int = (constant: number): Lin => sum(constant, [])

export const axis = (axis: number, extent: number): Lin =>
  extent <= 1
    ? int(0)
    : make(0, [
        {
          coefficient: 1,
          atom: { _tag: "Axis", axis, key: `a${axis}:${extent}`, deps: new Set([axis]), low: 0, high: extent - 1 },
        },
      ])

/** addresses are taken apart from ranges: their interval is that of a zero */
export const base = (index: number): Lin =>
  make(0, [{ coefficient: 1, atom: { _tag: "Base", index, key: `base${index}`, deps: nothing, low: 0, high: 0 } }])

export const add = (a: Lin, b: Lin): Lin => {
  const constant = a.constant + b.constant
  if (b.terms.length === 0) return b.constant === 0 ? a : sum(constant, a.terms)
  if (a.terms.length === 0) return a.constant === 0 ? b : sum(constant, b.terms)
  return make(constant, [...a.terms, ...b.terms])
}
export const scale = (a: Lin, by: number): Lin =>
  by === 1
    ? a
    : by === 0
      ? int(0)
      : sum(
          a.constant * by,
          a.terms.map((t) => ({ coefficient: t.coefficient * by, atom: t.atom })),
        )
export const sub = (a: Lin, b: Lin): Lin => add(a, scale(b, -1))

const single = (atom: Atom): Lin => make(0, [{ coefficient: 1, atom }])

/** `a = by · quotient + rest`, with everything that `by` divides in the quotient */
const split = (a: Lin, by: number): { readonly quotient: Lin; readonly rest: Lin } => {
  const whole = (t: Term) => t.coefficient % by === 0
  const rest = make(
    0,
    a.terms.filter((t) => !whole(t)),
  )
  // the constant is shared out so that the rest starts at a value in [0, by) where it can
  const shift = Number.isFinite(rest.low) ? Math.floor((rest.low + a.constant) / by) : Math.floor(a.constant / by)
  const quotient = make(
    shift,
    a.terms.filter(whole).map((t) => ({ ...t, coefficient: t.coefficient / by })),
  )
  return { quotient, rest: add(rest, int(a.constant - shift * by)) }
}

export const divide = (a: Lin, by: number): Lin => {
  if (by === 1) return a
  const { quotient, rest } = split(a, by)
  if (rest.low >= 0 && rest.high < by) return quotient
  const [only] = rest.terms
  if (rest.constant === 0 && rest.terms.length === 1 && only?.coefficient === 1 && only.atom._tag === "Div")
    return add(quotient, divide(only.atom.a, only.atom.by * by))
  const known = { deps: rest.deps, low: Math.floor(rest.low / by), high: Math.floor(rest.high / by) }
  return add(quotient, single({ _tag: "Div", a: rest, by, key: `(${rest.key})/${by}`, ...known }))
}

export const modulo = (a: Lin, by: number): Lin => {
  if (by === 1) return int(0)
  const { rest } = split(a, by)
  if (rest.low >= 0 && rest.high < by) return rest
  return single({ _tag: "Mod", a: rest, by, key: `(${rest.key})%${by}`, deps: rest.deps, low: 0, high: by - 1 })
}

const pair = (tag: "Min" | "Max" | "Times", a: Lin, b: Lin, low: number, high: number): Lin =>
  single({ _tag: tag, a, b, key: `${tag}(${a.key},${b.key})`, deps: union([a.deps, b.deps]), low, high })

export const minimum = (a: Lin, b: Lin): Lin =>
  a.high <= b.low ? a : b.high <= a.low ? b : pair("Min", a, b, Math.min(a.low, b.low), Math.min(a.high, b.high))
export const maximum = (a: Lin, b: Lin): Lin =>
  a.low >= b.high ? a : b.low >= a.high ? b : pair("Max", a, b, Math.max(a.low, b.low), Math.max(a.high, b.high))

export const multiply = (a: Lin, b: Lin): Lin => {
  if (b.terms.length === 0) return scale(a, b.constant)
  if (a.terms.length === 0) return scale(b, a.constant)
  const ends = [times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)]
  return pair("Times", a, b, Math.min(...ends), Math.max(...ends))
}

export const toIndex = (value: Node): Lin =>
  single({ _tag: "ToIndex", value, key: `floor${value.id}`, deps: value.deps, low: -Infinity, high: Infinity })

/** how much the sum grows with one step of an axis, not counting what atoms hide */
export const coefficientOf = (a: Lin, axis: number): number =>
  a.terms.find((t) => t.atom._tag === "Axis" && t.atom.axis === axis)?.coefficient ?? 0

/** whether an atom that is no axis depends on `axis` */
export const hides = (a: Lin, axis: number): boolean =>
  a.terms.some((t) => t.atom._tag !== "Axis" && t.atom.deps.has(axis))

/** the value where `axis` is `at`, of a sum that depends on nothing else */
export const valueAt = (a: Lin, axis: number, at: number): number | undefined => {
  let total = a.constant
  for (const { coefficient, atom } of a.terms) {
    const value = atomAt(atom, axis, at)
    if (value === undefined) return undefined
    total += coefficient * value
  }
  return total
}

const atomAt = (atom: Atom, axis: number, at: number): number | undefined => {
  switch (atom._tag) {
    case "Axis":
      return atom.axis === axis ? at : undefined
    case "Base":
    case "ToIndex":
      return undefined
    case "Div":
    case "Mod": {
      const a = valueAt(atom.a, axis, at)
      if (a === undefined) return undefined
      const quotient = Math.floor(a / atom.by)
      return atom._tag === "Div" ? quotient : a - quotient * atom.by
    }
    default: {
      const [a, b] = [valueAt(atom.a, axis, at), valueAt(atom.b, axis, at)]
      if (a === undefined || b === undefined) return undefined
      return atom._tag === "Min" ? Math.min(a, b) : atom._tag === "Max" ? Math.max(a, b) : a * b
    }
  }
}
