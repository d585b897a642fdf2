/** An ordinary kernel as a WebAssembly function over a range of its rows. */
import type * as K from "../Kernel.ts"
import * as Wasm from "./Assembler.ts"
import { type Expr, f32, type Func, i32, type Local, v128 } from "./Assembler.ts"
import { type FlatKernel, flatten, type Node } from "./Flat.ts"
import * as Lin from "./Lin.ts"
import { runsAlong } from "./reduce.ts"
import { addressAt, child, keep, type Scope } from "./Scope.ts"
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

const walk = (roots: ReadonlyArray<Node>, into: (node: Node) => boolean): void => {
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node)) return
    seen.add(node)
    if (into(node)) parts(node).forEach(visit)
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
  walk(flat.stores, (node) => {
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

const vectorsAbreast = (flat: FlatKernel): number => {
  let weight = 0
  walk(flat.stores, (node) => {
    weight += isTranscendental(node) ? 20 : node._tag === "Const" ? 0 : 1
    return true
  })
  return weight <= 14 ? 4 : weight <= 40 ? 2 : 1
}

export const compileKernel = (kernel: K.Kernel, name: string): CompiledKernel => {
  const flat = flatten(kernel)
  const points = flat.space.reduce((n, a) => n * a.extent, 1)
  const vectorAxis = pointwise(flat) ? undefined : flat.space.at(-1)
  const outer = vectorAxis === undefined ? flat.space : flat.space.slice(0, -1)
  const rows = outer.reduce((n, a) => n * a.extent, 1)
  const row = vectorAxis?.extent ?? 1
  const blocks = rows >= 64 ? 1 : Math.ceil(row / rowBlock)
  const flatPoint = flat.space.reduce(
    (at, a) => Lin.add(Lin.scale(at, a.extent), Lin.axis(a.axis, a.extent)),
    Lin.int(0),
  )
  const inputs = flat.sizes.length

  const arrays = Object.fromEntries([...flat.sizes, ...flat.stores].map((_, i) => [`array${i}`, "i32" as const]))
  const parameters = { from: "i32", to: "i32", ...arrays } as const
  const func = Wasm.func(name, parameters, "void", ({ from, to, ...given }, local) => {
    const bases: ReadonlyArray<Local<"i32">> = Object.values(given)
    const e = makeEmitter(flat, local, bases)
    const root = child(undefined)

    const unit = local("i32")
    const axisLocals = outer.map((a) => [a.axis, local("i32")] as const)
    const each = child(root, axisLocals)
    let rest: Expr<"i32"> = blocks === 1 ? unit : keep(e, each, i32.divU(unit, blocks))
    for (let i = outer.length - 1; i >= 0; i--) {
      const [axis, variable] = [outer[i], axisLocals[i]?.[1]]
      if (axis === undefined || variable === undefined) continue
      each.statements.push(Wasm.set(variable, i === 0 ? rest : i32.remU(rest, axis.extent)))
      if (i > 0) rest = keep(e, each, i32.divU(rest, axis.extent))
    }

    const storeScalars = (scope: Scope) => {
      const values = flat.stores.map((v) => e.scalar(v, scope))
      values.forEach((v, s) => {
        const { address, offset } = addressAt(e, inputs + s, flatPoint, scope)
        scope.statements.push(f32.store(address, v, offset))
      })
    }
    if (vectorAxis === undefined) storeScalars(each)
    else {
      const i = local("i32")
      const end: Local<"i32"> = local("i32")
      if (blocks === 1) each.statements.push(Wasm.set(i, 0), Wasm.set(end, row))
      else {
        const start = i32.mul(i32.remU(unit, blocks), rowBlock)
        each.statements.push(Wasm.set(i, start), Wasm.set(end, i32.add(i, rowBlock)))
        each.statements.push(Wasm.set(end, Wasm.select(i32.gtS(end, row), i32.const(row), end)))
      }
      const width = vectorsAbreast(flat)
      const rounds = (vectors: number) => {
        const lanes = vectors === 0 ? undefined : { axis: vectorAxis.axis, width: vectors }
        const inside = child(each, [[vectorAxis.axis, i]], lanes)
        if (vectors === 0) storeScalars(inside)
        else {
          const values = flat.stores.map((v) => e.vector(v, inside))
          values.forEach((blocksOf, s) => {
            const { address, offset } = addressAt(e, inputs + s, flatPoint, inside)
            blocksOf.forEach((x, j) => inside.statements.push(v128.store(address, x, offset + 16 * j)))
          })
        }
        const step = vectors === 0 ? 1 : 4 * vectors
        inside.statements.push(Wasm.increase(i, step))
        each.statements.push(Wasm.whileLoop(i32.leS(i32.add(i, step), end), () => inside.statements))
      }
      if (row >= 4 * width) rounds(width)
      if (width > 1 && row % (4 * width) >= 4) rounds(1)
      if (row % 4 > 0) rounds(0)
    }
    root.statements.push(Wasm.forRange(unit, from, to, 1, () => each.statements))
    return root.statements
  })
  return { func, units: points === 0 ? 0 : rows * blocks, cost: points * costOf(flat.stores) }
}
