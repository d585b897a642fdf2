/** An ordinary kernel as a WebAssembly function over a range of its rows. */
import type * as K from "../Kernel.ts"
import * as Wasm from "./Assembler.ts"
import { type Expr, f32, type Func, i32, type Local, type Statement, v128 } from "./Assembler.ts"
import { type FlatKernel, flatten, guardBytes, inSteps, type Node } from "./Flat.ts"
import * as Lin from "./Lin.ts"
import { runsAlong } from "./reduce.ts"
import { interiorOf, kindsOf, type Truths } from "./regions.ts"
import { addressAt, child, type Emitter, keep, round, type Scope, truth } from "./Scope.ts"
import { makeEmitter } from "./values.ts"

/**
 * `func(from, to, ...addresses)` computes the units from `from` to `to`; the addresses are those of the inputs, then of
 * the outputs. How the work is cut into units depends on shapes alone, and units do not depend on each
 * other, so threads may share them in any way.
 */
export interface CompiledKernel {
  readonly func: Func
  readonly units: number
  /** a rough count of instructions for the whole, to decide whether other threads are worth waking */
  readonly cost: number
}

/** elements of a long row that are one unit */
const rowBlock = 4096
/** elements of a row that take as many lines of a cache */
const lineBlock = 16
/** elements of a row of which the few that fill no round do not matter */
const longRow = 1024

const isTranscendental = (node: Node): boolean =>
  (node._tag === "Unary" && (node.op === "exp" || node.op === "log" || node.op === "tanh" || node.op === "erf")) ||
  (node._tag === "Binary" && node.op === "pow")

const parts = (node: Node): ReadonlyArray<Node> => {
  switch (node._tag) {
    case "Unary":
      return [node.a]
    case "Binary":
    case "Select":
      return [node.a, node.b]
    case "Reduce":
      return [node.body]
    default:
      return []
  }
}

const walk = (roots: ReadonlyArray<Node>, into: (node: Node) => boolean, truths: Truths = new Map()): void => {
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node)) return
    seen.add(node)
    const known = node._tag === "Select" ? truth(node.condition, truths) : undefined
    if (node._tag === "Select" && known !== undefined) visit(known ? node.a : node.b)
    else if (into(node)) parts(node).forEach(visit)
  }
  roots.forEach(visit)
}

/** instructions for one point, about */
const costOf = (roots: ReadonlyArray<Node>): number => {
  let total = 0
  walk(roots, (node) => {
    total += isTranscendental(node) ? 25 : node._tag === "Const" ? 0 : 1
    if (node._tag !== "Reduce") return true
    total += node.axes.reduce((n, a) => n * a.extent, 1) * costOf([node.body])
    return false
  })
  return total
}

/** what it costs to have four elements of every load in a vector along `axis` */
const loadCost = (roots: ReadonlyArray<Node>, axis: number): number => {
  let total = 0
  walk(roots, (node) => {
    if (node._tag === "Load") {
      const step = Lin.coefficientOf(node.at, axis)
      total += Lin.hides(node.at, axis) ? 7 : step === 0 || step === 1 ? 1 : step === 2 ? 2 : 5
    }
    return true
  })
  return Math.max(1, total)
}

/** the part of four lanes that an axis of `extent` fills on average */
const filled = (extent: number): number => extent / (4 * Math.ceil(extent / 4))

/** whether points are computed one at a time, with vectors inside their reductions only */
const pointwise = (flat: FlatKernel): boolean => {
  const last = flat.space.at(-1)
  if (last === undefined) return true
  const reduces: Array<Node & { readonly _tag: "Reduce" }> = []
  walk(flat.stores.flat(), (node) => {
    if (node._tag !== "Reduce") return true
    reduces.push(node)
    return false
  })
  if (reduces.length === 0 || !reduces.every(runsAlong)) return false
  const own = reduces.reduce((n, r) => {
    const inner = r.axes.at(-1)
    return inner === undefined ? n : n + loadCost([r.body], inner.axis) / filled(inner.extent)
  }, 0)
  const across = reduces.reduce((n, r) => n + loadCost([r.body], last.axis), 0)
  return last.extent < 4 || own < 0.9 * (across / filled(last.extent))
}

/** how many vectors are computed side by side: enough that none waits for another, while all find room in registers */
const vectorsAbreast = (flat: FlatKernel, wide: boolean, truths: Truths): number => {
  let [weight, loads] = [0, 0]
  walk(
    flat.stores.flat(),
    (node) => {
      if (node._tag === "Load") loads++
      weight += isTranscendental(node) ? 20 : node._tag === "Const" ? 0 : 1
      return true
    },
    truths,
  )
  if (weight <= 14) return 4
  if (loads > 6) return weight <= 40 ? 2 : 1
  return wide && flat.row >= longRow ? 8 : 4
}

/** how much an integer can grow while the axis in lanes grows by `by` */
const growth = (l: Lin.Lin, axis: number, by: number): number =>
  l.terms.reduce((n, { coefficient, atom }) => n + Math.abs(coefficient) * growthOf(atom, axis, by), 0)
const growthOf = (atom: Lin.Atom, axis: number, by: number): number => {
  if (!atom.deps.has(axis)) return 0
  switch (atom._tag) {
    case "Axis":
      return by
    case "Div":
      return growth(atom.a, axis, by) / atom.by + 1
    case "Mod":
      return atom.by
    case "Min":
    case "Max":
      return Math.max(growth(atom.a, axis, by), growth(atom.b, axis, by))
    default:
      return Infinity
  }
}

/** whether a vector whose last lanes lie beyond the last axis loads from near the arrays, if not from them */
const overhangs = (flat: FlatKernel, axis: number): boolean =>
  flat.nodes.every((node) => {
    if (node._tag !== "Load" || node.clamp) return true
    const more = growth(node.at, axis, 3)
    const beyond = Math.max(node.at.high - (flat.sizes[node.input] ?? 0), -node.at.low)
    return (Math.max(0, beyond) + more) * 4 <= guardBytes - 1024
  })

/** the vectors in which neighbouring points stand one after the other, from one vector for each phase */
const interleaved = (
  e: Emitter,
  scope: Scope,
  phases: ReadonlyArray<Expr<"v128"> | undefined>,
): ReadonlyArray<Expr<"v128">> | undefined => {
  const [a, b, c, d] = phases
  if (phases.length === 1 && a !== undefined) return [a]
  const zip = (x: Expr<"v128">, y: Expr<"v128">) =>
    [v128.shuffle32(x, y, [0, 4, 1, 5]), v128.shuffle32(x, y, [2, 6, 3, 7])] as const
  if (a === undefined || b === undefined) return undefined
  if (phases.length === 2) return zip(a, b)
  if (phases.length !== 4 || c === undefined || d === undefined) return undefined
  const [even, odd] = [zip(a, c), zip(b, d)].map((pair) => pair.map((x) => keep(e, scope, x)))
  return even?.flatMap((x, i) => {
    const y = odd?.[i]
    return y === undefined ? [] : zip(x, y)
  })
}

/** whether neighbouring rows load parts of the same array */
const sharesRows = (flat: FlatKernel): boolean => {
  const loaded = flat.nodes.flatMap((node) => (node._tag === "Load" ? [node.input] : []))
  return new Set(loaded).size < loaded.length
}

/** whether neighbours in a row come from far apart, but those in a column stand side by side, as in a transpose */
const readsAcross = (flat: FlatKernel, along: number, down: number): boolean =>
  flat.nodes.some(
    (node) =>
      node._tag === "Load" &&
      Math.abs(Lin.coefficientOf(node.at, along)) >= 16 &&
      Math.abs(Lin.coefficientOf(node.at, down)) * flat.phases <= 4 &&
      Lin.coefficientOf(node.at, down) !== 0,
  )

export interface Options {
  /** whether the engine has relaxed SIMD */
  readonly relaxed: boolean
  /** whether it makes one vector of two: the same bits, from twice as many side by side */
  readonly wide: boolean
  /** each point of so many outer axes has units of its own, one after the other and equally many */
  readonly rowAxes?: number
}

export const compileKernel = (
  kernel: K.Kernel,
  name: string,
  { relaxed, wide, rowAxes = 0 }: Options,
): CompiledKernel => {
  const plain = flatten(kernel, rowAxes)
  const points = plain.space.reduce((n, a) => n * a.extent, 1)
  const single = pointwise(plain) || (rowAxes > 0 && kernel.space.slice(rowAxes).every((extent) => extent === 1))
  const flat = single ? plain : inSteps(kernel, plain)
  const vectorAxis = single ? undefined : flat.space.at(-1)
  const outer = vectorAxis === undefined ? flat.space : flat.space.slice(0, -1)
  const rows = outer.reduce((n, a) => n * a.extent, 1)
  const steps = vectorAxis?.extent ?? 1
  const { phases } = flat
  // what several rows load is still in a cache if they take the same part of it one after the other
  const shares = rowAxes === 0 && outer.length > 0 && sharesRows(flat)
  const across = vectorAxis !== undefined && readsAcross(flat, vectorAxis.axis, outer.at(-1)?.axis ?? -1)
  const blockSize = across ? lineBlock : rowBlock
  const blocks = rowAxes > 0 || (rows >= 64 && !shares && !across) ? 1 : Math.ceil(steps / blockSize)
  const inputs = flat.sizes.length

  const arrays = Object.fromEntries([...flat.sizes, ...flat.stores].map((_, i) => [`array${i}`, "i32" as const]))
  const parameters = { from: "i32", to: "i32", ...arrays } as const
  const func = Wasm.func(name, parameters, "void", ({ from, to, ...given }, local) => {
    const bases: ReadonlyArray<Local<"i32">> = Object.values(given)
    const e = makeEmitter(flat, relaxed, local, bases)
    const root = child(undefined)

    const unit = local("i32")
    const axisLocals = outer.map((a) => [a.axis, local("i32")] as const)
    const each = child(root, axisLocals)
    /** the loops over the units from the outermost in: the outer axes, and the blocks of a row among them */
    const block = local("i32")
    const around = axisLocals.map(([, variable], i) => ({ variable, extent: outer[i]?.extent ?? 1 }))
    around.splice(
      shares || across ? -1 : around.length,
      0,
      ...(blocks === 1 ? [] : [{ variable: block, extent: blocks }]),
    )
    let rest: Expr<"i32"> = unit
    for (const [i, { variable, extent }] of [...around.entries()].toReversed()) {
      each.statements.push(Wasm.set(variable, i === 0 ? rest : i32.remU(rest, extent)))
      if (i > 0) rest = keep(e, each, i32.divU(rest, extent))
    }

    const storeScalars = (scope: Scope, count: number) => {
      const values = flat.stores.map((all) => all.slice(0, count).map((v) => e.scalar(v, scope)))
      values.forEach((all, s) => {
        const { address, offset } = addressAt(e, inputs + s, flat.point, scope)
        all.forEach((v, phase) => scope.statements.push(f32.store(address, v, offset + 4 * phase)))
      })
    }
    /** `width` vectors of each phase, of which the first `count` points are stored */
    const storeVectors = (scope: Scope, width: number, count = 4 * width * phases) => {
      const values = flat.stores.map((all) => all.map((v) => e.vector(v, scope)))
      values.forEach((all, s) => {
        const { address, offset } = addressAt(e, inputs + s, flat.point, scope)
        for (let j = 0; j < width; j++) {
          const own = all.map((vectors) => vectors[j])
          const start = 4 * j * phases
          const whole = interleaved(e, scope, own)
          if (whole !== undefined)
            whole.forEach((x, i) => storeLanes(scope, address, x, offset + 4 * (start + 4 * i), count - start - 4 * i))
          else
            own.forEach((x, phase) =>
              ([0, 1, 2, 3] as const).forEach((lane) => {
                const at = start + lane * phases + phase
                if (x !== undefined && at < count)
                  scope.statements.push(v128.store32Lane(lane, address, x, offset + 4 * at))
              }),
            )
        }
      })
    }
    if (vectorAxis === undefined) storeScalars(each, 1)
    else {
      const i = local("i32")
      const end: Local<"i32"> = local("i32")
      const whole = Math.floor(flat.row / phases)
      if (blocks === 1) each.statements.push(Wasm.set(i, 0), Wasm.set(end, whole))
      else {
        const start = i32.mul(block, blockSize)
        each.statements.push(Wasm.set(i, start), Wasm.set(end, i32.add(i, blockSize)))
        each.statements.push(Wasm.set(end, Wasm.select(i32.gtS(end, whole), i32.const(whole), end)))
      }
      /** rounds of so many vectors, or of single steps, as long as they end before `to` */
      const rounds = (into: Scope, vectors: number, to: Expr<"i32">, more: Truths = new Map()) => {
        const lanes = vectors === 0 ? undefined : { axis: vectorAxis.axis, width: vectors }
        const truths = new Map([...into.truths, ...more])
        const inside = child(into, [[vectorAxis.axis, i]], lanes, true, truths)
        if (vectors === 0) storeScalars(inside, phases)
        else storeVectors(inside, vectors)
        const step = vectors === 0 ? 1 : 4 * vectors
        inside.statements.push(Wasm.increase(i, step))
        into.statements.push(Wasm.whileLoop(i32.leS(i32.add(i, step), to), () => round(e, inside)))
      }
      const most = (into: Scope, to: Expr<"i32">, more: Truths = new Map()) => {
        const width = vectorsAbreast(flat, wide, new Map([...into.truths, ...more]))
        if (whole >= 4 * width) rounds(into, width, to, more)
        if (width > 1 && (into !== each || whole % (4 * width) >= 4)) rounds(into, 1, to, more)
      }
      const interior = interiorOf(flat, vectorAxis.axis, steps)
      const kinds = kindsOf(flat, outer)
      if (interior === undefined && kinds.length === 0) most(each, end)
      else {
        const from = interior?.from ?? 0
        const to = Math.min(interior?.to ?? whole, whole)
        const least = (bound: number) => keep(e, each, Wasm.select(i32.gtS(end, bound), i32.const(bound), end))
        // a round that begins before the interior
        if (from > 0) rounds(each, 1, least(from + 3))
        const before = least(to)
        const all = kinds.length === 0 ? [{ tests: [], truths: new Map() }] : kinds
        const otherwise = kinds.length === 0 ? [] : inScope(e, each, (rest) => most(rest, before, interior?.truths))
        const chosen = all.reduceRight<ReadonlyArray<Statement>>((rest, kind) => {
          const own = inScope(e, each, (scope) => most(scope, before, interior?.truths), kind.truths)
          const [first, ...others] = kind.tests.map(([t, comes]) =>
            comes ? e.test(t, each) : i32.eqz(e.test(t, each)),
          )
          return first === undefined ? own : [Wasm.when(others.reduce(i32.and, first), own, rest)]
        }, otherwise)
        each.statements.push(...chosen)
        if (whole - to >= 1) rounds(each, 1, end)
      }
      const onlyLast = (statements: ReadonlyArray<Statement>): ReadonlyArray<Statement> =>
        blocks === 1 ? statements : [Wasm.when(i32.eq(block, blocks - 1), statements)]
      /** points of the row that are left: those of less than four steps, and of one that is not whole */
      const left = flat.row - phases * (whole - (whole % 4))
      if (left > 0 && overhangs(flat, vectorAxis.axis)) {
        const inside = child(each, [[vectorAxis.axis, i]], { axis: vectorAxis.axis, width: 1 })
        storeVectors(inside, 1, left)
        each.statements.push(...onlyLast(round(e, inside)))
      } else {
        if (whole % 4 > 0) rounds(each, 0, end)
        const inside = child(each, [[vectorAxis.axis, i]], undefined)
        storeScalars(inside, flat.row % phases)
        each.statements.push(...onlyLast(round(e, inside)))
      }
    }
    root.statements.push(Wasm.forRange(unit, from, to, 1, () => round(e, each)))
    return Wasm.constantsFirst(root.statements, local)
  })
  return { func, units: points === 0 ? 0 : rows * blocks, cost: points * costOf(plain.stores.flat()) }
}

/** statements in a scope of their own, in which tests are known to come out as `truths` says */
const inScope = (
  e: Emitter,
  around: Scope,
  fill: (scope: Scope) => void,
  truths: Truths = around.truths,
): ReadonlyArray<Statement> => {
  const scope = child(around, [], around.lanes, false, truths)
  fill(scope)
  return scope.statements
}

/** the first `count` lanes stored */
const storeLanes = (scope: Scope, address: Expr<"i32">, x: Expr<"v128">, offset: number, count: number): void => {
  if (count <= 0) return
  if (count >= 4) return void scope.statements.push(v128.store(address, x, offset))
  if (count >= 2) scope.statements.push(v128.store64(address, x, offset))
  if (count === 1) scope.statements.push(v128.store32Lane(0, address, x, offset))
  if (count === 3) scope.statements.push(v128.store32Lane(2, address, x, offset + 8))
}
