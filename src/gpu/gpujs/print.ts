/**
 * A kernel as gpu.js source.
 *
 * What is printed keeps to the part of gpu.js's language that means the same in all of its modes: one `let` for each
 * name, `for` loops between literals, `if` and never `?:` (which becomes an eager `select` in WGSL), no helper
 * functions, one `return` at the end. Every index that is named is a float there, since gpu.js turns integers to floats
 * when they are given a name; only loop variables are integers.
 */
import * as Data from "effect/Data"
import * as K from "../Kernel.ts"
import { elements } from "../Plan.ts"
import { interval } from "../range.ts"
import { type Canonical, canonical } from "./canonical.ts"
import { type Dialect, fold } from "./dialect.ts"
import { type Refusal, refusal, type Single } from "./lower.ts"
import { literal, type Printer } from "./literal.ts"
import { printBinary, printNaN, printUnary } from "./printMath.ts"

export interface Printed {
  readonly source: string
  /** names of the array arguments and the dimensions `[x, y, z]` they are indexed in */
  readonly arrays: ReadonlyArray<{ readonly name: string; readonly dimensions: Dimensions }>
  /** numbers that no shading language can spell, passed as arguments after the arrays */
  readonly scalars: ReadonlyArray<"inf" | "nan">
  /** as gpu.js wants it: x first, one to three of them */
  readonly output: ReadonlyArray<number>
}

export type Dimensions = readonly [x: number, y: number, z: number]

/** a list of statements, and the names that can be used in it */
export interface Block {
  readonly lines: Array<string>
  readonly parent: Block | undefined
  /** the axes whose loops this block is inside of and its parent is not */
  readonly axes: ReadonlyMap<number, string>
  /** runs only sometimes: what could fail there must not be moved out */
  readonly conditional: boolean
  readonly names: Map<object, string>
}

interface Context extends Printer {
  readonly kernel: Single
  readonly graph: Canonical
  readonly extents: Map<number, number>
  readonly dimensions: ReadonlyArray<Folded>
}

interface Folded {
  readonly groups: NonNullable<ReturnType<typeof fold>>
  readonly dimensions: Dimensions
}

/** a part of a kernel cannot be printed; caught in `print`, the one place that starts the walk */
class Unprintable extends Data.TaggedError("Unprintable")<{ readonly reason: string }> {}
const unprintable = (reason: string) => new Unprintable({ reason })

const product = (shape: ReadonlyArray<number>, axes: ReadonlyArray<number>) =>
  axes.reduce((n, a) => n * (shape[a] ?? 1), 1)

const foldShape = (shape: ReadonlyArray<number>, limits: Dimensions): Folded | undefined => {
  const groups = fold(shape, limits)
  if (groups === undefined) return undefined
  return { groups, dimensions: [product(shape, groups[0]), product(shape, groups[1]), product(shape, groups[2])] }
}

/** An input keeps its last two dimensions where it can, so that no load has to multiply more than it must. */
const foldInput = (shape: ReadonlyArray<number>, dialect: Dialect): Folded | undefined => {
  const n = shape.length
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  const [x, y] = [Math.max(0, n - 1), Math.max(0, n - 2)]
  const groups = [range(x, n), range(y, x), range(0, y)] as const
  const dimensions = [product(shape, groups[0]), product(shape, groups[1]), product(shape, groups[2])] as const
  if (dimensions.every((d) => d <= dialect.maxIndex)) return { groups, dimensions }
  return foldShape(shape, [dialect.maxIndex, dialect.maxIndex, dialect.maxIndex])
}

/** Prints a kernel, or says why this mode cannot run it. */
export const print = (kernel: Single, dialect: Dialect): Printed | Refusal => {
  const size = elements(kernel.space)
  const tooLarge = (what: string, shape: ReadonlyArray<number>) =>
    refusal(
      kernel.name,
      `${what} of shape [${shape}] has more elements along one dimension than gpu.js's ${dialect.mode} mode can count ` +
        `in floats (${dialect.maxIndex}); split it, or take another device`,
    )
  const dimensions: Array<Folded> = []
  for (const [i, shape] of kernel.inputs.entries()) {
    const folded = foldInput(shape, dialect)
    if (folded === undefined || (!dialect.folds && elements(shape) > dialect.maxIndex)) {
      return tooLarge(`input ${i}`, shape)
    }
    dimensions.push(folded)
  }
  const oneRow: Dimensions = [dialect.maxIndex, 1, 1]
  const output =
    size <= dialect.maxIndex
      ? foldShape(kernel.space, oneRow)
      : dialect.folds
        ? foldShape(kernel.space, dialect.maxOutput)
        : undefined
  if (output === undefined) return tooLarge("its output", kernel.space)

  let names = 0
  const scalars = new Set<"inf" | "nan">()
  const context: Context = {
    dialect,
    fresh: (stem) => `${stem}${names++}`,
    scalar: (name) => {
      scalars.add(name)
      return name
    },
    kernel,
    graph: canonical(kernel.value),
    extents: new Map(kernel.space.map((d, i) => [i, d])),
    dimensions,
  }
  try {
    const { block, entry } = printSpace(output, context)
    const result = printValue(context.graph.value, block, context)
    const lines = [...entry, ...block.lines, `return ${result};`]
    // of an array without elements nothing is read, but gpu.js wants one
    const extents = ({ dimensions: d }: Folded): Dimensions => (d.includes(0) ? [1, 1, 1] : d)
    const arrays = dimensions.map((d, i) => ({ name: `x${i}`, dimensions: extents(d) }))
    const parameters = [...arrays.map((a) => a.name), ...scalars]
    return {
      source: `function (${parameters.join(", ")}) {\n${indent(lines)}\n}`,
      arrays,
      scalars: [...scalars],
      output: output.dimensions[2] > 1 ? output.dimensions : size <= dialect.maxIndex ? [size] : output.dimensions,
    }
  } catch (cause) {
    if (cause instanceof Unprintable) return refusal(kernel.name, cause.reason)
    throw cause
  }
}

const indent = (lines: ReadonlyArray<string>): string => {
  let depth = 1
  return lines
    .map((line) => {
      if (line.startsWith("}")) depth--
      const text = "  ".repeat(depth) + line
      if (line.endsWith("{")) depth++
      return text
    })
    .join("\n")
}

/** the axes of the space from `this.thread`: those that are used, each in a name of its own */
const printSpace = (output: Folded, context: Context) => {
  const { kernel, graph, dialect } = context
  const axes = new Map<number, string>()
  const used = graph.axes(graph.value)
  const block: Block = { lines: [], parent: undefined, axes, conditional: false, names: new Map() }
  const entry: Array<string> = []
  for (const [g, group] of output.groups.entries()) {
    const thread = `this.thread.${"xyz"[g]}`
    const wide = group.filter((a) => (kernel.space[a] ?? 1) > 1)
    for (const a of group) if ((kernel.space[a] ?? 1) <= 1) axes.set(a, "0")
    const outermostUsed = wide.findIndex((a) => used.has(a))
    if (outermostUsed < 0) continue
    let rest = context.fresh("t")
    entry.push(`let ${rest} = ${thread};`)
    // the remainder by what lies inside, then the quotient, from the outermost axis in
    let size = product(kernel.space, wide)
    for (const [at, a] of wide.entries()) {
      const inner = size / (kernel.space[a] ?? 1)
      if (!wide.slice(at).some((b) => used.has(b))) break
      if (at === wide.length - 1) {
        axes.set(a, rest)
        break
      }
      const name = context.fresh("a")
      entry.push(...printDivision(name, rest, inner, size - 1, dialect))
      axes.set(a, name)
      const left = context.fresh("t")
      entry.push(`let ${left} = ${rest} - ${name} * ${inner};`)
      rest = left
      size = inner
    }
  }
  return { block, entry }
}

/**
 * `name = floor(a / divisor)` for an integer `a` of at most `largest` in magnitude. Float division may be off in its
 * last places, so half a unit is added (which no integer reaches), and where that is not far enough from the next
 * multiple, the quotient is corrected by its remainder.
 */
const printDivision = (
  name: string,
  a: string,
  divisor: number,
  largest: number,
  dialect: Dialect,
): ReadonlyArray<string> => {
  if (dialect.mode === "cpu") return [`let ${name} = Math.floor(${a} / ${divisor});`]
  const quotient = `let ${name} = Math.floor((${a} + 0.5) / ${divisor});`
  if (largest <= 2 ** 20) return [quotient]
  return [
    quotient,
    `if (${a} - ${name} * ${divisor} < 0) {`,
    `${name} = ${name} - 1;`,
    `}`,
    `if (${a} - ${name} * ${divisor} >= ${divisor}) {`,
    `${name} = ${name} + 1;`,
    `}`,
  ]
}

// ---------- names

const nameOf = (node: object, block: Block | undefined): string | undefined =>
  block === undefined ? undefined : (block.names.get(node) ?? nameOf(node, block.parent))

const axisName = (axis: number, block: Block | undefined): string => {
  if (block === undefined) throw unprintable(`axis ${axis} is used outside of the loop that defines it`)
  return block.axes.get(axis) ?? axisName(axis, block.parent)
}

/** the outermost block in which `node` means the same */
const home = (axes: ReadonlySet<number>, block: Block, harmless: boolean): Block => {
  if (block.parent === undefined || (block.conditional && !harmless)) return block
  return [...block.axes.keys()].some((a) => axes.has(a)) ? block : home(axes, block.parent, harmless)
}

const pureIndex = (i: K.Index): boolean =>
  i._tag === "IndexBinary" ? pureIndex(i.a) && pureIndex(i.b) : i._tag !== "ToIndex"

// ---------- indices

const comparison: Record<K.Comparison, string> = { lt: "<", le: "<=", gt: ">", ge: ">=", eq: "===", ne: "!==" }

const bounds = (i: K.Index, context: Context): number => {
  const [low, high] = interval(i, context.extents)
  return Math.max(Math.abs(low), Math.abs(high))
}

const printIndex = (i: K.Index, block: Block, context: Context): string => {
  switch (i._tag) {
    case "Int":
      return i.value < 0 ? `(-${-i.value})` : String(i.value)
    case "Axis":
      return axisName(i.axis, block)
    case "ToIndex":
      return named(i, "i", block, context, (at) => {
        const name = context.fresh("i")
        at.lines.push(`let ${name} = Math.floor(${printValue(i.value, at, context)});`)
        return name
      })
    case "IndexBinary": {
      const settled = settledDivision(i, context)
      if (settled !== undefined && i.op === "div") return printIndex(K.int(settled), block, context)
      if (settled !== undefined && i.b._tag === "Int") {
        const [a, below] = [printIndex(i.a, block, context), settled * i.b.value]
        return below === 0 ? a : below < 0 ? `(${a} + ${-below})` : `(${a} - ${below})`
      }
      const moved = home(context.graph.axes(i), block, pureIndex(i)) !== block
      if ((i.op !== "add" && i.op !== "sub" && i.op !== "mul") || context.graph.uses(i) > 1 || moved) {
        return named(i, "i", block, context, (at) => defineIndex(i, at, context))
      }
      return indexExpression(i, block, context)
    }
  }
}

/** the quotient of a division whose operand lies within one multiple of the divisor */
const settledDivision = (i: K.Index & { _tag: "IndexBinary" }, context: Context): number | undefined => {
  if ((i.op !== "div" && i.op !== "mod") || i.b._tag !== "Int" || !(i.b.value > 0)) return undefined
  const [low, high] = interval(i.a, context.extents)
  const quotient = Math.floor(low / i.b.value)
  if (!Number.isFinite(quotient) || quotient !== Math.floor(high / i.b.value)) return undefined
  return quotient
}

const indexExpression = (i: K.Index & { _tag: "IndexBinary" }, block: Block, context: Context): string => {
  const [a, b] = [printIndex(i.a, block, context), printIndex(i.b, block, context)]
  switch (i.op) {
    case "add":
      return i.b._tag === "Int" && i.b.value < 0 ? `(${a} - ${-i.b.value})` : `(${a} + ${b})`
    case "sub":
      return `(${a} - ${b})`
    case "mul":
      return `(${a} * ${b})`
    default:
      throw unprintable(`an index is made by ${i.op} without a name`)
  }
}

/** an index as a name, which is a float, or as a literal */
const indexAtom = (i: K.Index, at: Block, context: Context): string => {
  const text = printIndex(i, at, context)
  // loop variables are integers
  if (i._tag === "Int" || (/^\w+$/.test(text) && !/^k\d/.test(text))) return text
  const name = context.fresh("i")
  at.lines.push(`let ${name} = ${text};`)
  return name
}

const defineIndex = (i: K.Index & { _tag: "IndexBinary" }, at: Block, context: Context): string => {
  if (i.op === "min" || i.op === "max") {
    // between integers and floats shading languages have no `min`, and inside of a load's brackets gpu.js mixes them
    const [a, b] = [indexAtom(i.a, at, context), indexAtom(i.b, at, context)]
    const name = context.fresh("i")
    at.lines.push(`let ${name} = Math.${i.op}(${a}, ${b});`)
    return name
  }
  if (i.op !== "div" && i.op !== "mod") {
    const name = context.fresh("i")
    at.lines.push(`let ${name} = ${indexExpression(i, at, context)};`)
    return name
  }
  if (i.b._tag !== "Int" || !(i.b.value > 0)) {
    throw unprintable("an index is divided by what is no positive constant")
  }
  const divisor = i.b.value
  const largest = bounds(i.a, context)
  if (Number.isFinite(largest) && largest > context.dialect.maxIndex) {
    throw unprintable(`an index of up to ${largest} is divided, which is not exact in floats`)
  }
  // the division is that of a name, since it is written more than once
  const operand = printIndex(i.a, at, context)
  const atom = /^\w+$/.test(operand) ? operand : context.fresh("i")
  if (atom !== operand) at.lines.push(`let ${atom} = ${operand};`)
  const quotient = nameOf(K.idiv(i.a, divisor), at) ?? context.fresh("q")
  at.lines.push(...printDivision(quotient, atom, divisor, largest, context.dialect))
  if (i.op === "div") return quotient
  const name = context.fresh("i")
  at.lines.push(`let ${name} = ${atom} - ${quotient} * ${divisor};`)
  return name
}

/** the name of a node, defined by `define` in the outermost block where that can be */
const named = (
  node: K.Index | K.Value,
  kind: "i" | "v",
  block: Block,
  context: Context,
  define: (at: Block) => string,
): string => {
  const known = nameOf(node, block)
  if (known !== undefined) return known
  const harmless = kind === "i" && pureIndex(node as K.Index) // `i` is given for indices alone
  const at = home(context.graph.axes(node), block, harmless)
  const name = define(at)
  at.names.set(node, name)
  return name
}

// ---------- conditions

const printCondition = (c: K.Condition, block: Block, context: Context): string => {
  switch (c._tag) {
    case "CompareIndex":
      return `(${printIndex(c.a, block, context)} ${comparison[c.op]} ${printIndex(c.b, block, context)})`
    case "Compare":
      // a shader's `!=` is false for NaN, as if it were `<>`
      if (c.op === "ne") return `(!(${printValue(c.a, block, context)} === ${printValue(c.b, block, context)}))`
      return `(${printValue(c.a, block, context)} ${comparison[c.op]} ${printValue(c.b, block, context)})`
    case "And":
      return `(${printCondition(c.a, block, context)} && ${printCondition(c.b, block, context)})`
    case "Or":
      return `(${printCondition(c.a, block, context)} || ${printCondition(c.b, block, context)})`
    case "Not":
      return `(!${printCondition(c.a, block, context)})`
    case "IsNaN":
      return printNaN(printAtom(c.a, block, context), context.dialect)
  }
}

// ---------- values

/** a value as a name (or a literal), for where it is written more than once */
const printAtom = (v: K.Value, block: Block, context: Context): string => {
  const text = printValue(v, block, context)
  if (/^\w+$/.test(text)) return text
  return named(v, "v", block, context, (at) => {
    const name = context.fresh("v")
    at.lines.push(`let ${name} = ${printValue(v, at, context)};`)
    return name
  })
}

const printValue = (v: K.Value, block: Block, context: Context): string => {
  if (v._tag === "Const") return literal(v.value, context)
  const known = nameOf(v, block)
  if (known !== undefined) return known
  const moved = home(context.graph.axes(v), block, false) !== block
  if (context.graph.uses(v) > 1 || moved || v._tag === "ToFloat") {
    return named(v, "v", block, context, (at) => {
      const text = valueExpression(v, at, context)
      if (/^[a-z]\d+$/.test(text) && v._tag !== "ToFloat") return text
      const name = context.fresh("v")
      at.lines.push(`let ${name} = ${text};`)
      return name
    })
  }
  return valueExpression(v, block, context)
}

const valueExpression = (v: K.Value, block: Block, context: Context): string => {
  switch (v._tag) {
    case "Const":
      return literal(v.value, context)
    case "Load":
      return printLoad(v, block, context)
    case "ToFloat":
      return printIndex(v.index, block, context)
    case "Unary":
      return printUnary(v.op, { atom: () => printAtom(v.a, block, context) }, block.lines, context)
    case "Binary":
      return printBinary(
        v.op,
        { atom: () => printAtom(v.a, block, context), constant: constantOf(v.a) },
        { atom: () => printAtom(v.b, block, context), constant: constantOf(v.b) },
        block.lines,
        context,
      )
    case "Select": {
      const condition = printCondition(v.condition, block, context)
      const inside = (): Block => ({
        lines: [],
        parent: block,
        axes: new Map(),
        conditional: true,
        names: new Map(),
      })
      const [yes, no] = [inside(), inside()]
      const [a, b] = [printValue(v.a, yes, context), printValue(v.b, no, context)]
      const name = context.fresh("v")
      block.lines.push(`let ${name} = 0;`, `if ${condition} {`, ...yes.lines, `${name} = ${a};`)
      block.lines.push("} else {", ...no.lines, `${name} = ${b};`, "}")
      return name
    }
    case "Reduce":
      return printReduce(v, block, context)
  }
}

const constantOf = (v: K.Value): number | undefined => (v._tag === "Const" ? Math.fround(v.value) : undefined)

const conditional = (block: Block | undefined): boolean =>
  block !== undefined && (block.conditional || conditional(block.parent))

const printLoad = (v: K.Value & { _tag: "Load" }, block: Block, context: Context): string => {
  const folded = context.dimensions[v.input]
  const shape = context.kernel.inputs[v.input] ?? []
  if (folded === undefined) throw unprintable(`it loads input ${v.input}, which it does not have`)
  // under a condition the kernel says itself what is in range; elsewhere a load that may not be is clamped
  const guarded = context.dialect.mode === "cpu" || conditional(block)
  const at = v.at.map((i, d) => {
    const [low, high] = interval(i, context.extents)
    const last = (shape[d] ?? 1) - 1
    if (guarded || (low >= 0 && high <= last)) return printIndex(i, block, context)
    const index = indexAtom(i, block, context)
    const name = context.fresh("i")
    block.lines.push(`let ${name} = Math.max(0, Math.min(${index}, ${last}));`)
    return name
  })
  const position = (group: ReadonlyArray<number>): string =>
    group.reduce((text, d, n) => {
      const index = at[d] ?? "0"
      if (n === 0 || text === "0") return index
      return index === "0" ? `(${text} * ${shape[d]})` : `(${text} * ${shape[d]} + ${index})`
    }, "0")
  const [x, y, z] = folded.groups.map(position)
  const [, rows, slices] = folded.dimensions
  return `x${v.input}${slices > 1 ? `[${z}][${y}]` : rows > 1 ? `[${y}]` : ""}[${x}]`
}

// ---------- reductions

/** a sum of more than this many elements is one of partial sums, each over at most `chunk` */
const serial = 1024
const chunk = 64

/** an extent as the digits of a mixed base, each at most `chunk` where `chunked`; their product may exceed it */
const digits = (extent: number, chunked: boolean): ReadonlyArray<number> => {
  if (!chunked || extent <= chunk) return [extent]
  for (let d = chunk; d >= chunk / 2; d--) if (extent % d === 0) return [...digits(extent / d, true), d]
  const levels = Math.ceil(Math.log(extent) / Math.log(chunk))
  const inner = Math.min(chunk, Math.ceil(extent ** (1 / levels)))
  return [...digits(Math.ceil(extent / inner), true), inner]
}

const printReduce = (v: K.Reduce, block: Block, context: Context): string => {
  const total = v.axes.reduce((n, a) => n * a.extent, 1)
  const chunked = v.op === "sum" && total > serial
  for (const a of v.axes) context.extents.set(a.axis, a.extent)

  const result = context.fresh("r")
  const lines = block.lines
  const best = v.op === "argmax" ? context.fresh("b") : result
  const seen = context.fresh("n")
  // where NaN is no number one can rely on, that there was one is kept apart
  const flagged = v.op === "argmax" || (v.op === "max" && context.dialect.shader)
  if (v.op === "sum" || v.op === "argmax") lines.push(`let ${result} = 0;`)
  if (v.op !== "sum") lines.push(`let ${best} = ${literal(-Infinity, context)};`)
  if (flagged) lines.push(`let ${seen} = 0;`)

  const open: Array<{ readonly loop: string; readonly block: Block; readonly sum: string; readonly guarded: boolean }> =
    []
  let at = block
  let sum = result
  for (const { axis, extent } of v.axes) {
    const sizes = digits(extent, chunked)
    const loops = sizes.map((size) => ({ size, name: context.fresh("k") }))
    for (const [d, { size, name }] of loops.entries()) {
      const last = d === loops.length - 1
      const position = loops.reduce((text, l, n) => (n === 0 ? l.name : `(${text} * ${l.size} + ${l.name})`), "")
      const axisAt = last && loops.length > 1 ? context.fresh("i") : name
      const inner: Block = {
        lines: [],
        parent: at,
        axes: new Map([[last ? axis : -1 - open.length, axisAt]]),
        conditional: false,
        names: new Map(),
      }
      const own = chunked ? context.fresh("s") : result
      const guarded = last && sizes.reduce((n, s) => n * s, 1) > extent
      if (chunked) inner.lines.push(`let ${own} = 0;`)
      open.push({ loop: `for (let ${name} = 0; ${name} < ${size}; ${name}++) {`, block: inner, sum, guarded })
      at = inner
      sum = own
      if (axisAt !== name) inner.lines.push(`let ${axisAt} = ${position};`)
      if (guarded) {
        const within: Block = { lines: [], parent: inner, axes: new Map(), conditional: true, names: new Map() }
        open.push({ loop: `if (${axisAt} < ${extent}) {`, block: within, sum: own, guarded: true })
        at = within
      }
    }
  }

  const body = v.op === "sum" ? printValue(v.body, at, context) : printAtom(v.body, at, context)
  const nan = printNaN(body, context.dialect)
  switch (v.op) {
    case "sum":
      at.lines.push(`${sum} += ${body};`)
      break
    case "max":
      if (!flagged) at.lines.push(`${best} = Math.max(${best}, ${body});`)
      else at.lines.push(`if (${body} > ${best}) {`, `${best} = ${body};`, "}", `if ${nan} {`, `${seen} = 1;`, "}")
      break
    case "argmax": {
      const place = v.axes.reduce<K.Index>((i, a) => K.iadd(K.imul(i, a.extent), K.axis(a.axis)), K.int(0))
      const within: Block = { lines: [], parent: at, axes: new Map(), conditional: true, names: new Map() }
      const position = printPosition(place, within)
      within.lines.push(`if (${body} > ${best}) {`, `${best} = ${body};`, `${result} = ${position};`, "}")
      within.lines.push(`if ${nan} {`, `${result} = ${position};`, `${seen} = 1;`, "}")
      at.lines.push(`if (${seen} < 0.5) {`, ...within.lines, "}")
    }
  }
  for (const [n, { loop, block: inner, sum: outer }] of [...open.entries()].toReversed()) {
    const to = open[n - 1]?.block ?? block
    const own = open[n + 1]?.sum ?? sum
    to.lines.push(loop, ...inner.lines)
    if (chunked && own !== outer) to.lines.push(`${outer} += ${own};`)
    to.lines.push("}")
  }
  if (v.op === "max" && flagged) lines.push(`if (${seen} > 0.5) {`, `${best} = ${context.scalar("nan")};`, "}")
  return result
}

/** a row-major position, written out: it is stored, and so needs no name */
const printPosition = (i: K.Index, block: Block): string => {
  if (i._tag === "Axis") return axisName(i.axis, block)
  if (i._tag !== "IndexBinary") return i._tag === "Int" ? String(i.value) : "0"
  return `(${printPosition(i.a, block)} ${i.op === "mul" ? "*" : "+"} ${printPosition(i.b, block)})`
}
