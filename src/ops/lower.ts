/**
 * From a graph to a plan: which nodes become kernels of their own, which dissolve into their consumer, and in what order
 * the kernels run so that state can be updated in place.
 */
import { forEachValue, isPoint, rewrite, size, some } from "../gpu/expression.ts"
import * as K from "../gpu/Kernel.ts"
import { type Buffer, elements, type Plan, type Role, type Step } from "../gpu/Plan.ts"
import type { Body } from "./Op.ts"
import { inOrder, type ScheduledStep, type Update } from "./schedule.ts"
import type { Node, Tensor } from "./Tensor.ts"

/** A graph whose sizes are all known. */
export interface Graph {
  readonly name: string
  /** by slot */
  readonly inputs: ReadonlyArray<Tensor>
  /** by slot: the tensors that stand for what the state holds before the run */
  readonly state: ReadonlyArray<Tensor>
  /** by slot: what the state holds after it; `null` where it stays */
  readonly newState: ReadonlyArray<Tensor | null>
  /** by slot */
  readonly outputs: ReadonlyArray<Tensor>
}

/** larger expressions are cut, so that no kernel grows without bound */
const largestExpression = 256

type Extents = ReadonlyArray<number>

// every name is bound before a graph is lowered
const extents = (x: { readonly shape: ReadonlyArray<number | string> }): Extents => x.shape as Extents

/** what a tensor's numbers are stored as, under views */
const baseOf = (x: Tensor, bodies: ReadonlyMap<Node, Body>): Tensor => {
  const source = x["~tensor"]
  const [first] = source._tag === "Output" ? source.node.inputs : []
  return source._tag === "Output" && first !== undefined && bodies.get(source.node) === "view"
    ? baseOf(first, bodies)
    : x
}

const nodeOf = (x: Tensor): Node | undefined => (x["~tensor"]._tag === "Output" ? x["~tensor"].node : undefined)

/** every node that the roots need, each after what it reads */
const nodesBefore = (roots: ReadonlyArray<Tensor>): ReadonlyArray<Node> => {
  const order: Array<Node> = []
  const seen = new Set<Node>()
  const stack = roots.flatMap((x) => nodeOf(x) ?? []).map((node) => ({ node, done: false }))
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.done) order.push(top.node)
    else if (!seen.has(top.node)) {
      seen.add(top.node)
      stack.push({ node: top.node, done: true })
      for (const x of top.node.inputs) {
        const node = nodeOf(x)
        if (node !== undefined && !seen.has(node)) stack.push({ node, done: false })
      }
    }
  }
  return order
}

const isExpression = (body: Body | undefined): body is ReadonlyArray<K.Value> => Array.isArray(body)

const costly = (v: K.Value): boolean =>
  some(v, (w) => (w._tag === "Unary" && w.op !== "neg" && w.op !== "abs") || (w._tag === "Binary" && w.op === "pow"))

/** instructions for one element of what a node computes, about */
const work = (v: K.Value): number => {
  let n = 0
  forEachValue(v, (w) => {
    const slow = w._tag === "Binary" ? w.op === "div" || w.op === "pow" : w._tag === "Unary" && costly(w)
    n += slow ? 5 : w._tag === "Const" ? 0 : 1
  })
  return n
}
/** more than this is not computed again for each of several readers of an element */
const repeatedWork = 12

const reduces = (v: K.Value): boolean => some(v, (w) => w._tag === "Reduce")

/** how many times a kernel evaluates its innermost expression */
const points = (space: Extents, stores: ReadonlyArray<K.Value>): number => {
  let most = 1
  for (const v of stores)
    forEachValue(v, (w) => {
      if (w._tag === "Reduce") most = Math.max(most, elements(w.axes.map((a) => a.extent)))
    })
  return most * elements(space)
}

/**
 * Which kernel each node is computed in: itself (as its own home) or the home of the only kernel that reads it. State
 * updates that read each other share a home, so that an optimiser's whole update is one pass over memory.
 */
const homes = (
  nodes: ReadonlyArray<Node>,
  bodies: ReadonlyMap<Node, Body>,
  kept: ReadonlySet<Node>,
  shared: ReadonlyMap<Node, Node>,
): ReadonlyMap<Node, ReadonlySet<Node>> => {
  const readers = new Map<Node, Set<Node>>()
  const viewed = new Set<Node>()
  for (const node of nodes)
    for (const x of node.inputs) {
      const from = nodeOf(x)
      if (from === undefined) continue
      if (isExpression(bodies.get(node))) readers.set(from, (readers.get(from) ?? new Set()).add(node))
      else viewed.add(from)
    }
  const result = new Map<Node, ReadonlySet<Node>>()
  const sizes = new Map<Node, number>()
  const dissolves = (node: Node): boolean =>
    isExpression(bodies.get(node)) && !kept.has(node) && !viewed.has(node) && node.outputs.length === 1
  /** the work for an element of each node, with that of all that may dissolve into it */
  const whole = new Map<Node, number>()
  for (const node of nodes) {
    const body = bodies.get(node)
    if (!isExpression(body) || body.some(reduces)) continue
    const below = node.inputs.flatMap((x) => nodeOf(x) ?? []).filter(dissolves)
    whole.set(
      node,
      [...body.map(work), ...below.map((n) => whole.get(n) ?? 0)].reduce((a, b) => a + b, 0),
    )
  }
  /** the nodes that are computed once for each point of the only kernel that they are computed in */
  const once = new Set<Node>()
  for (const node of nodes.toReversed()) {
    const body = bodies.get(node)
    const own = new Set([shared.get(node) ?? node])
    result.set(node, own)
    once.add(node)
    if (!isExpression(body) || !dissolves(node)) continue
    const consumers = [...(readers.get(node) ?? [])]
    const into = new Set(consumers.flatMap((c) => [...(result.get(c) ?? [])]))
    const asked = into.size === 1 && consumers.every((c) => once.has(c) && readsOnce(c, node, bodies))
    if (body.some(reduces) && !asked) continue
    const trivial = body.every((v) => size(v) <= 2 && !costly(v))
    const repeated = consumers.some((c) => {
      const stores = bodies.get(c)
      return isExpression(stores) && points(extents(c), stores) > elements(extents(node))
    })
    if (into.size !== 1 && !trivial) continue
    if (repeated && (body.some(costly) || (whole.get(node) ?? 0) > repeatedWork)) continue
    const grown = Math.max(1, ...consumers.map((c) => sizes.get(c) ?? 1)) + body.reduce((n, v) => n + size(v), 0)
    if (grown > largestExpression) continue
    sizes.set(node, grown)
    result.set(node, into)
    if (!asked) once.delete(node)
  }
  return result
}

/** whether `reader` needs an element of `node` at each of its points, and that one only */
const readsOnce = (reader: Node, node: Node, bodies: ReadonlyMap<Node, Body>): boolean => {
  const body = bodies.get(reader)
  if (!isExpression(body) || body.some(reduces) || extents(reader).join() !== extents(node).join()) return false
  const elsewhere = (v: K.Value): boolean =>
    v._tag === "Load" && reader.inputs.some((x, i) => i === v.input && nodeOf(x) === node) && !isPoint(v.at)
  return !body.some((v) => some(v, elsewhere))
}

/** state updates that may share one kernel: element by element over one space, and reading one another */
const sharedUpdates = (updates: ReadonlyArray<Node>, bodies: ReadonlyMap<Node, Body>): ReadonlyMap<Node, Node> => {
  const leader = new Map<Node, Node>()
  const fusable = (node: Node): boolean => {
    const body = bodies.get(node)
    return isExpression(body) && node.outputs.length === 1 && !body.some(reduces)
  }
  const find = (node: Node): Node => {
    const up = leader.get(node)
    return up === undefined || up === node ? node : find(up)
  }
  const candidates = new Set(updates.filter(fusable))
  for (const node of candidates) leader.set(node, node)
  for (const node of candidates) {
    // through element-wise nodes of the same shape, down to the next update
    const stack = [...node.inputs]
    const seen = new Set<Node>()
    for (let x = stack.pop(); x !== undefined; x = stack.pop()) {
      const from = nodeOf(x)
      if (from === undefined || seen.has(from) || !fusable(from)) continue
      if (extents(from).join() !== extents(node).join()) continue
      seen.add(from)
      if (candidates.has(from)) leader.set(find(node), find(from))
      else stack.push(...from.inputs)
    }
  }
  return new Map([...candidates].map((node) => [node, find(node)]))
}

/**
 * A plan that computes the outputs and the new state of a graph.
 *
 * Element-wise producers are inlined into their consumer; what holds a reduction, is read by several kernels, or is read
 * by a contraction becomes an array of its own. New state is written in place wherever no later step needs the old.
 */
export const lower = (graph: Graph, { share }: { readonly share: boolean } = { share: true }): Plan => {
  const roots = [...graph.newState.flatMap((x) => x ?? []), ...graph.outputs]
  const nodes = nodesBefore(roots)
  const bodies = new Map<Node, Body>()
  for (const node of nodes) {
    const inputs = node.inputs.map(extents)
    const { op, attributes } = node
    bodies.set(node, op.kernel({ inputs, output: extents(node), attributes, at: K.point(node.shape) }))
  }
  const base = (x: Tensor): Tensor => baseOf(x, bodies)
  const kept = new Set(roots.flatMap((x) => nodeOf(base(x)) ?? []))
  const updates = [...new Set(graph.newState.flatMap((x) => (x === null ? [] : (nodeOf(base(x)) ?? []))))]
  const shared = share ? sharedUpdates(updates, bodies) : new Map<Node, Node>()
  const homeOf = homes(nodes, bodies, kept, shared)
  const stored = (node: Node): boolean => kept.has(node) || homeOf.get(node)?.has(node) === true

  // ---------- buffers
  const buffers: Array<Buffer> = []
  const bufferOf = new Map<Tensor, number>()
  const add = (shape: Extents, role: Role): number => buffers.push({ shape, role }) - 1
  graph.inputs.forEach((x, slot) => bufferOf.set(x, add(extents(x), { _tag: "Input", slot })))
  const stateBuffers = graph.state.map((x, slot) => add(extents(x), { _tag: "State", slot }))
  graph.state.forEach((x, slot) => bufferOf.set(x, stateBuffers[slot] ?? 0))
  const buffer = (x: Tensor): number => {
    const at = base(x)
    const known = bufferOf.get(at)
    if (known !== undefined) return known
    const source = at["~tensor"]
    const role: Role = source._tag === "Constant" ? { _tag: "Constant", data: source.data } : { _tag: "Temp" }
    const made = add(extents(at), role)
    bufferOf.set(at, made)
    return made
  }
  /** what cannot be computed where it is wanted, and is copied there: [from, to] */
  const copies: Array<readonly [Tensor, number]> = []
  const want = (x: Tensor, to: number): void => {
    const at = base(x)
    if (bufferOf.has(at) || at["~tensor"]._tag !== "Output") copies.push([x, to])
    else bufferOf.set(at, to)
  }
  const updated: Array<Update> = []
  graph.newState.forEach((x, slot) => {
    const state = stateBuffers[slot]
    if (x === null || state === undefined || bufferOf.get(base(x)) === state) return
    const fresh = add(extents(x), { _tag: "Temp" })
    updated.push({ fresh, state })
    want(x, fresh)
  })
  graph.outputs.forEach((x, slot) => want(x, add(extents(x), { _tag: "Output", slot })))

  // ---------- steps
  /** the value of `x` at a point, inside the kernel of the updates that share `home`; loads are numbered by `input` */
  const valueAt = (
    x: Tensor,
    at: ReadonlyArray<K.Index>,
    home: Node | null,
    input: (buffer: number, shape: Extents) => number,
  ): K.Value => {
    const source = x["~tensor"]
    const under = base(x)["~tensor"]
    if (under._tag === "Constant" && under.data.length === 1) return K.constant(under.data[0] ?? 0)
    const node = nodeOf(x)
    const body = node === undefined ? undefined : bodies.get(node)
    const inlined =
      node !== undefined &&
      isExpression(body) &&
      (!stored(node) || (home !== null && shared.get(node) === home && isPoint(at)))
    if (!inlined) return K.load(input(buffer(x), extents(x)), at)
    const axes = new Map(at.map((i, d) => [d, i]))
    return rewrite(body[source._tag === "Output" ? source.output : 0] ?? K.constant(0), axes, (i, point) => {
      const from = node.inputs[i]
      return from === undefined ? K.constant(Number.NaN) : valueAt(from, point, home, input)
    })
  }
  const numbering = () => {
    const inputs: Array<{ readonly buffer: number; readonly shape: Extents }> = []
    const number = (from: number, shape: Extents): number => {
      const known = inputs.findIndex((i) => i.buffer === from && i.shape.join() === shape.join())
      return known >= 0 ? known : inputs.push({ buffer: from, shape }) - 1
    }
    return { inputs, number }
  }
  const used = new Set(nodes.flatMap((node) => node.inputs.map(base)).concat(roots.map(base)))
  const steps: Array<ScheduledStep> = []
  const kernel = (name: string, space: Extents, members: ReadonlyArray<Node>, home: Node): void => {
    const { inputs, number } = numbering()
    const stores: Array<K.Value> = []
    const outputs: Array<number> = []
    for (const node of members) {
      const body = bodies.get(node)
      if (!isExpression(body)) continue
      node.outputs.forEach((y, i) => {
        if (!used.has(y)) return
        outputs.push(buffer(y))
        stores.push(
          rewrite(body[i] ?? K.constant(0), new Map(), (position, at) => {
            const from = node.inputs[position]
            return from === undefined ? K.constant(Number.NaN) : valueAt(from, at, home, number)
          }),
        )
      })
    }
    const code: K.Kernel = { _tag: "Kernel", name, space, inputs: inputs.map((i) => i.shape), stores }
    steps.push(scheduled({ code, inputs: inputs.map((i) => i.buffer), outputs }))
  }
  const done = new Set<Node>()
  for (const node of nodes) {
    const body = bodies.get(node)
    if (done.has(node) || body === "view" || body === undefined || !stored(node)) continue
    if (!isExpression(body)) {
      const outputs = node.outputs.map(buffer)
      steps.push(scheduled({ code: body, inputs: node.inputs.map(buffer), outputs }))
      continue
    }
    const leader = shared.get(node)
    // members of one kernel are emitted with its last, when everything that they read is there
    const members = leader === undefined ? [node] : nodes.filter((n) => shared.get(n) === leader)
    if (members.at(-1) !== node) continue
    for (const member of members) done.add(member)
    kernel(members.map((m) => m.op.name).join(" + "), extents(node), members, leader ?? node)
  }
  for (const [x, to] of copies) {
    const shape = extents(x)
    const { inputs, number } = numbering()
    // a constant of one element is stored as such
    const store = valueAt(x, K.point(shape), null, number)
    const code: K.Kernel = {
      _tag: "Kernel",
      name: "copy",
      space: shape,
      inputs: inputs.map((i) => i.shape),
      stores: [store],
    }
    steps.push(scheduled({ code, inputs: inputs.map((i) => i.buffer), outputs: [to] }))
  }
  const schedule = inOrder(steps, buffers, updated)
  if (schedule !== null) return { name: graph.name, ...schedule }
  // only updates that share a kernel can wait for each other
  return lower(graph, { share: false })
}

const scheduled = (step: Step): ScheduledStep => {
  const elsewhere = new Set<number>()
  if (step.code._tag === "Contraction") for (const i of step.inputs) elsewhere.add(i)
  else
    for (const v of step.code.stores)
      forEachValue(v, (w) => {
        if (w._tag === "Load" && !(isPoint(w.at) && w.at.length === stepRank(step)))
          elsewhere.add(step.inputs[w.input] ?? -1)
      })
  return { step, elsewhere }
}

const stepRank = ({ code }: Step): number => (code._tag === "Kernel" ? code.space.length : -1)
