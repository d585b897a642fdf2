/**
 * A kernel made ready for code: every load has one flat index, axes of one element are gone and axes that are always
 * walked together are one, short reductions are written out, and equal parts are the same object.
 */
import { forEachPart } from "../expression.ts"
import type * as K from "../Kernel.ts"
import * as Lin from "./Lin.ts"

export type Node = (
  | { readonly _tag: "Const"; readonly value: number }
  /** `clamp`: an index that is out of range somewhere could leave the memory, and is pulled back */
  | { readonly _tag: "Load"; readonly input: number; readonly at: Lin.Lin; readonly clamp: boolean }
  | { readonly _tag: "ToFloat"; readonly index: Lin.Lin }
  | { readonly _tag: "Unary"; readonly op: K.UnaryOp; readonly a: Node }
  | { readonly _tag: "Binary"; readonly op: K.BinaryOp; readonly a: Node; readonly b: Node }
  | { readonly _tag: "Select"; readonly condition: Test; readonly a: Node; readonly b: Node }
  | {
      readonly _tag: "Reduce"
      readonly op: K.ReduceOp
      readonly axes: ReadonlyArray<K.ReduceAxis>
      readonly body: Node
    }
) &
  Known

export type Test = (
  | { readonly _tag: "Always" | "Never" }
  /** `index op 0` */
  | { readonly _tag: "CompareIndex"; readonly op: K.Comparison; readonly index: Lin.Lin }
  | { readonly _tag: "Compare"; readonly op: K.Comparison; readonly a: Node; readonly b: Node }
  | { readonly _tag: "And" | "Or"; readonly a: Test; readonly b: Test }
  | { readonly _tag: "Not"; readonly a: Test }
  | { readonly _tag: "IsNaN"; readonly a: Node }
) &
  Known

interface Known {
  readonly id: number
  readonly deps: ReadonlySet<number>
}

export interface FlatKernel {
  readonly name: string
  /** the last axis takes steps of `phases` points; its last step may stand for fewer */
  readonly space: ReadonlyArray<K.ReduceAxis>
  /** neighbouring points of the last axis that one step of it computes */
  readonly phases: number
  /** the points of the last axis */
  readonly row: number
  /** the flat index of a step's first point */
  readonly point: Lin.Lin
  /** the axes that were taken into those outside them, by their numbers in the kernel */
  readonly merges: ReadonlySet<number>
  /** elements of each input */
  readonly sizes: ReadonlyArray<number>
  /** for each output the value at each of the `phases` points */
  readonly stores: ReadonlyArray<ReadonlyArray<Node>>
  /** the nodes, parts before wholes */
  readonly nodes: ReadonlyArray<Node>
}

/** bytes before and behind everything allocated, in which a load that will not be used may fall */
export const guardBytes = 65536

/** so many elements of a reduction are written out at most, where it has several axes and where it has one */
const unrolled = { window: 25, row: 16 }

/** whether a reduction over so many elements along each of its axes is written out */
export const isWrittenOut = (extents: ReadonlyArray<number>): boolean => {
  const total = extents.reduce((n, extent) => n * extent, 1)
  const axes = extents.filter((extent) => extent > 1).length
  return total > 0 && total <= (axes > 1 ? unrolled.window : unrolled.row)
}

type Bare<T> = T extends unknown ? Omit<T, "id" | "deps"> : never

/** an axis of the original kernel in terms of the new axes */
type Environment = ReadonlyMap<number, Lin.Lin>

const build = (
  kernel: K.Kernel,
  merges: FlatKernel["merges"],
  phases = 1,
): FlatKernel & { readonly leftover: boolean } => {
  const table = new Map<string, Node | Test>()
  const nodes: Array<Node> = []
  let leftover = false
  let places = false
  forEachPart(kernel.stores, (v) => {
    if (v._tag === "Reduce" && v.op === "argmax") places = true
  })

  const intern = <T extends Node | Test>(key: string, deps: ReadonlyArray<ReadonlySet<number>>, bare: Bare<T>): T => {
    const before = table.get(key)
    if (before !== undefined) return before as T // the key begins with the tag
    const made = { ...bare, id: table.size, deps: Lin.union(deps) } as Node | Test
    table.set(key, made)
    return made as T // `bare` is T without what was just added
  }
  const node = (key: string, deps: ReadonlyArray<ReadonlySet<number>>, bare: Bare<Node>): Node => {
    const known = table.has(key)
    const made = intern<Node>(key, deps, bare)
    if (!known) nodes.push(made)
    return made
  }
  const constant = (value: number): Node =>
    node(`c${Object.is(value, -0) ? "-0" : value}`, [], { _tag: "Const", value })
  const always = intern<Test>("always", [], { _tag: "Always" })
  const never = intern<Test>("never", [], { _tag: "Never" })

  const unary = (op: K.UnaryOp, a: Node): Node => node(`u${op} ${a.id}`, [a.deps], { _tag: "Unary", op, a })
  const binary = (op: K.BinaryOp, a: Node, b: Node): Node => {
    if (op === "pow" && b._tag === "Const") {
      if (b.value === 2) return binary("mul", a, a)
      if (b.value === 1) return a
      if (b.value === 0) return constant(1)
      if (b.value === -1) return binary("div", constant(1), a)
    }
    return node(`b${op} ${a.id} ${b.id}`, [a.deps, b.deps], { _tag: "Binary", op, a, b })
  }
  const select = (condition: Test, a: Node, b: Node): Node =>
    condition._tag === "Always" || a === b
      ? a
      : condition._tag === "Never"
        ? b
        : node(`s ${condition.id} ${a.id} ${b.id}`, [condition.deps, a.deps, b.deps], {
            _tag: "Select",
            condition,
            a,
            b,
          })

  const not = (a: Test): Test =>
    a._tag === "Always" ? never : a._tag === "Never" ? always : intern(`!${a.id}`, [a.deps], { _tag: "Not", a })
  const both = (tag: "And" | "Or", a: Test, b: Test): Test => {
    const [unit, zero] = tag === "And" ? (["Always", "Never"] as const) : (["Never", "Always"] as const)
    if (a._tag === unit || b._tag === zero) return b
    if (b._tag === unit || a._tag === zero) return a
    return intern(`${tag} ${a.id} ${b.id}`, [a.deps, b.deps], { _tag: tag, a, b })
  }
  const compare = (op: K.Comparison, a: Node, b: Node): Test =>
    intern(`f${op} ${a.id} ${b.id}`, [a.deps, b.deps], { _tag: "Compare", op, a, b })
  const isNaN = (a: Node): Test => intern(`nan ${a.id}`, [a.deps], { _tag: "IsNaN", a })
  const compareIndex = (op: K.Comparison, index: Lin.Lin): Test => {
    const { low, high } = index
    const sure: Record<K.Comparison, readonly [yes: boolean, no: boolean]> = {
      lt: [high < 0, low >= 0],
      le: [high <= 0, low > 0],
      gt: [low > 0, high <= 0],
      ge: [low >= 0, high < 0],
      eq: [low === 0 && high === 0, low > 0 || high < 0],
      ne: [low > 0 || high < 0, low === 0 && high === 0],
    }
    const [yes, no] = sure[op]
    if (yes || no) return yes ? always : never
    return intern(`i${op} ${index.key}`, [index.deps], { _tag: "CompareIndex", op, index })
  }

  // a division that merging two axes brought in, and that did not cancel
  const merged = new Map<number, ReadonlySet<number>>()
  const divides = ({ atom }: Lin.Term): boolean => {
    if (atom._tag === "Div" || atom._tag === "Mod") {
      const [only] = atom.a.terms
      const whole = atom.a.constant === 0 && atom.a.terms.length === 1 && only?.coefficient === 1
      if (whole && only.atom._tag === "Axis" && merged.get(only.atom.axis)?.has(atom.by) === true) return true
      return atom.a.terms.some(divides)
    }
    const parts = atom._tag === "Min" || atom._tag === "Max" || atom._tag === "Times" ? [atom.a, atom.b] : []
    return parts.some((l) => l.terms.some(divides))
  }
  const seen = (l: Lin.Lin): Lin.Lin => {
    if (l.terms.some(divides)) leftover = true
    return l
  }

  const toLin = (i: K.Index, env: Environment): Lin.Lin => {
    switch (i._tag) {
      case "Int":
        return Lin.int(i.value)
      case "Axis":
        return env.get(i.axis) ?? Lin.int(0)
      case "ToIndex":
        return Lin.toIndex(value(i.value, env))
      case "IndexBinary": {
        const [a, b] = [toLin(i.a, env), toLin(i.b, env)]
        switch (i.op) {
          case "add":
            return Lin.add(a, b)
          case "sub":
            return Lin.sub(a, b)
          case "mul":
            return Lin.multiply(a, b)
          case "div":
            return Lin.divide(a, b.constant)
          case "mod":
            return Lin.modulo(a, b.constant)
          case "min":
            return Lin.minimum(a, b)
          case "max":
            return Lin.maximum(a, b)
        }
      }
    }
  }

  const test = (c: K.Condition, env: Environment): Test => {
    switch (c._tag) {
      case "CompareIndex":
        return compareIndex(c.op, seen(Lin.sub(toLin(c.a, env), toLin(c.b, env))))
      case "Compare":
        return compare(c.op, value(c.a, env), value(c.b, env))
      case "And":
      case "Or":
        return both(c._tag, test(c.a, env), test(c.b, env))
      case "Not":
        return not(test(c.a, env))
      case "IsNaN":
        return isNaN(value(c.a, env))
    }
  }

  const load = (v: K.Value & { readonly _tag: "Load" }, env: Environment): Node => {
    const shape = kernel.inputs[v.input] ?? []
    const size = shape.reduce((n, d) => n * d, 1)
    const at = v.at.map((i) => toLin(i, env))
    const flat = seen(at.reduce((sum, i, d) => Lin.add(Lin.scale(sum, shape[d] ?? 1), i), Lin.int(0)))
    const inside = at.every((i, d) => i.low >= 0 && i.high < (shape[d] ?? 1))
    const near = flat.low * 4 >= 4096 - guardBytes && (flat.high - size) * 4 <= guardBytes - 4096
    const clamp = !inside && !near
    return node(`l${v.input} ${flat.key} ${clamp}`, [flat.deps], { _tag: "Load", input: v.input, at: flat, clamp })
  }

  const reduce = (v: K.Reduce, env: Environment): Node => {
    const total = v.axes.reduce((n, a) => n * a.extent, 1)
    if (isWrittenOut(v.axes.map((a) => a.extent))) {
      const extended = new Map(env)
      const elements = Array.from({ length: total }, (_, position) => {
        let rest = position
        for (const a of v.axes.toReversed()) {
          extended.set(a.axis, Lin.int(rest % a.extent))
          rest = Math.floor(rest / a.extent)
        }
        return value(v.body, new Map(extended))
      })
      const fold = (op: K.BinaryOp, all: ReadonlyArray<Node>): Node =>
        all.length === 0 ? constant(0) : all.reduce((a, b) => binary(op, a, b))
      /** columns first: those of neighbouring windows are the same, or neighbours */
      const inColumns = (op: K.BinaryOp): Node => {
        const width = v.axes.at(-1)?.extent ?? 1
        return fold(
          op,
          Array.from({ length: width }, (_, x) =>
            fold(
              op,
              elements.filter((_, i) => i % width === x),
            ),
          ),
        )
      }
      if (v.op === "sum") return inColumns("add")
      if (v.op === "max" && !places) return inColumns("max")
      // a maximum and its position share what they compare; a later position is the larger number
      let [best, position] = [elements[0] ?? constant(0), constant(0)]
      elements.slice(1).forEach((e, i) => {
        const wins = both("And", not(compare("le", e, best)), not(isNaN(best)))
        position = binary("max", position, select(wins, constant(i + 1), constant(0)))
        best = binary("max", best, e)
      })
      return v.op === "max" ? best : position
    }
    const extended = new Map(env)
    const axes = mergeAxes(v.axes, merges, extended, merged)
    const body = value(v.body, extended)
    const deps = new Set([...body.deps].filter((a) => !axes.some((x) => x.axis === a)))
    const key = `r${v.op} ${axes.map((a) => `${a.axis}:${a.extent}`)} ${body.id}`
    return node(key, [deps], { _tag: "Reduce", op: v.op, axes, body })
  }

  // kernels share parts: each is read once for each place of the axes around it
  const read = new Map<Environment, Map<K.Value, Node>>()
  const value = (v: K.Value, env: Environment): Node => {
    const known = read.get(env) ?? new Map<K.Value, Node>()
    read.set(env, known)
    const made = known.get(v) ?? fresh(v, env)
    known.set(v, made)
    return made
  }
  const fresh = (v: K.Value, env: Environment): Node => {
    switch (v._tag) {
      case "Const":
        return constant(Math.fround(v.value))
      case "Load":
        return load(v, env)
      case "ToFloat": {
        const index = seen(toLin(v.index, env))
        return index.terms.length === 0
          ? constant(Math.fround(index.constant))
          : node(`i ${index.key}`, [index.deps], { _tag: "ToFloat", index })
      }
      case "Unary":
        return unary(v.op, value(v.a, env))
      case "Binary":
        return binary(v.op, value(v.a, env), value(v.b, env))
      case "Select":
        return select(test(v.condition, env), value(v.a, env), value(v.b, env))
      case "Reduce":
        return reduce(v, env)
    }
  }

  const original = kernel.space.map((extent, axis) => ({ axis, extent }))
  const envs = Array.from({ length: phases }, () => new Map<number, Lin.Lin>())
  const [whole = []] = envs.map((env, phase) => mergeAxes(original, merges, env, merged, { phases, phase }))
  const last = whole.at(-1)
  const row = last?.extent ?? 1
  const space = last === undefined ? whole : [...whole.slice(0, -1), { ...last, extent: Math.ceil(row / phases) }]
  const outer = space
    .slice(0, -1)
    .reduce((at, a) => Lin.add(Lin.scale(at, a.extent), Lin.axis(a.axis, a.extent)), Lin.int(0))
  const along = last === undefined ? Lin.int(0) : Lin.axis(last.axis, Math.ceil(row / phases))
  return {
    name: kernel.name,
    space,
    phases,
    row,
    merges,
    point: Lin.add(Lin.scale(outer, row), Lin.scale(along, phases)),
    sizes: kernel.inputs.map((s) => s.reduce((n, d) => n * d, 1)),
    stores: kernel.stores.map((v) => envs.map((env) => value(v, env))),
    nodes,
    leftover,
  }
}

/**
 * The axes that remain: those of one element dropped, and each named in `merges` taken into the one outside it. `env`
 * gets each original axis in terms of them; `merged` the divisors by which a joined axis is taken apart again.
 */
const mergeAxes = (
  axes: ReadonlyArray<K.ReduceAxis>,
  merges: FlatKernel["merges"],
  env: Map<number, Lin.Lin>,
  merged: Map<number, ReadonlySet<number>>,
  { phases, phase } = { phases: 1, phase: 0 },
): ReadonlyArray<K.ReduceAxis> => {
  const groups: Array<Array<K.ReduceAxis>> = []
  for (const a of axes) {
    if (a.extent === 1) {
      env.set(a.axis, Lin.int(0))
      continue
    }
    const last = groups.at(-1)
    if (last !== undefined && merges.has(a.axis)) last.push(a)
    else groups.push([a])
  }
  return groups.map((group, g) => {
    const extent = group.reduce((n, a) => n * a.extent, 1)
    const whole = { axis: group[0]?.axis ?? 0, extent }
    const divisors = new Set<number>()
    const stepped = g === groups.length - 1 ? phases : 1
    const step = Lin.axis(whole.axis, Math.ceil(extent / stepped))
    const position = stepped === 1 ? step : Lin.add(Lin.scale(step, stepped), Lin.int(phase))
    let inner = extent
    for (const a of group) {
      inner = a.extent === 0 ? 0 : inner / a.extent
      divisors.add(inner)
      const quotient = inner === 0 ? Lin.int(0) : Lin.divide(position, inner)
      // the last step may reach beyond the outermost
      env.set(a.axis, a === group[0] ? quotient : Lin.modulo(quotient, a.extent))
    }
    if (group.length > 1) merged.set(whole.axis, divisors)
    return whole
  })
}

/** every axis that has one outside it in the same nest */
const candidates = (kernel: K.Kernel): ReadonlyArray<number> => {
  const found = new Set<number>()
  const add = (axes: ReadonlyArray<K.ReduceAxis>) =>
    axes.filter((a) => a.extent !== 1).forEach((a, i) => (i > 0 ? found.add(a.axis) : undefined))
  add(kernel.space.map((extent, axis) => ({ axis, extent })))
  const visited = new Set<K.Value>()
  const visit = (v: K.Value): void => {
    if (visited.has(v)) return
    visited.add(v)
    if (v._tag === "Reduce") {
      add(v.axes)
      visit(v.body)
    } else if (v._tag === "Unary") visit(v.a)
    else if (v._tag === "Binary" || v._tag === "Select") {
      visit(v.a)
      visit(v.b)
    }
  }
  kernel.stores.forEach(visit)
  return [...found]
}

const mostPhases = 8

/** how far the last axis must move for every division of it in the index of a load to give a whole step */
const strideOf = (flat: FlatKernel): number => {
  const axis = flat.space.at(-1)?.axis ?? -1
  const ofLin = (l: Lin.Lin): number =>
    l.terms.reduce((n, { atom }) => {
      if (atom._tag !== "Div" && atom._tag !== "Mod") return n
      const by = atom.by / greatestDivisor(atom.by, Math.abs(Lin.coefficientOf(atom.a, axis)))
      return leastMultiple(n, leastMultiple(ofLin(atom.a), atom.a.deps.has(axis) ? by : 1))
    }, 1)
  return flat.nodes.reduce((n, v) => (v._tag === "Load" ? leastMultiple(n, ofLin(v.at)) : n), 1)
}
const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b))
const leastMultiple = (a: number, b: number): number => (a * b) / greatestDivisor(a, b)

const gathers = (flat: FlatKernel): number => {
  const axis = flat.space.at(-1)?.axis ?? -1
  return flat.nodes.filter((v) => v._tag === "Load" && Lin.hides(v.at, axis)).length
}

/** The kernel with as few axes as its loads allow; none of those from axis `apart` on is joined with one before it. */
export const flatten = (kernel: K.Kernel, apart = 0): FlatKernel => {
  const inner = kernel.space.findIndex((extent, axis) => axis >= apart && extent !== 1)
  const all = kernel.space.includes(0) ? [] : candidates(kernel).filter((axis) => apart === 0 || axis !== inner)
  const merged = build(kernel, new Set(all))
  if (all.length === 0 || !merged.leftover) return merged
  const merges = all.length === 1 ? [] : all.filter((axis) => !build(kernel, new Set([axis])).leftover)
  return build(kernel, new Set(merges))
}

/** The same with steps of several points along the last axis, where that leaves no division of it in a load's index. */
export const inSteps = (kernel: K.Kernel, flat: FlatKernel): FlatKernel => {
  const stride = strideOf(flat)
  if (stride === 1 || stride > Math.min(mostPhases, flat.row)) return flat
  const stepped = build(kernel, flat.merges, stride)
  return gathers(stepped) === 0 ? stepped : flat
}
