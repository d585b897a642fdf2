/**
 * Kernels that follow one another row by row, as one pass over memory: a thread takes a few rows through all of them
 * while they are in its cache. What nothing else reads is kept for those rows alone.
 */
import { forEachPart } from "../expression.ts"
import type * as K from "../Kernel.ts"
import { aligned } from "../memory.ts"
import { elements, type Plan, type Step } from "../Plan.ts"
import * as Wasm from "./Assembler.ts"
import { type Expr, i32, type Local } from "./Assembler.ts"
import type { CompiledKernel } from "./compileKernel.ts"
import { splitReduction } from "./splitReduction.ts"

type KernelStep = Step & { readonly code: K.Kernel }

/** The steps from `first` to `last`; a row is what the first `depth` axes of their spaces have in common. */
export interface Pass {
  readonly first: number
  readonly last: number
  readonly depth: number
  readonly rows: number
  /** rows that go through all kernels together */
  readonly chunk: number
  /** buffers of which only the rows at hand are kept */
  readonly local: ReadonlySet<number>
}

/** fewer rows are not shared out evenly */
const fewestRows = 32
/** bytes of a row, in all arrays: less is not worth a round, more is no longer in a cache for the next kernel */
const rowBytes = { least: 256, most: 2 ** 18 }
/** bytes in all arrays that a cache holds anyway */
const small = 2 ** 20
/** bytes of the rows at hand */
const chunkBytes = 2 ** 16
const deepest = 3

/** how a kernel loads each buffer: by its own rows only, and nothing but elements that exist, or otherwise */
interface Loads {
  readonly byRow: boolean
  readonly plain: boolean
}

const loadsOf = ({ code, inputs }: KernelStep, depth: number): ReadonlyMap<number, Loads> => {
  const found = new Map<number, Loads>()
  const prefix = code.space.slice(0, depth).join()
  const look = (v: K.Value): void => {
    if (v._tag !== "Load") return
    const buffer = inputs[v.input] ?? -1
    const shape = code.inputs[v.input] ?? []
    const byRow =
      shape.slice(0, depth).join() === prefix && v.at.slice(0, depth).every((i, d) => i._tag === "Axis" && i.axis === d)
    const plain = v.at.every((i) => i._tag === "Axis" || i._tag === "Int")
    const before = found.get(buffer) ?? { byRow: true, plain: true }
    found.set(buffer, { byRow: before.byRow && byRow, plain: before.plain && plain })
  }
  forEachPart(code.stores, look)
  return found
}

const isKernel = (step: Step | undefined): step is KernelStep => step?.code._tag === "Kernel"

const sizeOf = (plan: Plan, buffer: number): number => elements(plan.buffers[buffer]?.shape ?? []) * 4

/** the longest pass that begins with step `first`, with rows of so many axes */
const passFrom = (plan: Plan, first: number, depth: number): Pass | undefined => {
  const start = plan.steps[first]
  if (!isKernel(start) || start.code.space.length < depth) return undefined
  const prefix = start.code.space.slice(0, depth)
  const rows = elements(prefix)
  if (rows < fewestRows) return undefined
  const written = new Set<number>()
  const loads = new Map<number, Loads>()
  let last = first - 1
  for (let i = first; i < plan.steps.length; i++) {
    const step = plan.steps[i]
    if (!isKernel(step) || step.code.space.slice(0, depth).join() !== prefix.join()) break
    if (elements(step.code.space) === 0 || splitReduction(step.code) !== undefined) break
    const own = loadsOf(step, depth)
    const outputs = new Set(step.outputs)
    // a row must meet in no other row what a kernel of the pass writes
    const foreign = [...own].some(([b, { byRow }]) => !byRow && (written.has(b) || outputs.has(b)))
    const overtaken = step.outputs.some((b) => loads.get(b)?.byRow === false)
    const shares =
      i === first || [...own].some(([b, { byRow }]) => byRow && (written.has(b) || loads.get(b)?.byRow === true))
    if (foreign || overtaken || !shares) break
    for (const [b, { byRow, plain }] of own) {
      const before = loads.get(b) ?? { byRow: true, plain: true }
      loads.set(b, { byRow: before.byRow && byRow, plain: before.plain && plain })
    }
    for (const b of outputs) written.add(b)
    last = i
  }
  if (last <= first) return undefined
  const touched = new Set([...written, ...[...loads].flatMap(([b, { byRow }]) => (byRow ? [b] : []))])
  const bytes = [...touched].reduce((n, b) => n + sizeOf(plan, b), 0)
  const each = bytes / rows
  if (bytes < small || each < rowBytes.least || each > rowBytes.most) return undefined
  const elsewhere = new Set(
    plan.steps.flatMap((step, i) => (i < first || i > last ? [...step.inputs, ...step.outputs] : [])),
  )
  const local = new Set(
    [...written].filter(
      (b) => plan.buffers[b]?.role._tag === "Temp" && !elsewhere.has(b) && loads.get(b)?.plain !== false,
    ),
  )
  return { first, last, depth, rows, chunk: Math.max(1, Math.floor(chunkBytes / each)), local }
}

/** The passes of a plan, none of which overlap. What they are depends on shapes alone. */
export const findPasses = (plan: Plan): ReadonlyArray<Pass> => {
  const found: Array<Pass> = []
  for (let first = 0; first < plan.steps.length;) {
    const candidates = Array.from({ length: deepest }, (_, i) => passFrom(plan, first, deepest - i))
    const best = candidates.reduce((a, b) => (b !== undefined && (a === undefined || b.last > a.last) ? b : a))
    if (best !== undefined) found.push(best)
    first = best === undefined ? first + 1 : best.last + 1
  }
  return found
}

/** an array of a pass: given as it is, or kept for the rows at hand, of so many bytes each */
export type PassArray = { readonly _tag: "Whole" } | { readonly _tag: "Rows"; readonly bytes: number }

/** the bytes that each thread needs for the rows at hand */
export const scratchBytes = (chunk: number, arrays: ReadonlyArray<PassArray>): number =>
  arrays.reduce((n, a) => n + (a._tag === "Rows" ? aligned(a.bytes * chunk) : 0), 0)

/**
 * `func(...addresses, scratch, part, parts)` takes one part of the rows through the kernels, each given with the
 * positions of its arrays. An array of rows gets its place from `scratch`, whatever its address.
 */
export const compilePass = (
  kernels: ReadonlyArray<{ readonly compiled: CompiledKernel; readonly arrays: ReadonlyArray<number> }>,
  { rows, chunk }: { readonly rows: number; readonly chunk: number },
  arrays: ReadonlyArray<PassArray>,
  name: string,
): CompiledKernel => {
  const named = Object.fromEntries(arrays.map((_, i) => [`array${i}`, "i32" as const]))
  const parameters = { ...named, scratch: "i32", part: "i32", parts: "i32" } as const
  const func = Wasm.func(name, parameters, "void", (given, local) => {
    const { scratch, part, parts } = given
    const addresses: ReadonlyArray<Local<"i32">> = Object.values(given)
    const [at, to, end, own] = [local("i32"), local("i32"), local("i32"), local("i32")]
    let offset = 0
    const places = arrays.map((array, i): { readonly base: Expr<"i32">; readonly set: Wasm.Statement | undefined } => {
      const address = addresses[i] ?? scratch
      if (array._tag === "Whole") return { base: address, set: undefined }
      const base = local("i32")
      const place = i32.sub(i32.add(own, offset), i32.mul(at, array.bytes))
      offset += aligned(array.bytes * chunk)
      return { base, set: Wasm.set(base, place) }
    })
    return [
      Wasm.set(at, i32.divU(i32.mul(part, rows), parts)),
      Wasm.set(to, i32.divU(i32.mul(i32.add(part, 1), rows), parts)),
      Wasm.set(own, i32.add(scratch, i32.mul(part, scratchBytes(chunk, arrays)))),
      Wasm.whileLoop(i32.ltS(at, to), () => [
        Wasm.set(end, i32.add(at, chunk)),
        Wasm.set(end, Wasm.select(i32.ltS(end, to), end, to)),
        ...places.flatMap(({ set }) => set ?? []),
        ...kernels.map(({ compiled, arrays: positions }) => {
          const each = compiled.units / rows
          const bases = positions.map((p) => places[p]?.base ?? scratch)
          return Wasm.call(compiled.func, i32.mul(at, each), i32.mul(end, each), ...bases)
        }),
        Wasm.set(at, end),
      ]),
    ]
  })
  return { func, units: rows, cost: kernels.reduce((n, k) => n + k.compiled.cost, 0) }
}
