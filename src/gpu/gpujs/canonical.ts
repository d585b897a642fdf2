/** Equal parts of an expression as one object, so that printers compute each once. */
import * as K from "../Kernel.ts"

type Node = K.Value | K.Index | K.Condition

export interface Canonical {
  readonly value: K.Value
  /** how often a node is a direct part of others (a reduction's body is one part) */
  readonly uses: (node: Node) => number
  /** the axes a node depends on, those of its own reductions left out */
  readonly axes: (node: Node) => ReadonlySet<number>
}

const none: ReadonlySet<number> = new Set()

/** the same value, in which nodes of equal structure are one object */
export const canonical = (root: K.Value): Canonical => {
  const byKey = new Map<string, Node>()
  const ids = new Map<Node, number>()
  const uses = new Map<Node, number>()
  const axes = new Map<Node, ReadonlySet<number>>()
  const done = new Map<Node, Node>()

  const union = (of: ReadonlyArray<Node>): ReadonlySet<number> => {
    const sets = of.map((n) => axes.get(n) ?? none).filter((s) => s.size > 0)
    return sets.length === 0 ? none : sets.length === 1 ? (sets[0] ?? none) : new Set(sets.flatMap((s) => [...s]))
  }
  const intern = <N extends Node>(key: string, parts: ReadonlyArray<Node>, make: () => N): N => {
    const full = `${key}(${parts.map((p) => ids.get(p)).join()})`
    const known = byKey.get(full)
    // a key begins with the tag, so what it finds has the type that was asked for
    if (known !== undefined) return known as N
    const node = make()
    byKey.set(full, node)
    ids.set(node, ids.size)
    for (const p of parts) uses.set(p, (uses.get(p) ?? 0) + 1)
    const own = union(parts)
    axes.set(
      node,
      node._tag === "Axis"
        ? new Set([node.axis])
        : node._tag === "Reduce"
          ? new Set([...own].filter((a) => !node.axes.some((r) => r.axis === a)))
          : own,
    )
    return node
  }
  const once = <N extends Node>(node: N, make: () => N): N => {
    const known = done.get(node)
    if (known !== undefined) return known as N // what `make` gave for this very node
    const made = make()
    done.set(node, made)
    return made
  }

  const index = (i: K.Index): K.Index =>
    once(i, () => {
      switch (i._tag) {
        case "Int":
          return intern(`Int ${i.value}`, [], () => i)
        case "Axis":
          return intern(`Axis ${i.axis}`, [], () => i)
        case "ToIndex": {
          const v = value(i.value)
          return intern("ToIndex", [v], () => K.toIndex(v))
        }
        case "IndexBinary": {
          const [a, b] = [index(i.a), index(i.b)]
          return intern(`IndexBinary ${i.op}`, [a, b], () => ({ ...i, a, b }))
        }
      }
    })

  const condition = (c: K.Condition): K.Condition =>
    once(c, (): K.Condition => {
      switch (c._tag) {
        case "CompareIndex": {
          const [a, b] = [index(c.a), index(c.b)]
          return intern(`CompareIndex ${c.op}`, [a, b], () => ({ ...c, a, b }))
        }
        case "Compare": {
          const [a, b] = [value(c.a), value(c.b)]
          return intern(`Compare ${c.op}`, [a, b], () => ({ ...c, a, b }))
        }
        case "And":
        case "Or": {
          const [a, b] = [condition(c.a), condition(c.b)]
          return intern(c._tag, [a, b], () => ({ ...c, a, b }))
        }
        case "Not": {
          const a = condition(c.a)
          return intern("Not", [a], () => K.not(a))
        }
        case "IsNaN": {
          const a = value(c.a)
          return intern("IsNaN", [a], () => K.isNaN(a))
        }
      }
    })

  const value = (v: K.Value): K.Value =>
    once(v, (): K.Value => {
      switch (v._tag) {
        case "Const":
          return intern(`Const ${Object.is(v.value, -0) ? "-0" : v.value}`, [], () => v)
        case "Load": {
          const at = v.at.map(index)
          return intern(`Load ${v.input}`, at, () => K.load(v.input, at))
        }
        case "ToFloat": {
          const i = index(v.index)
          return intern("ToFloat", [i], () => ({ ...v, index: i }))
        }
        case "Unary": {
          const a = value(v.a)
          return intern(`Unary ${v.op}`, [a], () => ({ ...v, a }))
        }
        case "Binary": {
          const [a, b] = [value(v.a), value(v.b)]
          return intern(`Binary ${v.op}`, [a, b], () => ({ ...v, a, b }))
        }
        case "Select": {
          const [c, a, b] = [condition(v.condition), value(v.a), value(v.b)]
          return intern("Select", [c, a, b], () => ({ ...v, condition: c, a, b }))
        }
        case "Reduce": {
          const body = value(v.body)
          const over = v.axes.map((a) => `${a.axis}:${a.extent}`)
          return intern(`Reduce ${v.op} ${over}`, [body], () => ({ ...v, body }))
        }
      }
    })

  const made = value(root)
  return { value: made, uses: (n) => uses.get(n) ?? 0, axes: (n) => axes.get(n) ?? none }
}
