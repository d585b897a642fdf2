/**
 * Code for reductions. Sums are of partial sums, of at most a few hundred terms each, in an order that depends on shapes
 * alone; a thread never gets a part of one.
 */
import * as Wasm from "./Assembler.ts"
import { type Expr, f32, f32x4, i32, i32x4, type Local, type Statement, v128 } from "./Assembler.ts"
import type { Node } from "./Flat.ts"
import * as Lin from "./Lin.ts"
import { child, type Emitter, intAt, keep, round, type Scope, variable } from "./Scope.ts"
import { max } from "./vectorMath.ts"

type Reduce = Node & { readonly _tag: "Reduce" }

/** how the elements of a reduction meet vectors: not at all, in the lanes of another axis, or in its own lanes */
type Manner = "scalar" | "vector" | "own"

interface Totals {
  readonly vectors: ReadonlyArray<Local<"v128">>
  readonly scalars: ReadonlyArray<Local<"f32">>
}

/** vectors summed side by side where a reduction runs along its own lanes */
const abreast = 4
/** terms that one partial sum takes from one axis */
const block = 256

const weight = (node: Node, seen = new Set<Node>()): number => {
  if (seen.has(node)) return 0
  seen.add(node)
  switch (node._tag) {
    case "Unary":
      return weight(node.a, seen) + 1
    case "Binary":
      return weight(node.a, seen) + weight(node.b, seen) + 1
    case "Select":
      return weight(node.a, seen) + weight(node.b, seen) + 3
    case "Reduce":
      return weight(node.body, seen) + 8
    default:
      return 1
  }
}

/** whether a reduction by itself is worth vectors along its innermost axis */
export const runsAlong = (node: Reduce): boolean => node.op !== "argmax" && (node.axes.at(-1)?.extent ?? 0) >= 8

const reduceSteps = (e: Emitter, node: Reduce, scope: Scope, manner: Manner): Totals => {
  const { axes, op } = node
  const start = op === "sum" ? 0 : -Infinity
  const joinVectors = op === "sum" ? f32x4.add : max
  const joinScalars = op === "sum" ? f32.add : f32.max
  const width = weight(node.body) <= 24 ? abreast : 1
  const shape =
    manner === "scalar"
      ? { vectors: 0, scalars: 1 }
      : manner === "vector"
        ? { vectors: scope.lanes?.width ?? 1, scalars: 0 }
        : { vectors: width, scalars: 1 }

  const fresh = (into: Scope): Totals => {
    const totals = {
      vectors: Array.from({ length: shape.vectors }, () => variable(e, into, "v128")),
      scalars: Array.from({ length: shape.scalars }, () => e.local("f32")),
    }
    into.statements.push(
      ...totals.vectors.map((t) => Wasm.set(t, f32x4.const(start))),
      ...totals.scalars.map((t) => Wasm.set(t, f32.const(start))),
    )
    return totals
  }
  const join = (
    into: Scope,
    totals: Totals,
    vectors: ReadonlyArray<Expr<"v128">>,
    scalars: ReadonlyArray<Expr<"f32">>,
  ) =>
    into.statements.push(
      ...vectors.map((x, j) => joined(totals.vectors[j], x, joinVectors)),
      ...scalars.map((x, j) => joined(totals.scalars[j], x, joinScalars)),
    )

  /** the innermost axis in lanes: `width` vectors at a time, then one, then single elements */
  const along = (axis: number, from: Expr<"i32">, to: Expr<"i32">, extent: number, into: Scope, totals: Totals) => {
    const i = e.local("i32")
    into.statements.push(Wasm.set(i, from))
    const rounds = (vectors: number) => {
      const inside = child(into, [[axis, i]], vectors === 0 ? undefined : { axis, width: vectors })
      if (vectors === 0) join(inside, totals, [], [e.scalar(node.body, inside)])
      else join(inside, totals, e.vector(node.body, inside), [])
      const step = vectors === 0 ? 1 : 4 * vectors
      inside.statements.push(Wasm.increase(i, step))
      into.statements.push(Wasm.whileLoop(i32.leS(i32.add(i, step), to), () => round(e, inside)))
    }
    if (extent >= 4 * width) rounds(width)
    if (width > 1 && extent % (4 * width) >= 4) rounds(1)
    if (extent % 4 > 0) rounds(0)
  }

  const walk = (k: number, into: Scope, totals: Totals): void => {
    const axis = axes[k]
    if (axis === undefined) {
      join(
        into,
        totals,
        manner === "vector" ? e.vector(node.body, into) : [],
        manner === "vector" ? [] : [e.scalar(node.body, into)],
      )
      return
    }
    const last = k === axes.length - 1
    const terms = axes.slice(k + 1).reduce((n, a) => n * a.extent, 1)
    const range = (from: Expr<"i32">, to: Expr<"i32">, inside: Scope, sums: Totals) => {
      if (last && manner === "own") return along(axis.axis, from, to, axis.extent, inside, sums)
      const i = e.local("i32")
      const body = child(inside, [[axis.axis, i]])
      if (op === "sum" && terms > 64) {
        const partial = fresh(body)
        walk(k + 1, body, partial)
        join(body, sums, partial.vectors, partial.scalars)
      } else walk(k + 1, body, sums)
      inside.statements.push(Wasm.forRange(i, from, to, 1, () => round(e, body)))
    }
    // blocks of blocks where there are very many
    const unit = block * (last && manner === "own" ? 4 * width : 1)
    const blocks = (size: number, from: Expr<"i32">, to: Expr<"i32">, inside: Scope, sums: Totals): void => {
      if (size < unit) return range(from, to, inside, sums)
      const b = e.local("i32")
      const body = child(inside)
      const end = keep(e, body, i32.add(b, size))
      body.statements.push(Wasm.set(end, Wasm.select(i32.ltS(end, to), end, to as Expr<"i32">)))
      const partial = fresh(body)
      blocks(size / block, b, end, body, partial)
      join(body, sums, partial.vectors, partial.scalars)
      inside.statements.push(Wasm.forRange(b, from, to, size, () => round(e, body)))
    }
    const depth =
      op !== "sum" || axis.extent <= 2 * unit ? -1 : Math.floor(Math.log(axis.extent / unit) / Math.log(block))
    blocks(depth < 0 ? 0 : unit * block ** depth, i32.const(0), i32.const(axis.extent), into, totals)
  }

  const totals = fresh(scope)
  walk(0, scope, totals)
  return totals
}

const joined = <T extends "f32" | "v128">(
  total: Local<T> | undefined,
  x: Expr<T>,
  op: (a: Expr<T>, b: Expr<T>) => Expr<T>,
): Statement => (total === undefined ? Wasm.seq() : Wasm.set<T>(total, op(total, x)))

/** the position of a reduction's current element, in row-major order */
const position = (node: Reduce): Lin.Lin =>
  node.axes.reduce((at, a) => Lin.add(Lin.scale(at, a.extent), Lin.axis(a.axis, a.extent)), Lin.int(0))

const nest = (e: Emitter, node: Reduce, scope: Scope, body: (inside: Scope) => void): void => {
  const enter = (k: number, into: Scope): void => {
    const axis = node.axes[k]
    if (axis === undefined) return body(into)
    const i = e.local("i32")
    const inside = child(into, [[axis.axis, i]])
    enter(k + 1, inside)
    into.statements.push(Wasm.forRange(i, 0, axis.extent, 1, () => round(e, inside)))
  }
  enter(0, scope)
}

export const reduceScalar = (e: Emitter, node: Reduce, scope: Scope): Expr<"f32"> => {
  if (node.op === "argmax") {
    const best = keep(e, scope, f32.const(-Infinity))
    const place = keep(e, scope, i32.const(0))
    nest(e, node, scope, (inside) => {
      const x = e.scalar(node.body, inside)
      const newNaN = i32.and(f32.ne(x, x), f32.eq(best, best))
      const wins = keep(e, inside, i32.or(f32.gt(x, best), newNaN))
      inside.statements.push(
        Wasm.set(best, Wasm.select(wins, x, best)),
        Wasm.set(place, Wasm.select(wins, intAt(e, position(node), inside), place)),
      )
    })
    return f32.convertI32S(place)
  }
  const totals = reduceSteps(e, node, scope, runsAlong(node) ? "own" : "scalar")
  const joinVectors = node.op === "sum" ? f32x4.add : f32x4.max
  const joinScalars = node.op === "sum" ? f32.add : f32.max
  const rest = totals.scalars[0] ?? f32.const(0)
  const pairs = (vectors: ReadonlyArray<Expr<"v128">>): ReadonlyArray<Expr<"v128">> =>
    vectors.length <= 1
      ? vectors
      : pairs(
          vectors.flatMap((x, j) => {
            const next = vectors[j + 1]
            return j % 2 === 1 ? [] : [next === undefined ? x : joinVectors(x, next)]
          }),
        )
  const [vector] = pairs(totals.vectors)
  if (vector === undefined) return rest
  const whole = keep(e, scope, vector)
  const lane = (n: 0 | 1 | 2 | 3) => f32x4.extractLane(n, whole)
  return joinScalars(joinScalars(joinScalars(lane(0), lane(1)), joinScalars(lane(2), lane(3))), rest)
}

/** a reduction that depends on the axis in lanes: its own axes are walked one element at a time */
export const reduceVector = (e: Emitter, node: Reduce, scope: Scope): ReadonlyArray<Expr<"v128">> => {
  if (node.op !== "argmax") return reduceSteps(e, node, scope, "vector").vectors
  const width = scope.lanes?.width ?? 1
  const best = Array.from({ length: width }, () => keep(e, scope, f32x4.const(-Infinity)))
  const place = Array.from({ length: width }, () => keep(e, scope, i32x4.const(0)))
  nest(e, node, scope, (inside) => {
    const here = keep(e, inside, i32x4.splat(intAt(e, position(node), inside)))
    e.vector(node.body, inside).forEach((x, j) => {
      const [b, p] = [best[j], place[j]]
      if (b === undefined || p === undefined) return
      const newNaN = v128.and(f32x4.ne(x, x), f32x4.eq(b, b))
      const wins = keep(e, inside, v128.or(f32x4.gt(x, b), newNaN))
      inside.statements.push(Wasm.set(b, v128.bitselect(x, b, wins)), Wasm.set(p, v128.bitselect(here, p, wins)))
    })
  })
  return place.map(f32x4.convertI32x4S)
}
