/**
 * A kernel as the text of a JavaScript function: one plain loop nest, nothing clever.
 *
 * All arithmetic is in float64; constants and array elements are float32, and a store rounds to float32. A load outside
 * its array (which only an error in a kernel, or a wrong label, can ask for) gives NaN rather than a neighbour.
 */
import {
  type Comparison,
  type Condition,
  type Index,
  type Kernel,
  mapValue,
  type Reduce,
  type Value,
} from "../Kernel.ts"
import { type Extents, provablyIn, spaceExtents, withReduction } from "../range.ts"

const comparison: Record<Comparison, string> = { lt: "<", le: "<=", gt: ">", ge: ">=", eq: "===", ne: "!==" }

const number = (n: number): string => (Object.is(n, -0) ? "-0" : n < 0 ? `(${n})` : String(n))

/** statements go to `lines`; every printer gives an expression that may use names they define */
interface Block {
  readonly lines: Array<string>
  readonly extents: Extents
  readonly fresh: (stem: string) => string
  readonly kernel: Kernel
  /** parts that are used more than once */
  readonly shared: ReadonlySet<Value>
  /** their names, where they are already computed */
  readonly names: Map<Value, string>
}

/** a block inside another: it knows the names around it, and its own are not seen outside */
const inner = (block: Block, extents: Extents = block.extents): Block => ({
  ...block,
  lines: [],
  extents,
  names: new Map(block.names),
})

const printIndex = (i: Index, block: Block): string => {
  switch (i._tag) {
    case "Int":
      return number(i.value)
    case "Axis":
      return `a${i.axis}`
    case "ToIndex":
      return `toIndex(${printValue(i.value, block)})`
    case "IndexBinary": {
      const [a, b] = [printIndex(i.a, block), printIndex(i.b, block)]
      switch (i.op) {
        case "add":
          return `(${a} + ${b})`
        case "sub":
          return `(${a} - ${b})`
        case "mul":
          return `(${a} * ${b})`
        case "div":
          return `Math.floor(${a} / ${b})`
        case "mod":
          // names `a` once: nested remainders would double the text at each level
          return `((${a} % ${b} + ${b}) % ${b})`
        case "min":
        case "max":
          return `Math.${i.op}(${a}, ${b})`
      }
    }
  }
}

const printCondition = (c: Condition, block: Block): string => {
  switch (c._tag) {
    case "CompareIndex":
      return `(${printIndex(c.a, block)} ${comparison[c.op]} ${printIndex(c.b, block)})`
    case "Compare":
      return `(${printValue(c.a, block)} ${comparison[c.op]} ${printValue(c.b, block)})`
    case "And":
      return `(${printCondition(c.a, block)} && ${printCondition(c.b, block)})`
    case "Or":
      return `(${printCondition(c.a, block)} || ${printCondition(c.b, block)})`
    case "Not":
      return `!${printCondition(c.a, block)}`
    case "IsNaN":
      return `Number.isNaN(${printValue(c.a, block)})`
  }
}

const printLoad = (v: Value & { readonly _tag: "Load" }, block: Block): string => {
  const shape = block.kernel.inputs[v.input] ?? []
  const at = v.at.map((i) => printIndex(i, block))
  const flat = at.reduce((address, i, d) => (d === 0 ? i : `(${address} * ${shape[d]} + ${i})`), "0")
  const checks = v.at.flatMap((i, d) =>
    provablyIn(i, shape[d] ?? 1, block.extents) ? [] : [`${at[d]} >= 0 && ${at[d]} < ${shape[d]}`],
  )
  return checks.length === 0 ? `x${v.input}[${flat}]` : `(${checks.join(" && ")} ? x${v.input}[${flat}] : NaN)`
}

const printValue = (v: Value, block: Block): string => {
  if (!block.shared.has(v)) return printPart(v, block)
  const name = block.names.get(v) ?? block.fresh("t")
  if (!block.names.has(v)) block.lines.push(`const ${name} = ${printPart(v, block)}`)
  block.names.set(v, name)
  return name
}

const printPart = (v: Value, block: Block): string => {
  switch (v._tag) {
    case "Const":
      return number(Math.fround(v.value))
    case "Load":
      return printLoad(v, block)
    case "ToFloat":
      return printIndex(v.index, block)
    case "Unary": {
      const a = printValue(v.a, block)
      return v.op === "neg" ? `(-${a})` : v.op === "erf" ? `erf(${a})` : `Math.${v.op}(${a})`
    }
    case "Binary": {
      const [a, b] = [printValue(v.a, block), printValue(v.b, block)]
      switch (v.op) {
        case "add":
          return `(${a} + ${b})`
        case "sub":
          return `(${a} - ${b})`
        case "mul":
          return `(${a} * ${b})`
        case "div":
          return `(${a} / ${b})`
        case "pow":
          return `pow(${a}, ${b})`
        case "min":
        case "max":
          return `Math.${v.op}(${a}, ${b})`
      }
    }
    case "Select": {
      const condition = printCondition(v.condition, block)
      const [yes, no] = [inner(block), inner(block)]
      const [a, b] = [printValue(v.a, yes), printValue(v.b, no)]
      if (yes.lines.length === 0 && no.lines.length === 0) return `(${condition} ? ${a} : ${b})`
      const name = block.fresh("s")
      block.lines.push(`let ${name}`, `if (${condition}) {`, ...yes.lines, `${name} = ${a}`, "} else {")
      block.lines.push(...no.lines, `${name} = ${b}`, "}")
      return name
    }
    case "Reduce":
      return printReduce(v, block)
  }
}

const printReduce = (v: Reduce, block: Block): string => {
  const inside = inner(block, withReduction(block.extents, v))
  const body = printValue(v.body, inside)
  const total = block.fresh("r")
  const heads = v.axes.map(({ axis, extent }) => `for (let a${axis} = 0; a${axis} < ${extent}; a${axis}++) {`)
  const ends = v.axes.map(() => "}")
  if (v.op === "argmax") {
    const [best, position, element] = [block.fresh("b"), block.fresh("p"), block.fresh("e")]
    block.lines.push(`let ${total} = 0, ${best} = -Infinity, ${position} = 0`, ...heads, ...inside.lines)
    block.lines.push(`const ${element} = ${body}`)
    block.lines.push(`if (${element} > ${best} || (${element} !== ${element} && ${best} === ${best})) {`)
    block.lines.push(`${best} = ${element}; ${total} = ${position}`, "}", `${position}++`, ...ends)
  } else {
    block.lines.push(`let ${total} = ${v.op === "sum" ? "0" : "-Infinity"}`, ...heads, ...inside.lines)
    block.lines.push(v.op === "sum" ? `${total} += ${body}` : `${total} = Math.max(${total}, ${body})`, ...ends)
  }
  return total
}

/** the parts that stand in more than one place, but for those that are short anyhow */
const sharedParts = (kernel: Kernel): ReadonlySet<Value> => {
  const seen = new Set<Value>()
  const shared = new Set<Value>()
  const value = (v: Value): Value => {
    if (v._tag === "Const") return v
    if (seen.has(v)) shared.add(v)
    else {
      seen.add(v)
      mapValue(v, { value, index })
    }
    return v
  }
  const index = (i: Index): Index => {
    if (i._tag === "ToIndex") value(i.value)
    else if (i._tag === "IndexBinary") {
      index(i.a)
      index(i.b)
    }
    return i
  }
  kernel.stores.forEach(value)
  return shared
}

/**
 * The body of a function of `x0, x1, …` (the inputs), `y0, y1, …` (the outputs) and the helpers `erf`, `pow`,
 * `toIndex`.
 */
export const javascript = (kernel: Kernel): string => {
  let names = 0
  const block: Block = {
    lines: [],
    extents: spaceExtents(kernel),
    fresh: (stem) => `${stem}${names++}`,
    kernel,
    shared: sharedParts(kernel),
    names: new Map(),
  }
  const stored = kernel.stores.map((v) => printValue(v, block))
  const heads = kernel.space.map((d, i) => `for (let a${i} = 0; a${i} < ${d}; a${i}++) {`)
  return [
    "let point = 0",
    ...heads,
    ...block.lines,
    // every store is computed before any is written: an output may be one of the inputs
    ...stored.map((v, i) => `const v${i} = ${v}`),
    ...stored.map((_, i) => `y${i}[point] = v${i}`),
    "point++",
    ...heads.map(() => "}"),
  ].join("\n")
}
