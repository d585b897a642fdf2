/**
 * A kernel as plain data: stores of index expressions over one index space. Every device's code is derived from it.
 *
 * Two kinds of expression never mix by accident: `Index` is an integer, `Value` a float32. All loads of a kernel see the
 * arrays as they were before it.
 */

/** An integer. Division and remainder are those of the floor, and their divisor is a positive constant. */
export type Index =
  | { readonly _tag: "Int"; readonly value: number }
  | { readonly _tag: "Axis"; readonly axis: number }
  | { readonly _tag: "IndexBinary"; readonly op: IndexOp; readonly a: Index; readonly b: Index }
  /** the floor of a value: how data (a class label) becomes an index */
  | { readonly _tag: "ToIndex"; readonly value: Value }

export type IndexOp = "add" | "sub" | "mul" | "div" | "mod" | "min" | "max"

/** A condition, for `select`. */
export type Condition =
  | { readonly _tag: "CompareIndex"; readonly op: Comparison; readonly a: Index; readonly b: Index }
  | { readonly _tag: "Compare"; readonly op: Comparison; readonly a: Value; readonly b: Value }
  | { readonly _tag: "And" | "Or"; readonly a: Condition; readonly b: Condition }
  | { readonly _tag: "Not"; readonly a: Condition }
  | { readonly _tag: "IsNaN"; readonly a: Value }

/** Comparisons of floats are IEEE's: with a NaN, only `ne` holds. */
export type Comparison = "lt" | "le" | "gt" | "ge" | "eq" | "ne"

/** A float32. */
export type Value =
  | { readonly _tag: "Const"; readonly value: number }
  /** the element of input `input` at `at`, one index for each of that input's dimensions */
  | { readonly _tag: "Load"; readonly input: number; readonly at: ReadonlyArray<Index> }
  | { readonly _tag: "ToFloat"; readonly index: Index }
  | { readonly _tag: "Unary"; readonly op: UnaryOp; readonly a: Value }
  | { readonly _tag: "Binary"; readonly op: BinaryOp; readonly a: Value; readonly b: Value }
  /** only the chosen side is evaluated: a load out of range on the other side is not seen */
  | { readonly _tag: "Select"; readonly condition: Condition; readonly a: Value; readonly b: Value }
  | Reduce

/** `min` and `max` give NaN if either side is NaN. */
export type BinaryOp = "add" | "sub" | "mul" | "div" | "min" | "max" | "pow"
export type UnaryOp = "neg" | "abs" | "exp" | "log" | "sqrt" | "tanh" | "erf" | "floor"

/**
 * A reduction of `body` over extra axes, in row-major order. `max` and `argmax` let NaN win, and the first of equals;
 * `argmax` gives the row-major position of the winner as a float.
 */
export interface Reduce {
  readonly _tag: "Reduce"
  readonly op: ReduceOp
  readonly axes: ReadonlyArray<ReduceAxis>
  readonly body: Value
}
export type ReduceOp = "sum" | "max" | "argmax"
export interface ReduceAxis {
  /** unique in the kernel, and not an axis of the space */
  readonly axis: number
  readonly extent: number
}

/** `outputs[i][axis 0, axis 1, …] = stores[i]` for every point of the space; each output has the space's shape. */
export interface Kernel {
  readonly _tag: "Kernel"
  readonly name: string
  readonly space: ReadonlyArray<number>
  /** the shapes in which the inputs are indexed (an input's own buffer may have another shape of as many elements) */
  readonly inputs: ReadonlyArray<ReadonlyArray<number>>
  readonly stores: ReadonlyArray<Value>
}

// ---------- constructors: each simplifies what is constant, so that printers need not

export const int = (value: number): Index => ({ _tag: "Int", value })
export const axis = (axis: number): Index => ({ _tag: "Axis", axis })

const foldIndex: Record<IndexOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => Math.floor(a / b),
  mod: (a, b) => a - Math.floor(a / b) * b,
  min: Math.min,
  max: Math.max,
}

const indexBinary = (op: IndexOp, left: Index | number, right: Index | number): Index => {
  const a = typeof left === "number" ? int(left) : left
  const b = typeof right === "number" ? int(right) : right
  if (a._tag === "Int" && b._tag === "Int") return int(foldIndex[op](a.value, b.value))
  if (b._tag === "Int") {
    if ((op === "add" || op === "sub") && b.value === 0) return a
    if ((op === "mul" || op === "div") && b.value === 1) return a
    if ((op === "mul" && b.value === 0) || (op === "mod" && b.value === 1)) return int(0)
  }
  if (a._tag === "Int") {
    if (op === "add" && a.value === 0) return b
    if (op === "mul" && a.value === 1) return b
    if ((op === "mul" || op === "div" || op === "mod") && a.value === 0) return int(0)
  }
  return { _tag: "IndexBinary", op, a, b }
}

export const iadd = (a: Index | number, b: Index | number): Index => indexBinary("add", a, b)
export const isub = (a: Index | number, b: Index | number): Index => indexBinary("sub", a, b)
export const imul = (a: Index | number, b: Index | number): Index => indexBinary("mul", a, b)
export const idiv = (a: Index | number, b: number): Index => indexBinary("div", a, b)
export const imod = (a: Index | number, b: number): Index => indexBinary("mod", a, b)
export const imin = (a: Index | number, b: Index | number): Index => indexBinary("min", a, b)
export const imax = (a: Index | number, b: Index | number): Index => indexBinary("max", a, b)
export const toIndex = (value: Value): Index => ({ _tag: "ToIndex", value })

export const constant = (value: number): Value => ({ _tag: "Const", value })
export const load = (input: number, at: ReadonlyArray<Index>): Value => ({ _tag: "Load", input, at })
export const toFloat = (index: Index): Value =>
  index._tag === "Int" ? constant(index.value) : { _tag: "ToFloat", index }

const value = (v: Value | number): Value => (typeof v === "number" ? constant(v) : v)
const unary =
  (op: UnaryOp) =>
  (a: Value): Value => ({ _tag: "Unary", op, a })
const binary =
  (op: BinaryOp) =>
  (a: Value | number, b: Value | number): Value => ({
    _tag: "Binary",
    op,
    a: value(a),
    b: value(b),
  })

export const neg = unary("neg")
export const abs = unary("abs")
export const exp = unary("exp")
export const log = unary("log")
export const sqrt = unary("sqrt")
export const tanh = unary("tanh")
export const erf = unary("erf")
export const floor = unary("floor")
export const add = binary("add")
export const sub = binary("sub")
export const mul = binary("mul")
export const div = binary("div")
export const min = binary("min")
export const max = binary("max")
export const pow = binary("pow")

/** a comparison of two indices; a number stands for itself */
export const compareIndex = (op: Comparison, a: Index | number, b: Index | number): Condition => ({
  _tag: "CompareIndex",
  op,
  a: typeof a === "number" ? int(a) : a,
  b: typeof b === "number" ? int(b) : b,
})
/** a comparison of two values; with a NaN, only `ne` holds */
export const compare = (op: Comparison, a: Value | number, b: Value | number): Condition => ({
  _tag: "Compare",
  op,
  a: value(a),
  b: value(b),
})
/** all of the conditions */
export const and = (first: Condition, ...rest: ReadonlyArray<Condition>): Condition =>
  rest.reduce((a, b) => ({ _tag: "And", a, b }), first)
/** any of the conditions */
export const or = (first: Condition, ...rest: ReadonlyArray<Condition>): Condition =>
  rest.reduce((a, b) => ({ _tag: "Or", a, b }), first)
export const not = (a: Condition): Condition => ({ _tag: "Not", a })
export const isNaN = (a: Value): Condition => ({ _tag: "IsNaN", a })
/** `a` where the condition holds, else `b`; only the chosen side is evaluated */
export const select = (condition: Condition, a: Value | number, b: Value | number): Value => ({
  _tag: "Select",
  condition,
  a: value(a),
  b: value(b),
})

/** the `i`-th reduction axis of a kernel; the ids leave room for the axes of any space */
export const reductionAxis = (i: number): number => 64 + i

const reduce =
  (op: ReduceOp) =>
  (axes: ReadonlyArray<ReduceAxis>, body: Value): Value => ({ _tag: "Reduce", op, axes, body })
export const sum = reduce("sum")
export const maximum = reduce("max")
export const argmax = reduce("argmax")

/** axis 0, axis 1, … of a space: the point that is being computed */
export const point = (space: ReadonlyArray<unknown>): ReadonlyArray<Index> => space.map((_, i) => axis(i))

// ---------- walking

/** `f` applied to each direct part of a value, rebuilt with the same constructors' folding */
export const mapValue = (
  v: Value,
  f: { readonly value: (v: Value) => Value; readonly index: (i: Index) => Index },
): Value => {
  switch (v._tag) {
    case "Const":
      return v
    case "Load":
      return load(v.input, v.at.map(f.index))
    case "ToFloat":
      return toFloat(f.index(v.index))
    case "Unary":
      return { ...v, a: f.value(v.a) }
    case "Binary":
      return { ...v, a: f.value(v.a), b: f.value(v.b) }
    case "Select":
      return { ...v, condition: mapCondition(v.condition, f), a: f.value(v.a), b: f.value(v.b) }
    case "Reduce":
      return { ...v, body: f.value(v.body) }
  }
}

/** `f` applied to each direct part of a condition, rebuilt */
export const mapCondition = (
  c: Condition,
  f: { readonly value: (v: Value) => Value; readonly index: (i: Index) => Index },
): Condition => {
  switch (c._tag) {
    case "CompareIndex":
      return { ...c, a: f.index(c.a), b: f.index(c.b) }
    case "Compare":
      return { ...c, a: f.value(c.a), b: f.value(c.b) }
    case "And":
    case "Or":
      return { ...c, a: mapCondition(c.a, f), b: mapCondition(c.b, f) }
    case "Not":
      return { ...c, a: mapCondition(c.a, f) }
    case "IsNaN":
      return { ...c, a: f.value(c.a) }
  }
}

/** `f` applied to each direct part of an index, rebuilt with the constructors' folding */
export const mapIndex = (
  i: Index,
  f: { readonly value: (v: Value) => Value; readonly index: (i: Index) => Index },
): Index => {
  switch (i._tag) {
    case "Int":
    case "Axis":
      return i
    case "IndexBinary":
      return indexBinary(i.op, f.index(i.a), f.index(i.b))
    case "ToIndex":
      return toIndex(f.value(i.value))
  }
}
