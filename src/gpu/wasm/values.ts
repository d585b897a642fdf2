/** Code for the values of a kernel: one at a time, or four in the lanes of a vector. */
import * as Wasm from "./Assembler.ts"
import { type Expr, f32, f32x4, i32, i32x4, v128 } from "./Assembler.ts"
import type { Comparison } from "../Kernel.ts"
import { everySecond, type Operation } from "./everySecond.ts"
import type { FlatKernel, Node, Test } from "./Flat.ts"
import * as Lin from "./Lin.ts"
import { reduceScalar, reduceVector } from "./reduce.ts"
import {
  addressAt,
  child,
  type Emitter,
  home,
  intAt,
  intLanes,
  keep,
  lookup,
  numberLanes,
  type Scope,
  truth,
  variable,
} from "./Scope.ts"
import * as M from "./vectorMath.ts"

type V = Expr<"v128">
type S = Expr<"f32">

const integerComparison = {
  scalar: { lt: i32.ltS, le: i32.leS, gt: i32.gtS, ge: i32.geS, eq: i32.eq, ne: i32.ne },
  vector: { lt: i32x4.ltS, le: i32x4.leS, gt: i32x4.gtS, ge: i32x4.geS, eq: i32x4.eq, ne: i32x4.ne },
} satisfies Record<"scalar" | "vector", Record<Comparison, unknown>>

const depends = (scope: Scope, deps: ReadonlySet<number>): boolean =>
  scope.lanes !== undefined && deps.has(scope.lanes.axis)

const isZero = (node: Node): boolean => node._tag === "Const" && Object.is(node.value, 0)
const isNumber = (node: Node): boolean =>
  (node._tag === "Const" && !Number.isNaN(node.value)) ||
  node._tag === "ToFloat" ||
  (node._tag === "Select" && isNumber(node.a) && isNumber(node.b))
/** a minimum or maximum with a number: a NaN can only stand on one side, and keeps there without being asked for */
const isBound = (node: Node): boolean =>
  node._tag === "Binary" && (node.op === "min" || node.op === "max") && isNumber(node.b)

/** whether a vector of it takes no longer than to ask whether it is needed */
const isLoaded = (node: Node, scope: Scope): boolean =>
  node._tag === "Const" ||
  (node._tag === "Load" && !node.clamp && !Lin.hides(node.at, scope.lanes?.axis ?? -1)) ||
  (node._tag === "Binary" && node.a === node.b && isLoaded(node.a, scope))

export const makeEmitter = (
  kernel: FlatKernel,
  relaxed: boolean,
  local: Emitter["local"],
  bases: Emitter["bases"],
): Emitter => {
  const e: Emitter = {
    local,
    zero: local("v128"),
    test: (t, scope) => test(t, scope),
    bases,
    scalar: (node, scope) => {
      if (node._tag === "Const") return f32.const(node.value)
      const key = `${node.id}`
      const before = lookup(scope, "scalars", key)
      if (before !== undefined) return before
      const place = home(scope, node.deps)
      const kept = keep(e, place, scalarOf(node, place))
      place.scalars.set(key, kept)
      return kept
    },
    vector: (node, scope) => {
      const width = scope.lanes?.width ?? 1
      const all = (x: V) => Array.from({ length: width }, () => x)
      if (node._tag === "Const") return all(f32x4.const(node.value))
      if (!depends(scope, node.deps)) {
        const key = `splat ${node.id}`
        const before = lookup(scope, "vectors", key)?.[0]
        if (before !== undefined) return all(before)
        const place = home(scope, node.deps)
        const kept = keep(e, place, f32x4.splat(e.scalar(node, place)))
        place.vectors.set(key, [kept])
        return all(kept)
      }
      const key = `${node.id}`
      const before = lookup(scope, "vectors", key)
      if (before !== undefined) return before
      const place = home(scope, node.deps)
      const taken = everySecond(e, node, place, (n, a, b) => operation(n, a, b, arithmetic(place)))
      const kept = (taken ?? vectorOf(node, place)).map((x) => keep(e, place, x))
      place.vectors.set(key, kept)
      return kept
    },
  }
  const size = (input: number) => Math.max(1, kernel.sizes[input] ?? 1)

  // ---------- conditions

  const test = (t: Test, scope: Scope): Expr<"i32"> => {
    const key = `test ${t.id}`
    const before = lookup(scope, "ints", key)
    if (before !== undefined) return before
    const place = home(scope, t.deps)
    const kept = keep(e, place, testOf(t, place))
    place.ints.set(key, kept)
    return kept
  }
  const testOf = (t: Test, scope: Scope): Expr<"i32"> => {
    switch (t._tag) {
      case "Always":
      case "Never":
        return i32.const(t._tag === "Always" ? 1 : 0)
      case "CompareIndex":
        return integerComparison.scalar[t.op](intAt(e, t.index, scope), 0)
      case "Compare":
        return f32[t.op](e.scalar(t.a, scope), e.scalar(t.b, scope))
      case "And":
        return i32.and(test(t.a, scope), test(t.b, scope))
      case "Or":
        return i32.or(test(t.a, scope), test(t.b, scope))
      case "Not":
        return i32.eqz(test(t.a, scope))
      case "IsNaN": {
        const a = e.scalar(t.a, scope)
        return f32.ne(a, a)
      }
    }
  }
  /** what a test denies, where that is cheaper to ask */
  const denied = (t: Test): Test | undefined => (t._tag === "Not" && t.a._tag !== "IsNaN" ? t.a : undefined)
  const mask = (t: Test, scope: Scope): ReadonlyArray<V> => {
    const place = home(scope, t.deps)
    if (!depends(scope, t.deps)) {
      const key = `splat mask ${t.id}`
      const all = lookup(scope, "vectors", key)?.[0] ?? keep(e, place, i32x4.splat(i32.sub(0, test(t, place))))
      if (lookup(scope, "vectors", key) === undefined) place.vectors.set(key, [all])
      return Array.from({ length: scope.lanes?.width ?? 1 }, () => all)
    }
    const key = `mask ${t.id}`
    const before = lookup(scope, "vectors", key)
    if (before !== undefined) return before
    const kept = maskOf(t, place).map((x) => keep(e, place, x))
    place.vectors.set(key, kept)
    return kept
  }
  const maskOf = (t: Test, scope: Scope): ReadonlyArray<V> => {
    const both = (a: ReadonlyArray<V>, b: ReadonlyArray<V>, op: (x: V, y: V) => V) => a.map((x, j) => op(x, b[j] ?? x))
    switch (t._tag) {
      case "Always":
      case "Never":
        return []
      case "CompareIndex":
        return intLanes(e, t.index, scope).map((x) => integerComparison.vector[t.op](x, i32x4.const(0)))
      case "Compare":
        return both(e.vector(t.a, scope), e.vector(t.b, scope), f32x4[t.op])
      case "And": {
        if (truth(t.a, scope.truths) === true) return mask(t.b, scope)
        if (truth(t.b, scope.truths) === true) return mask(t.a, scope)
        const [a, b] = [denied(t.a), denied(t.b)]
        if (b !== undefined) return both(mask(t.a, scope), mask(b, scope), v128.andnot)
        if (a !== undefined) return both(mask(t.b, scope), mask(a, scope), v128.andnot)
        return both(mask(t.a, scope), mask(t.b, scope), v128.and)
      }
      case "Or":
        if (truth(t.a, scope.truths) === false) return mask(t.b, scope)
        if (truth(t.b, scope.truths) === false) return mask(t.a, scope)
        return both(mask(t.a, scope), mask(t.b, scope), v128.or)
      case "Not":
        return t.a._tag === "IsNaN" ? e.vector(t.a.a, scope).map((x) => f32x4.eq(x, x)) : mask(t.a, scope).map(v128.not)
      case "IsNaN":
        return e.vector(t.a, scope).map((x) => f32x4.ne(x, x))
    }
  }

  // ---------- loads

  const clamped = (flat: Expr<"i32">, low: number, high: number, scope: Scope): Expr<"i32"> => {
    const a = keep(e, scope, flat)
    const b = keep(e, scope, Wasm.select(i32.ltS(a, low), i32.const(low), a))
    return Wasm.select(i32.gtS(b, high), i32.const(high), b)
  }
  const elementAddress = (input: number, flat: Expr<"i32">): Expr<"i32"> =>
    i32.add(e.bases[input] ?? i32.const(0), i32.shl(flat, 2))

  const loadScalar = (node: Node & { readonly _tag: "Load" }, scope: Scope): S => {
    if (node.clamp)
      return f32.load(elementAddress(node.input, clamped(intAt(e, node.at, scope), 0, size(node.input) - 1, scope)))
    const { address, offset } = addressAt(e, node.input, node.at, scope)
    return f32.load(address, offset)
  }

  const loadVector = (node: Node & { readonly _tag: "Load" }, scope: Scope): ReadonlyArray<V> => {
    const lanes = scope.lanes ?? { axis: -1, width: 1 }
    const blocks = Array.from({ length: lanes.width }, (_, j) => j)
    const step = Lin.coefficientOf(node.at, lanes.axis)
    const affine = !Lin.hides(node.at, lanes.axis)
    if (affine && node.clamp && step === 1) {
      // a vector with any element in range starts between -3 and the last: moving the others changes nothing that counts
      const flat = keep(e, scope, intAt(e, node.at, scope))
      return blocks.map((j) =>
        v128.load(elementAddress(node.input, clamped(i32.add(flat, 4 * j), -4, size(node.input), scope))),
      )
    }
    if (affine && !node.clamp) {
      const { address, offset } = addressAt(e, node.input, node.at, scope)
      if (step === 1) return blocks.map((j) => v128.load(address, offset + 16 * j))
      if (step > 2)
        return blocks.map((j) => {
          const at = (lane: number) => offset + (4 * j + lane) * step * 4
          return ([1, 2, 3] as const).reduce(
            (x, lane) => v128.load32Lane(lane, address, x, at(lane)),
            v128.load32Zero(address, at(0)),
          )
        })
    }
    const start = keep(e, scope, i32x4.splat(e.bases[node.input] ?? i32.const(0)))
    return intLanes(e, node.at, scope).map((flat) => {
      const inside = node.clamp ? i32x4.minS(i32x4.maxS(flat, i32x4.const(0)), i32x4.const(size(node.input) - 1)) : flat
      const addresses = keep(e, scope, i32x4.add(start, i32x4.shl(inside, 2)))
      return ([1, 2, 3] as const).reduce(
        (x, lane) => v128.load32Lane(lane, i32x4.extractLane(lane, addresses), x),
        v128.load32Zero(i32x4.extractLane(0, addresses)),
      )
    })
  }

  // ---------- everything else

  const arithmetic = (scope: Scope): M.Arithmetic => ({ relaxed, name: (x) => keep(e, scope, x) })
  const operation = (node: Operation, a: V, b: V, m: M.Arithmetic): V => {
    switch (node.op) {
      case "exp":
      case "log":
      case "tanh":
      case "erf":
        return M[node.op](a, m)
      case "neg":
      case "abs":
      case "sqrt":
      case "floor":
        return f32x4[node.op](a)
      case "pow":
        return M.pow(a, b, m)
      case "max":
        return isBound(node) ? f32x4.pmax(a, b) : M.max(a, b)
      case "min":
        return isBound(node) ? f32x4.pmin(a, b) : M.min(a, b)
      default:
        return f32x4[node.op](a, b)
    }
  }
  /** vectors side by side, of which each has the next of its statements in turn */
  const inTurn = (width: number, scope: Scope, vector: (j: number, m: M.Arithmetic) => V): ReadonlyArray<V> => {
    const turns: Array<Array<Wasm.Statement>> = []
    const results = Array.from({ length: width }, (_, j) => {
      let turn = 0
      const name = (x: V): V => {
        const kept = variable(e, scope, "v128")
        const statements = (turns[turn] ??= [])
        statements.push(Wasm.set(kept, x))
        turn++
        return kept
      }
      return vector(j, { relaxed, name })
    })
    scope.statements.push(...turns.flat())
    return results
  }

  const scalarOf = (node: Node, scope: Scope): S => {
    switch (node._tag) {
      case "Const":
        return f32.const(node.value)
      case "Load":
        return loadScalar(node, scope)
      case "ToFloat":
        return f32.convertI32S(intAt(e, node.index, scope))
      case "Unary": {
        const a = e.scalar(node.a, scope)
        if (node.op === "neg" || node.op === "abs" || node.op === "sqrt" || node.op === "floor") return f32[node.op](a)
        const vector = f32x4.splat(a)
        return f32x4.extractLane(0, operation(node, vector, vector, arithmetic(scope)))
      }
      case "Binary": {
        const [a, b] = [e.scalar(node.a, scope), e.scalar(node.b, scope)]
        if (isBound(node)) return Wasm.select(node.op === "max" ? f32.lt(a, b) : f32.gt(a, b), b, a)
        if (node.op !== "pow") return f32[node.op](a, b)
        return f32x4.extractLane(0, operation(node, f32x4.splat(a), f32x4.splat(b), arithmetic(scope)))
      }
      case "Select": {
        const known = truth(node.condition, scope.truths)
        if (known !== undefined) return e.scalar(known ? node.a : node.b, scope)
        const condition = test(node.condition, scope)
        const [yes, no] = [child(scope, [], scope.lanes, false), child(scope, [], scope.lanes, false)]
        const [a, b] = [e.scalar(node.a, yes), e.scalar(node.b, no)]
        if (yes.statements.length === 0 && no.statements.length === 0) return Wasm.select(condition, a, b)
        const result = e.local("f32")
        scope.statements.push(
          Wasm.when(condition, [...yes.statements, Wasm.set(result, a)], [...no.statements, Wasm.set(result, b)]),
        )
        return result
      }
      case "Reduce":
        return reduceScalar(e, node, scope)
    }
  }

  const vectorOf = (node: Node, scope: Scope): ReadonlyArray<V> => {
    switch (node._tag) {
      case "Const":
        return []
      case "Load":
        return loadVector(node, scope)
      case "ToFloat":
        return numberLanes(e, node.index, scope)
      case "Unary":
      case "Binary": {
        const a = e.vector(node.a, scope)
        const b = node._tag === "Binary" ? e.vector(node.b, scope) : a
        return inTurn(a.length, scope, (j, m) => operation(node, a[j] ?? e.zero, b[j] ?? e.zero, m))
      }
      case "Select": {
        const known = truth(node.condition, scope.truths)
        if (known !== undefined) return e.vector(known ? node.a : node.b, scope)
        if (depends(scope, node.condition.deps) || (isLoaded(node.a, scope) && isLoaded(node.b, scope))) {
          const m = mask(node.condition, scope)
          if (isZero(node.b)) return e.vector(node.a, scope).map((a, j) => v128.and(a, m[j] ?? a))
          if (isZero(node.a)) return e.vector(node.b, scope).map((b, j) => v128.andnot(b, m[j] ?? b))
          const [a, b] = [e.vector(node.a, scope), e.vector(node.b, scope)]
          return m.map((x, j) => v128.bitselect(a[j] ?? x, b[j] ?? x, x))
        }
        const condition = test(node.condition, scope)
        const [yes, no] = [child(scope, [], scope.lanes, false), child(scope, [], scope.lanes, false)]
        const [a, b] = [e.vector(node.a, yes), e.vector(node.b, no)]
        if (yes.statements.length === 0 && no.statements.length === 0)
          return a.map((x, j) => Wasm.select(condition, x, b[j] ?? x))
        const results = a.map(() => variable(e, scope, "v128"))
        const assign = (from: ReadonlyArray<V>) => results.map((r, j) => Wasm.set(r, from[j] ?? r))
        scope.statements.push(Wasm.when(condition, [...yes.statements, ...assign(a)], [...no.statements, ...assign(b)]))
        return results
      }
      case "Reduce":
        return reduceVector(e, node, scope)
    }
  }
  return e
}
