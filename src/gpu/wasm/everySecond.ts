/**
 * Vectors of every second element along the axis in lanes. Whole vectors are loaded, and computed with as far as that is
 * the same for neighbours; then they are taken apart. What is taken from the same vectors shares them.
 */
import { type Expr, v128 } from "./Assembler.ts"
import type { Node } from "./Flat.ts"
import * as Lin from "./Lin.ts"
import type { Truths } from "./regions.ts"
import { addressAt, type Emitter, keep, type Lanes, lookup, type Scope, truth } from "./Scope.ts"

type V = Expr<"v128">
type Load = Node & { readonly _tag: "Load" }
export type Operation = Node & { readonly _tag: "Unary" | "Binary" }

/** a vector of an operation from those of its parts */
type Apply = (node: Operation, a: V, b: V) => V

/** loads so near to each other find what they need in the same vectors; and so many of them at most */
const near = 16

const simple = (node: Operation): boolean =>
  node._tag === "Unary" ? node.op === "neg" || node.op === "abs" : node.op !== "div" && node.op !== "pow"

interface Tree {
  readonly loads: ReadonlyArray<Load>
  readonly operations: number
}

/** the branch that comes, where that is known */
const chosen = (node: Node, truths: Truths): Node => {
  const comes = node._tag === "Select" ? truth(node.condition, truths) : undefined
  return node._tag === "Select" && comes !== undefined ? chosen(comes ? node.a : node.b, truths) : node
}

/** what is known of the values in some lanes */
const known = new WeakMap<Lanes, Map<Node, Tree | undefined>>()

/** the loads of a value that steps by two along the axis in lanes; nothing for any other */
const treeOf = (node: Node, lanes: Lanes, truths: Truths): Tree | undefined => {
  const trees = known.get(lanes) ?? new Map<Node, Tree | undefined>()
  known.set(lanes, trees)
  const visit = (given: Node): Tree | undefined => {
    const part = chosen(given, truths)
    if (!part.deps.has(lanes.axis)) return { loads: [], operations: 0 }
    if (!trees.has(part)) trees.set(part, look(part))
    return trees.get(part)
  }
  const look = (part: Node): Tree | undefined => {
    switch (part._tag) {
      case "Load": {
        const plain = !part.clamp && !Lin.hides(part.at, lanes.axis) && Lin.coefficientOf(part.at, lanes.axis) === 2
        return plain ? { loads: [part], operations: 0 } : undefined
      }
      case "Unary":
      case "Binary": {
        const a = simple(part) ? visit(part.a) : undefined
        const b = part._tag === "Binary" && a !== undefined ? visit(part.b) : a
        if (a === undefined || b === undefined) return undefined
        const loads = [...new Set([...a.loads, ...b.loads])]
        return loads.length > near ? undefined : { loads, operations: a.operations + (a === b ? 0 : b.operations) + 1 }
      }
      default:
        return undefined
    }
  }
  return visit(node)
}

/** whether it is better to compute with whole vectors, twice as many, than to take each load apart */
const worthwhile = ({ loads, operations }: Tree): boolean =>
  operations <= loads.length &&
  loads.every((x, i) =>
    loads.slice(0, i).every((y) => {
      const apart = Lin.sub(x.at, y.at)
      return x.input !== y.input || apart.terms.length > 0 || Math.abs(apart.constant) >= near
    }),
  )

/** what is computed, with every load so many elements further */
const keyOf = (given: Node, further: number, scope: Scope): string => {
  const node = chosen(given, scope.truths)
  if (!node.deps.has(scope.lanes?.axis ?? -1)) return `${node.id}`
  switch (node._tag) {
    case "Load":
      return `l${node.input} ${Lin.add(node.at, Lin.int(further)).key}`
    case "Unary":
      return `${node.op}(${keyOf(node.a, further, scope)})`
    case "Binary":
      return `${node.op}(${keyOf(node.a, further, scope)},${keyOf(node.b, further, scope)})`
    default:
      return `${node.id}`
  }
}

const keyOfVector = (node: Node, further: number, j: number, scope: Scope): string =>
  `neighbours ${j} ${keyOf(node, further, scope)}`

/** The value in lanes that take every second element of its loads; nothing where it is not of that kind. */
export const everySecond = (e: Emitter, node: Node, scope: Scope, apply: Apply): ReadonlyArray<V> | undefined => {
  const tree = scope.lanes && treeOf(node, scope.lanes, scope.truths)
  if (tree === undefined || tree.loads.length === 0 || !worthwhile(tree)) return undefined

  /** the `j`-th vector of all neighbours, with every load so many elements further */
  const neighbours = (given: Node, further: number, j: number): V => {
    const part = chosen(given, scope.truths)
    if (!part.deps.has(scope.lanes?.axis ?? -1)) return e.vector(part, scope)[0] ?? e.zero
    const key = keyOfVector(part, further, j, scope)
    const before = lookup(scope, "vectors", key)?.[0]
    if (before !== undefined) return before
    const made = keep(e, scope, whole(part, further, j))
    scope.vectors.set(key, [made])
    return made
  }
  const whole = (part: Node, further: number, j: number): V => {
    if (part._tag === "Load") {
      const { address, offset } = addressAt(e, part.input, Lin.add(part.at, Lin.int(further)), scope)
      return v128.load(address, offset + 16 * j)
    }
    if (part._tag !== "Unary" && part._tag !== "Binary") throw new Error(`no neighbours of ${part._tag}`)
    const a = neighbours(part.a, further, j)
    return apply(part, a, part._tag === "Binary" ? neighbours(part.b, further, j) : a)
  }

  // what begins a little earlier, and is there already, has nearly all of it
  const distances = Array.from({ length: tree.operations === 0 ? 2 : near }, (_, i) => i)
  const back = distances.find((i) => lookup(scope, "vectors", keyOfVector(node, -i, 0, scope)) !== undefined) ?? 0
  const [phase, skipped] = [back % 2, Math.floor(back / 2)]
  const vector = (j: number) => neighbours(node, -back, j)
  const taken = (from: number): V => {
    const key = `every second ${phase} ${keyOfVector(node, -back, from, scope)}`
    const before = lookup(scope, "vectors", key)?.[0]
    if (before !== undefined) return before
    const made = keep(
      e,
      scope,
      v128.shuffle32(vector(from), vector(from + 1), phase === 0 ? [0, 2, 4, 6] : [1, 3, 5, 7]),
    )
    scope.vectors.set(key, [made])
    return made
  }
  return Array.from({ length: scope.lanes?.width ?? 1 }, (_, j) => {
    const from = 2 * j + Math.floor(skipped / 2)
    if (skipped % 2 === 0) return taken(from)
    return v128.shuffle32(taken(from), vector(from + 2), phase === 0 ? [1, 2, 3, 4] : [1, 2, 3, 5])
  })
}
