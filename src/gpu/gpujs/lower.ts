/**
 * From the steps of a plan to what one gpu.js kernel can do: one output, few inputs, no reduction that one thread would
 * have to run alone for long. Plain data to plain data; what is cut goes through further temporaries.
 */
import * as Contraction from "../Contraction.ts"
import * as K from "../Kernel.ts"
import { type Buffer, elements, type Plan, type Step } from "../Plan.ts"
import { axesOf } from "../range.ts"
import type { Dialect } from "./dialect.ts"

/** a kernel with one output, whose inputs are all loaded */
export interface Single {
  readonly name: string
  readonly space: ReadonlyArray<number>
  readonly inputs: ReadonlyArray<ReadonlyArray<number>>
  readonly value: K.Value
}

export type Action =
  | {
      readonly _tag: "Kernel"
      readonly kernel: Single
      readonly inputs: ReadonlyArray<number>
      readonly output: number
    }
  | {
      readonly _tag: "Contraction"
      readonly contraction: Contraction.Contraction
      readonly inputs: ReadonlyArray<number>
      readonly output: number
    }

/**
 * What became of one step. `outputs` must be seen by no action of the step itself, which all read the buffers as they
 * were before it; its temporaries are seen at once.
 */
export interface Group {
  readonly name: string
  readonly actions: ReadonlyArray<Action>
  readonly outputs: ReadonlyArray<number>
}

export interface Lowered {
  readonly buffers: ReadonlyArray<Buffer>
  readonly groups: ReadonlyArray<Group>
}

/** why a kernel cannot be made for a device */
export interface Refusal {
  readonly _tag: "Refusal"
  readonly kernel: string
  readonly reason: string
}

export const refusal = (kernel: string, reason: string): Refusal => ({ _tag: "Refusal", kernel, reason })

// ---------- walking

const parts = (v: K.Value): ReadonlyArray<K.Value> => {
  const found: Array<K.Value> = []
  const index = (i: K.Index): K.Index => {
    K.mapIndex(i, { value: keep, index })
    return i
  }
  const keep = (part: K.Value): K.Value => {
    found.push(part)
    return part
  }
  K.mapValue(v, { value: keep, index })
  return found
}

const inputsOf = (v: K.Value, into = new Set<number>(), seen = new Set<K.Value>()): Set<number> => {
  if (seen.has(v)) return into
  seen.add(v)
  if (v._tag === "Load") into.add(v.input)
  for (const part of parts(v)) inputsOf(part, into, seen)
  return into
}

/** `v` with what `change` replaces (asked from the top, once for each shared node) */
const rewrite = (
  v: K.Value,
  change: {
    readonly value: (v: K.Value) => K.Value | undefined
    readonly axis?: (axis: number) => K.Index | undefined
  },
): K.Value => {
  const done = new Map<K.Value, K.Value>()
  const index = (i: K.Index): K.Index =>
    i._tag === "Axis" ? (change.axis?.(i.axis) ?? i) : K.mapIndex(i, { value, index })
  const value = (v: K.Value): K.Value => {
    const before = done.get(v)
    if (before !== undefined) return before
    const after = change.value(v) ?? K.mapValue(v, { value, index })
    done.set(v, after)
    return after
  }
  return value(v)
}

const renameAxes = (v: K.Value, names: ReadonlyMap<number, K.Index>): K.Value =>
  rewrite(v, { value: () => undefined, axis: (a) => names.get(a) })

// ---------- simplifications that need no temporary

/** only loaded inputs, each buffer and shape once */
const prune = (
  kernel: Single,
  buffers: ReadonlyArray<number>,
): { readonly kernel: Single; readonly inputs: ReadonlyArray<number> } => {
  const used = [...inputsOf(kernel.value)].sort((a, b) => a - b)
  const places = new Map<string, number>()
  const place = new Map<number, number>()
  const [inputs, shapes]: [Array<number>, Array<ReadonlyArray<number>>] = [[], []]
  for (const i of used) {
    const key = `${buffers[i]}:${kernel.inputs[i]}`
    let at = places.get(key)
    if (at === undefined) {
      at = inputs.length
      places.set(key, at)
      inputs.push(buffers[i] ?? 0)
      shapes.push(kernel.inputs[i] ?? [])
    }
    place.set(i, at)
  }
  const move = (v: K.Value): K.Value | undefined => {
    if (v._tag !== "Load") return undefined
    const at = v.at.map((i) => moveIndex(i))
    return K.load(place.get(v.input) ?? 0, at)
  }
  const moveIndex = (i: K.Index): K.Index =>
    K.mapIndex(i, { value: (v) => rewrite(v, { value: move }), index: moveIndex })
  return { kernel: { ...kernel, inputs: shapes, value: rewrite(kernel.value, { value: move }) }, inputs }
}

const sameShape = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
  a.length === b.length && a.every((d, i) => d === b[i])

/** an element-wise kernel in one dimension: no index is ever taken apart */
const flatten = (kernel: Single, limit: number): Single => {
  const size = elements(kernel.space)
  if (kernel.space.length < 2 || size > limit) return kernel
  const atPoint = (v: K.Value & { readonly _tag: "Load" }) =>
    sameShape(kernel.inputs[v.input] ?? [], kernel.space) && v.at.every((i, d) => i._tag === "Axis" && i.axis === d)
  const seen = new Set<K.Value>()
  const flat = new Set<number>()
  const kept = new Set<number>()
  const elementwise = (v: K.Value): boolean => {
    if (seen.has(v)) return true
    seen.add(v)
    if (v._tag === "Load") {
      if (atPoint(v)) {
        flat.add(v.input)
        return true
      }
      kept.add(v.input)
      return v.at.every((i) => i._tag === "Int")
    }
    if (v._tag === "Reduce") return false
    return axesInIndices(v) && parts(v).every(elementwise)
  }
  if (!elementwise(kernel.value) || [...flat].some((i) => kept.has(i))) return kernel
  return {
    ...kernel,
    space: [size],
    inputs: kernel.inputs.map((shape, i) => (flat.has(i) ? [size] : shape)),
    value: rewrite(kernel.value, {
      value: (v) => (v._tag === "Load" && flat.has(v.input) ? K.load(v.input, [K.axis(0)]) : undefined),
    }),
  }
}

/** no axis stands in an index of this node itself (its parts are asked on their own) */
const axesInIndices = (v: K.Value): boolean => {
  let none = true
  const index = (i: K.Index): K.Index => {
    if (i._tag === "Axis") none = false
    K.mapIndex(i, { value: (x) => x, index })
    return i
  }
  K.mapValue(v, { value: (x) => x, index })
  return none
}

// ---------- the lowering

/** a reduction of more than this many elements is cut where fewer than `fewThreads` results would be computed at once */
const longReduction = 1024
const fewThreads = 4096

export const lower = (plan: Plan, dialect: Dialect, tuned: boolean): Lowered | Refusal => {
  const buffers: Array<Buffer> = [...plan.buffers]
  const groups: Array<Group> = []
  for (const step of plan.steps) {
    const actions: Array<Action> = []
    // gpu.js has no kernels without threads, and there is nothing to compute
    const isEmpty = step.outputs.every((b) => elements(buffers[b]?.shape ?? []) === 0)
    if (isEmpty) continue
    if (step.code._tag === "Contraction" && tuned && isProduct(step, buffers)) {
      const [output] = step.outputs as [number] // a contraction has one output
      actions.push({ _tag: "Contraction", contraction: step.code, inputs: step.inputs, output })
    } else {
      const code = step.code._tag === "Kernel" ? step.code : Contraction.plain(step.code)
      for (const [i, value] of code.stores.entries()) {
        const name = code.stores.length === 1 ? code.name : `${code.name}.${i}`
        const kernel: Single = { name, space: code.space, inputs: code.inputs, value }
        const refused = lowerSingle(kernel, step.inputs, step.outputs[i] ?? 0, { buffers, actions, dialect })
        if (refused !== undefined) return refused
      }
    }
    groups.push({ name: step.code.name, actions, outputs: step.outputs })
  }
  return { buffers, groups }
}

/** whether a contraction has products to add up; without any, the plain kernel gives the zeros */
const isProduct = (step: Step, buffers: ReadonlyArray<Buffer>): boolean =>
  step.inputs.every((b) => elements(buffers[b]?.shape ?? []) > 0)

interface Target {
  readonly buffers: Array<Buffer>
  readonly actions: Array<Action>
  readonly dialect: Dialect
}

const lowerSingle = (
  given: Single,
  givenInputs: ReadonlyArray<number>,
  output: number,
  target: Target,
): Refusal | undefined => {
  const { dialect } = target
  let { kernel, inputs } = prune(given, givenInputs)

  /** computes `value` over `space` in a kernel of its own, and gives the input that loads it */
  const materialise = (value: K.Value, space: ReadonlyArray<number>): number | Refusal => {
    const buffer = target.buffers.push({ shape: space, role: { _tag: "Temp" } }) - 1
    const part: Single = { name: `${kernel.name}~${buffer}`, space, inputs: kernel.inputs, value }
    const refused = lowerSingle(part, inputs, buffer, target)
    if (refused !== undefined) return refused
    kernel = { ...kernel, inputs: [...kernel.inputs, space] }
    inputs = [...inputs, buffer]
    return kernel.inputs.length - 1
  }

  if (dialect.splitReductions) {
    for (;;) {
      const long = findLongReduction(kernel)
      if (long === undefined) break
      const { partial, space, rest } = splitReduction(long, kernel)
      const input = materialise(partial, space)
      if (typeof input !== "number") return input
      kernel = { ...kernel, value: rewrite(kernel.value, { value: (v) => (v === long ? rest(input) : undefined) }) }
    }
    ;({ kernel, inputs } = prune(kernel, inputs))
  }

  while (inputsOf(kernel.value).size > dialect.maxInputs) {
    const piece = bestPiece(kernel, dialect.maxInputs)
    if (piece === undefined) {
      const count = inputsOf(kernel.value).size
      return refusal(
        kernel.name,
        `it loads ${count} arrays where ${dialect.mode} takes ${dialect.maxInputs}, and no part of it can be computed ` +
          `apart; compute some of its operands in kernels of their own`,
      )
    }
    const axes = [...K.point(kernel.space), ...piece.axes.map((a) => K.axis(a.axis))]
    const space = [...kernel.space, ...piece.axes.map((a) => a.extent)]
    const names = new Map(piece.axes.map((a, i) => [a.axis, K.axis(kernel.space.length + i)]))
    const input = materialise(renameAxes(piece.value, names), space)
    if (typeof input !== "number") return input
    const replace = (v: K.Value) => (v === piece.value ? K.load(input, axes) : undefined)
    kernel = { ...kernel, value: rewrite(kernel.value, { value: replace }) }
    ;({ kernel, inputs } = prune(kernel, inputs))
  }

  const flat = flatten(kernel, dialect.maxIndex)
  target.actions.push({ _tag: "Kernel", kernel: flat, inputs, output })
  return undefined
}

// ---------- long reductions

const extentOf = (reduce: K.Reduce): number => reduce.axes.reduce((n, a) => n * a.extent, 1)

const freeSpace = (v: K.Value, kernel: Single): ReadonlyArray<number> =>
  [...axesOf(v)].filter((a) => a < kernel.space.length).sort((a, b) => a - b)

const findLongReduction = (kernel: Single): K.Reduce | undefined => {
  const seen = new Set<K.Value>()
  const find = (v: K.Value): K.Reduce | undefined => {
    if (seen.has(v)) return undefined
    seen.add(v)
    if (v._tag === "Reduce") {
      const threads = freeSpace(v, kernel).reduce((n, a) => n * (kernel.space[a] ?? 1), 1)
      return v.op !== "argmax" && extentOf(v) > longReduction && threads < fewThreads ? v : undefined
    }
    for (const part of parts(v)) {
      const found = find(part)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(kernel.value)
}

/** the partial reductions, over the axes the whole depends on and the outermost of its own, and what is left to do */
const splitReduction = (reduce: K.Reduce, kernel: Single) => {
  const free = freeSpace(reduce, kernel)
  let own = reduce.axes
  let body = reduce.body
  // leading axes that give at least 16 parts; a single long axis is cut near its square root
  let outer = 0
  let chunks = 1
  while (outer < own.length && chunks < 16) chunks *= own[outer++]?.extent ?? 1
  const inner = own.slice(outer).reduce((n, a) => n * a.extent, 1)
  if (inner < 16 || chunks > 65536) {
    const size = extentOf(reduce)
    const one = own.length === 1 ? own[0] : undefined
    if (one !== undefined) {
      const length = Math.ceil(Math.sqrt(size))
      const count = Math.ceil(size / length)
      const fresh = Math.max(128, ...[...usedAxes(kernel.value)].map((a) => a + 1))
      const at = K.iadd(K.imul(K.axis(fresh), length), K.axis(fresh + 1))
      const inside = renameAxes(body, new Map([[one.axis, at]]))
      const neutral = reduce.op === "sum" ? 0 : -Infinity
      body = count * length === size ? inside : K.select(K.compareIndex("lt", at, size), inside, neutral)
      own = [
        { axis: fresh, extent: count },
        { axis: fresh + 1, extent: length },
      ]
      outer = 1
    } else {
      outer = Math.max(1, own.length - 1)
    }
  }
  const [first, second] = [own.slice(0, outer), own.slice(outer)]
  const names = new Map<number, K.Index>([
    ...free.map((a, i): [number, K.Index] => [a, K.axis(i)]),
    ...first.map((a, i): [number, K.Index] => [a.axis, K.axis(free.length + i)]),
  ])
  const space = [...free.map((a) => kernel.space[a] ?? 1), ...first.map((a) => a.extent)]
  const partial: K.Value = { _tag: "Reduce", op: reduce.op, axes: second, body: renameAxes(body, names) }
  const at = [...free.map((a) => K.axis(a)), ...first.map((a) => K.axis(a.axis))]
  const rest = (input: number): K.Value => ({ _tag: "Reduce", op: reduce.op, axes: first, body: K.load(input, at) })
  return { partial, space, rest }
}

const usedAxes = (v: K.Value, into = new Set<number>()): Set<number> => {
  const index = (i: K.Index): K.Index => {
    if (i._tag === "Axis") into.add(i.axis)
    K.mapIndex(i, { value, index })
    return i
  }
  const value = (v: K.Value): K.Value => {
    if (v._tag === "Reduce") for (const a of v.axes) into.add(a.axis)
    K.mapValue(v, { value, index })
    return v
  }
  value(v)
  return into
}

// ---------- kernels with too many inputs

/** the part whose own kernel frees the kernel of most inputs, with the reduction axes it stands under */
const bestPiece = (kernel: Single, maxInputs: number) => {
  let best: { readonly value: K.Value; readonly axes: ReadonlyArray<K.ReduceAxis>; readonly gain: number } | undefined
  const candidates: Array<{ readonly value: K.Value; readonly axes: ReadonlyArray<K.ReduceAxis> }> = []
  const seen = new Set<K.Value>()
  const visit = (v: K.Value, axes: ReadonlyArray<K.ReduceAxis>): void => {
    if (seen.has(v)) return
    seen.add(v)
    if (v._tag !== "Load" && v._tag !== "Const" && v !== kernel.value) candidates.push({ value: v, axes })
    const inside = v._tag === "Reduce" ? [...axes, ...v.axes] : axes
    for (const part of parts(v)) visit(part, inside)
  }
  visit(kernel.value, [])
  const all = inputsOf(kernel.value).size
  for (const { value, axes } of candidates) {
    if (inputsOf(value).size > maxInputs) continue
    const left = inputsOf(rewrite(kernel.value, { value: (v) => (v === value ? K.constant(0) : undefined) })).size
    // a part under a reduction needs a temporary as large as what is reduced: only where nothing else helps
    const gain = all - left - 1 - (axes.length > 0 ? 0.5 : 0)
    if (gain > 0 && (best === undefined || gain > best.gain)) best = { value, axes, gain }
  }
  return best
}
