/**
 * Where generated code goes. A value is computed in the outermost loop in which every axis it depends on is known, once,
 * and kept in a variable; so what does not change in a loop is outside it, and equal parts are computed once.
 */
import * as Wasm from "./Assembler.ts"
import { type Expr, i32, i32x4, f32, f32x4, type Local, type Statement, type Type, v128 } from "./Assembler.ts"
import * as Lin from "./Lin.ts"
import type { Node, Test } from "./Flat.ts"
import type { Truths } from "./regions.ts"

/** an axis of which four values at a time stand in the lanes of a vector, in `width` vectors */
export interface Lanes {
  readonly axis: number
  readonly width: number
}

export interface Scope {
  readonly parent: Scope | undefined
  /** false for the branch of a condition, out of which nothing is moved that the loop around it does not allow */
  readonly loop: boolean
  readonly axes: ReadonlyMap<number, Local<"i32">>
  readonly lanes: Lanes | undefined
  /** how tests are known to come out here */
  readonly truths: Truths
  readonly statements: Array<Statement>
  /** the vectors that one round of a loop sets for itself */
  readonly own: Array<Local<"v128">>
  readonly ints: Map<string, Expr<"i32">>
  readonly scalars: Map<string, Expr<"f32">>
  readonly vectors: Map<string, ReadonlyArray<Expr<"v128">>>
}

export interface Emitter {
  readonly local: <T extends Type>(type: T) => Local<T>
  /** never set */
  readonly zero: Local<"v128">
  readonly bases: ReadonlyArray<Local<"i32">>
  readonly test: (test: Test, scope: Scope) => Expr<"i32">
  readonly scalar: (node: Node, scope: Scope) => Expr<"f32">
  readonly vector: (node: Node, scope: Scope) => ReadonlyArray<Expr<"v128">>
}

export const child = (
  parent: Scope | undefined,
  axes: ReadonlyArray<readonly [number, Local<"i32">]> = [],
  lanes: Lanes | undefined = parent?.lanes,
  loop = true,
  truths: Truths = parent?.truths ?? new Map(),
): Scope => ({
  parent,
  loop,
  axes: new Map([...(parent?.axes ?? []), ...axes]),
  lanes,
  truths,
  statements: [],
  own: [],
  ints: new Map(),
  scalars: new Map(),
  vectors: new Map(),
})

/** how a test comes out, if that is known */
export const truth = (t: Test, truths: Truths): boolean | undefined => {
  switch (t._tag) {
    case "Always":
    case "Never":
      return t._tag === "Always"
    case "And":
    case "Or": {
      const [a, b] = [truth(t.a, truths), truth(t.b, truths)]
      const decisive = t._tag === "Or"
      return a === decisive || b === decisive ? decisive : a === undefined || b === undefined ? undefined : !decisive
    }
    case "Not": {
      const a = truth(t.a, truths)
      return a === undefined ? undefined : !a
    }
    default:
      return truths.get(t.id)
  }
}

const loopOf = (scope: Scope): Scope => (scope.loop || scope.parent === undefined ? scope : loopOf(scope.parent))

/** the scope in which something that depends on `deps` is computed when `scope` needs it */
export const home = (scope: Scope, deps: ReadonlySet<number>): Scope => {
  const innermost = loopOf(scope)
  let best = innermost
  for (let s = innermost.parent; s !== undefined; s = s.parent) {
    if (!s.loop) continue
    const { axes } = s
    if (![...deps].every((d) => axes.has(d))) break
    best = s
  }
  return best === innermost ? scope : best
}

export const lookup = <K extends "ints" | "scalars" | "vectors">(
  scope: Scope,
  kind: K,
  key: string,
): ReturnType<Scope[K]["get"]> => {
  for (let s: Scope | undefined = scope; s !== undefined; s = s.parent) {
    const found = s[kind].get(key)
    if (found !== undefined) return found as ReturnType<Scope[K]["get"]> // it comes from the map of that kind
  }
  return undefined as ReturnType<Scope[K]["get"]> // every map's `get` may give undefined
}

const isVector = (local: Local<Type>): local is Local<"v128"> => local.type === "v128"

/** a variable that nothing outside the loop of `scope` reads */
export const variable = <T extends Type>(e: Emitter, scope: Scope, type: T): Local<T> => {
  const made = e.local(type)
  if (isVector(made)) loopOf(scope).own.push(made)
  return made
}

/**
 * One round of the loop of `scope`. Its vectors are zero in the end: an engine would take them over into the next round,
 * which nothing there reads, and not fuse them into wider ones.
 */
export const round = (e: Emitter, scope: Scope): ReadonlyArray<Statement> => [
  ...scope.statements,
  ...scope.own.map((local) => Wasm.set(local, e.zero)),
]

/** a variable in `scope` that holds the value */
export const keep = <T extends Type>(e: Emitter, scope: Scope, value: Expr<T>): Local<T> => {
  const kept = variable(e, scope, value.type)
  scope.statements.push(Wasm.set(kept, value))
  return kept
}

const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n))

const timesConstant = (a: Expr<"i32">, by: number): Expr<"i32"> =>
  by === 1 ? a : isPowerOfTwo(by) ? i32.shl(a, Math.log2(by)) : i32.mul(a, by)

const floorDivide = (a: Expr<"i32">, by: number, low: number): Expr<"i32"> => {
  if (isPowerOfTwo(by)) return i32.shrS(a, Math.log2(by))
  if (low >= 0) return i32.divU(a, by)
  return i32.divS(i32.sub(a, i32.and(i32.shrS(a, 31), by - 1)), by)
}

const atomAt = (e: Emitter, atom: Lin.Atom, scope: Scope): Expr<"i32"> => {
  switch (atom._tag) {
    case "Axis": {
      const known = scope.axes.get(atom.axis)
      if (known === undefined) throw new Error(`axis ${atom.axis} is not in scope`)
      return known
    }
    case "Base":
      return e.bases[atom.index] ?? i32.const(0)
    case "Div":
      return floorDivide(keep(e, scope, intAt(e, atom.a, scope)), atom.by, atom.a.low)
    case "Mod": {
      const a = keep(e, scope, intAt(e, atom.a, scope))
      if (isPowerOfTwo(atom.by)) return i32.and(a, atom.by - 1)
      if (atom.a.low >= 0) return i32.remU(a, atom.by)
      return i32.sub(a, i32.mul(floorDivide(a, atom.by, atom.a.low), atom.by))
    }
    case "Min":
    case "Max": {
      const [a, b] = [keep(e, scope, intAt(e, atom.a, scope)), keep(e, scope, intAt(e, atom.b, scope))]
      return Wasm.select(atom._tag === "Min" ? i32.ltS(a, b) : i32.gtS(a, b), a, b)
    }
    case "Times":
      return i32.mul(intAt(e, atom.a, scope), intAt(e, atom.b, scope))
    case "ToIndex":
      return i32.truncSatF32S(f32.floor(e.scalar(atom.value, scope)))
  }
}

/** the terms of a sum, without its constant */
const termsAt = (e: Emitter, terms: ReadonlyArray<Lin.Term>, scope: Scope): Expr<"i32"> => {
  const [first] = terms
  if (terms.length === 1 && first?.coefficient === 1 && (first.atom._tag === "Axis" || first.atom._tag === "Base"))
    return atomAt(e, first.atom, scope)
  const key = terms.map((t) => `${t.coefficient}*${t.atom.key}`).join("+")
  const before = lookup(scope, "ints", key)
  if (before !== undefined) return before
  const place = home(scope, Lin.union(terms.map((t) => t.atom.deps)))
  const outer = loopOf(place).parent
  const around = outer === undefined ? undefined : loopOf(outer)
  const outside = (t: Lin.Term) => around !== undefined && [...t.atom.deps].every((d) => around.axes.has(d))
  const [fixed, changing] = [terms.filter(outside), terms.filter((t) => !outside(t))]
  const value =
    fixed.length > 0 && changing.length > 0
      ? i32.add(termsAt(e, fixed, place), termsAt(e, changing, place))
      : terms.map((t) => timesConstant(atomAt(e, t.atom, place), t.coefficient)).reduce((a, b) => i32.add(a, b))
  const kept = keep(e, place, value)
  place.ints.set(key, kept)
  return kept
}

/** an integer; where an axis is in lanes, its value in the first of them */
export const intAt = (e: Emitter, l: Lin.Lin, scope: Scope): Expr<"i32"> => {
  if (l.terms.length === 0) return i32.const(l.constant)
  const sum = termsAt(e, l.terms, scope)
  return l.constant === 0 ? sum : i32.add(sum, l.constant)
}

/** the address of element `at` of array `index`, and a constant to be added to it by the instruction */
export const addressAt = (
  e: Emitter,
  index: number,
  at: Lin.Lin,
  scope: Scope,
): { readonly address: Expr<"i32">; readonly offset: number } => {
  const bytes = Lin.add(Lin.base(index), Lin.scale(at, 4))
  // an instruction adds its offset without wrapping around, so the rest must not be negative by itself
  const safe = bytes.constant >= 0 && bytes.low - bytes.constant >= -32768
  return safe
    ? { address: termsAt(e, bytes.terms, scope), offset: bytes.constant }
    : { address: intAt(e, bytes, scope), offset: 0 }
}

// ---------- integers in lanes

const widths = (lanes: Lanes): ReadonlyArray<number> => Array.from({ length: lanes.width }, (_, j) => j)

const exactAsFloat = 2 ** 21

const divideLanes = (e: Emitter, x: Expr<"v128">, atom: { readonly a: Lin.Lin; readonly by: number }, scope: Scope) => {
  if (isPowerOfTwo(atom.by)) return i32x4.shrS(x, Math.log2(atom.by))
  if (atom.a.low > -exactAsFloat && atom.a.high < exactAsFloat) {
    // half a step away from every whole number, so that rounding cannot cross one
    const scaled = f32x4.mul(f32x4.add(f32x4.convertI32x4S(x), f32x4.const(0.5)), f32x4.const(1 / atom.by))
    return i32x4.truncSatF32x4S(f32x4.floor(scaled))
  }
  return ([0, 1, 2, 3] as const).reduce<Expr<"v128">>((result, lane) => {
    const one = keep(e, scope, i32x4.extractLane(lane, x))
    return i32x4.replaceLane(lane, result, floorDivide(one, atom.by, atom.a.low))
  }, x)
}

const atomLanes = (e: Emitter, atom: Lin.Atom, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  switch (atom._tag) {
    case "Axis":
    case "Base":
      return intLanes(e, Lin.make(0, [{ coefficient: 1, atom }]), scope)
    case "Div":
      return intLanes(e, atom.a, scope).map((x) => divideLanes(e, x, atom, scope))
    case "Mod":
      return intLanes(e, atom.a, scope).map((x) =>
        isPowerOfTwo(atom.by)
          ? v128.and(x, i32x4.const(atom.by - 1))
          : i32x4.sub(x, i32x4.mul(divideLanes(e, x, atom, scope), i32x4.const(atom.by))),
      )
    case "Min":
    case "Max":
    case "Times": {
      const [a, b] = [intLanes(e, atom.a, scope), intLanes(e, atom.b, scope)]
      const op = atom._tag === "Min" ? i32x4.minS : atom._tag === "Max" ? i32x4.maxS : i32x4.mul
      return a.map((x, j) => op(x, b[j] ?? x))
    }
    case "ToIndex":
      return e.vector(atom.value, scope).map((x) => i32x4.truncSatF32x4S(f32x4.floor(x)))
  }
}

/** an integer that depends on the axis in lanes, for each of its lanes */
export const intLanes = (e: Emitter, l: Lin.Lin, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  const { lanes } = scope
  if (lanes === undefined) throw new Error("no axis is in lanes")
  const key = `v${l.key}`
  const before = lookup(scope, "vectors", key)
  if (before !== undefined) return before
  const place = home(scope, l.deps)
  const hidden = l.terms.filter((t) => t.atom._tag !== "Axis" && t.atom.deps.has(lanes.axis))
  const step = Lin.coefficientOf(l, lanes.axis)
  const plain = Lin.make(
    l.constant,
    l.terms.filter((t) => !hidden.includes(t)),
  )
  const start = keep(e, place, i32x4.splat(intAt(e, plain, place)))
  const parts = hidden.map((t) => ({ by: t.coefficient, lanes: atomLanes(e, t.atom, place) }))
  const values = widths(lanes).map((j) => {
    const at = [0, 1, 2, 3].map((lane) => (4 * j + lane) * step)
    const affine = step === 0 ? start : i32x4.add(start, i32x4.const(at[0] ?? 0, at[1], at[2], at[3]))
    const whole = parts.reduce<Expr<"v128">>((sum, p) => {
      const x = p.lanes[j] ?? sum
      return i32x4.add(sum, p.by === 1 ? x : i32x4.mul(x, i32x4.const(p.by)))
    }, affine)
    return keep(e, place, whole)
  })
  place.vectors.set(key, values)
  return values
}

// ---------- natural numbers in lanes as floats, in which remainders by any number are a few instructions

/** whether every part of a sum is a natural number that a float holds exactly */
const isNatural = (l: Lin.Lin): boolean =>
  l.constant >= 0 && l.high <= 2 ** 24 && l.terms.every((t) => t.coefficient > 0 && t.atom.low >= 0)

/**
 * A float whose product with any natural number up to `high` is, rounded down, the quotient by `by`, or (`short`) may be
 * one less: tried at both ends of every quotient, between which products only rise.
 */
interface Reciprocal {
  readonly inverse: number
  readonly short: boolean
}
const reciprocals = new Map<string, Reciprocal | undefined>()
const reciprocal = (by: number, high: number): Reciprocal | undefined => {
  const key = `${by} ${high}`
  if (reciprocals.has(key)) return reciprocals.get(key)
  const nearest = Math.fround(1 / by)
  const quotients = Math.floor(high / by)
  const holds = ({ inverse, short }: Reciprocal): boolean => {
    for (let q = 0; q <= quotients; q++) {
      const last = Math.min(high, q * by + by - 1)
      if (Math.fround(q * by * inverse) < q - (short ? 1 : 0) || Math.fround(last * inverse) >= q + 1) return false
    }
    return true
  }
  const above = Math.fround(nearest * (1 + 2 ** -23))
  const below = Math.fround(nearest * (1 - 2 ** -23))
  const exact = [nearest, above].map((inverse) => ({ inverse, short: false }))
  const oneLess = [nearest, below].map((inverse) => ({ inverse, short: true }))
  const found = quotients > 65536 ? undefined : [...exact, ...oneLess].find(holds)
  reciprocals.set(key, found)
  return found
}

const atomFloats = (e: Emitter, atom: Lin.Atom, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  const asIntegers = () => atomLanes(e, atom, scope).map(f32x4.convertI32x4S)
  if (atom._tag === "Times" && isNatural(atom.a) && isNatural(atom.b) && atom.high <= 2 ** 24) {
    const [a, b] = [floatLanes(e, atom.a, scope), floatLanes(e, atom.b, scope)]
    return a.map((x, j) => f32x4.mul(x, b[j] ?? x))
  }
  if ((atom._tag !== "Div" && atom._tag !== "Mod") || !isNatural(atom.a)) return asIntegers()
  const by = reciprocal(atom.by, atom.a.high)
  if (by === undefined) return asIntegers()
  return floatLanes(e, atom.a, scope).map((x) => {
    const divisor = f32x4.const(atom.by)
    const quotient = keep(e, scope, f32x4.floor(f32x4.mul(x, f32x4.const(by.inverse))))
    if (!by.short && atom._tag === "Div") return quotient
    const remainder = keep(e, scope, f32x4.sub(x, f32x4.mul(quotient, divisor)))
    if (!by.short) return remainder
    const one = f32x4.ge(remainder, divisor)
    return atom._tag === "Div"
      ? f32x4.add(quotient, v128.and(one, f32x4.const(1)))
      : f32x4.sub(remainder, v128.and(one, divisor))
  })
}

const floatLanes = (e: Emitter, l: Lin.Lin, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  const { lanes } = scope
  if (lanes === undefined) throw new Error("no axis is in lanes")
  const key = `float ${l.key}`
  const before = lookup(scope, "vectors", key)
  if (before !== undefined) return before
  const place = home(scope, l.deps)
  const hidden = l.terms.filter((t) => t.atom._tag !== "Axis" && t.atom.deps.has(lanes.axis))
  const plain = Lin.make(
    l.constant,
    l.terms.filter((t) => !hidden.includes(t)),
  )
  const parts = hidden.map((t) => ({ by: t.coefficient, lanes: atomFloats(e, t.atom, place) }))
  const start = plain.terms.length === 0 && plain.constant === 0 ? undefined : plainFloats(e, plain, place)
  const values = widths(lanes).map((j) => {
    const terms = parts.flatMap(({ by, lanes: all }) => {
      const x = all[j]
      return x === undefined ? [] : [by === 1 ? x : f32x4.mul(x, f32x4.const(by))]
    })
    const first = start?.[j]
    const [head = f32x4.const(0), ...rest] = first === undefined ? terms : [first, ...terms]
    return keep(e, place, rest.reduce(f32x4.add, head))
  })
  place.vectors.set(key, values)
  return values
}

const plainFloats = (e: Emitter, l: Lin.Lin, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  const { lanes } = scope
  if (lanes === undefined || l.deps.has(lanes.axis)) return intLanes(e, l, scope).map(f32x4.convertI32x4S)
  const key = `float splat ${l.key}`
  const place = home(scope, l.deps)
  const known = lookup(scope, "vectors", key)?.[0]
  const all = known ?? keep(e, place, f32x4.splat(f32.convertI32S(intAt(e, l, place))))
  if (known === undefined) place.vectors.set(key, [all])
  return widths(lanes).map(() => all)
}

/** an integer that depends on the axis in lanes as floats */
export const numberLanes = (e: Emitter, l: Lin.Lin, scope: Scope): ReadonlyArray<Expr<"v128">> =>
  isNatural(l) ? floatLanes(e, l, scope) : intLanes(e, l, scope).map(f32x4.convertI32x4S)
