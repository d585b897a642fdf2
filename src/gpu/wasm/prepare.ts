/** A plan as code, memory and a schedule that only lacks addresses. Pure: nothing here touches a device. */
import * as Contraction from "../Contraction.ts"
import type { Kernel } from "../Kernel.ts"
import { type Arena, arrange, lifetimes, type Need } from "../memory.ts"
import type { Plan, Step } from "../Plan.ts"
import { elements } from "../Plan.ts"
import { type Func, encode } from "./Assembler.ts"
import { type CompiledKernel, compileKernel } from "./compileKernel.ts"
import { isWrittenOut } from "./Flat.ts"
import { inPlace } from "./inPlace.ts"
import { type PlannedContraction, planContraction } from "./contraction.ts"
import { compilePass, findPasses, type Pass, type PassArray, scratchBytes } from "./passes.ts"
import { splitReduction } from "./splitReduction.ts"
import type { WorkerCall, WorkerPhase } from "./workers.ts"

/** how the machine is made, as far as code depends on it */
export interface Engine {
  readonly threads: number
  readonly shared: boolean
  /** two vectors are one: panels of 16 columns in contractions, more vectors side by side elsewhere */
  readonly wide: boolean
  /** relaxed SIMD in other kernels */
  readonly relaxed: boolean
  /** no tuned contraction */
  readonly plain: boolean
}

/** a piece of memory: one of the plan's buffers, or one that only a step needs */
type Piece = number

interface KernelTask {
  readonly _tag: "KernelTask"
  readonly step: number
  readonly fn: string
  /** `undefined` for a pass, which knows by itself which part of it a thread has */
  readonly units: number | undefined
  readonly alone: boolean
  readonly arrays: ReadonlyArray<Piece>
  readonly reads: ReadonlyArray<Piece>
  readonly writes: ReadonlyArray<Piece>
}

interface ContractionTask {
  readonly _tag: "ContractionTask"
  readonly step: number
  readonly planned: PlannedContraction
  readonly alone: boolean
  readonly inputs: ReadonlyArray<Piece>
  readonly output: Piece
  readonly tables: Piece
  readonly workspace: Piece
  readonly reads: ReadonlyArray<Piece>
  readonly writes: ReadonlyArray<Piece>
}

export interface Prepared {
  /** the module with the plan's own kernels, or `undefined` where it has none */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
  /** equal for plans with equal code */
  readonly key: string
  readonly arena: Arena
  /** `undefined` for what lies outside the arena */
  readonly pieces: ReadonlyArray<Need | undefined>
  /** bytes of each piece, wherever it lies */
  readonly sizes: ReadonlyArray<number>
  /** what is copied into pieces before the first run */
  readonly tables: ReadonlyArray<{ readonly words: Int32Array; readonly piece: Piece }>
  readonly tasks: ReadonlyArray<KernelTask | ContractionTask>
}

/** work below this many instructions is not worth waking another thread */
const aloneBelow = 30000

/**
 * Kernels that do the same have the same text, whatever they are called. Each part is written once, however often it
 * is used.
 */
const contentOf = (kernel: Kernel): string => {
  const numbers = new Map<string, number>()
  const seen = new Map<object, number>()
  const write = (x: unknown): string => {
    if (typeof x === "number") return Object.is(x, -0) ? "-0" : String(x)
    if (typeof x !== "object" || x === null) return `"${String(x)}"`
    const before = seen.get(x)
    if (before !== undefined) return `@${before}`
    const text = Array.isArray(x)
      ? `[${x.map(write).join()}]`
      : `{${Object.keys(x)
          .sort()
          .map((key) => `${key}:${write(Reflect.get(x, key))}`)
          .join()}}`
    const number = numbers.get(text) ?? numbers.size
    numbers.set(text, number)
    seen.set(x, number)
    return `@${number}`
  }
  write([kernel.space, kernel.inputs, kernel.stores])
  return [...numbers.keys()].join("\n")
}

const sameWords = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((w, i) => w === b[i])

/** the code of kernels by their content, shared by the plans of a device */
export type KernelCache = Map<string, CompiledKernel>

/** whether each output is a sum of so few terms, of a channel or two, that packing them for a product does not pay */
const isDirect = ({ form: f }: Contraction.Contraction): boolean =>
  f._tag === "Conv2d" &&
  f.groups > 1 &&
  f.pass !== "weightGradient" &&
  isWrittenOut([(f.pass === "forward" ? f.c : f.o) / f.groups, ...f.kernel])

/** the step, as an ordinary kernel where a tuned contraction has nothing to gain */
const suited = (step: Step, engine: Engine): Step => {
  const { code } = step
  if (code._tag === "Kernel") return step
  const empty = elements(Contraction.outputShape(code)) === 0 || Contraction.flops(code) === 0
  return engine.plain || empty || isDirect(code) ? { ...step, code: Contraction.plain(code) } : step
}

export const prepare = (given: Plan, engine: Engine, cache: KernelCache): Prepared => {
  const { relaxed, wide } = engine
  const plan = { ...given, steps: given.steps.map((step) => suited(step, engine)) }
  const passes = findPasses(plan)
  const passOf = (step: number): Pass | undefined => passes.find((p) => p.first <= step && step <= p.last)
  const { needs, place } = inPlace(plan, lifetimes(plan, passes))
  const pieces: Array<Need | undefined> = [...needs]
  const end = Math.max(0, plan.steps.length - 1)
  const funcs = new Map<string, { readonly compiled: CompiledKernel; readonly fn: string }>()
  const tasks: Array<KernelTask | ContractionTask> = []
  const placed: Array<{ readonly words: Int32Array; readonly piece: Piece }> = []

  const piece = (bytes: number, first: number, last: number): Piece => pieces.push({ bytes, first, last }) - 1

  const compiledOnce = (content: string, make: (id: number) => CompiledKernel): CompiledKernel => {
    const compiled = cache.get(content) ?? make(cache.size)
    cache.set(content, compiled)
    return compiled
  }

  /** contractions of equal shapes share their tables */
  const tablesOf = (words: Int32Array): Piece => {
    const found = placed.find((t) => sameWords(t.words, words))
    if (found !== undefined) return found.piece
    const made = piece(words.byteLength, 0, end)
    placed.push({ words, piece: made })
    return made
  }

  const kernelTask = (
    kernel: Kernel,
    reads: ReadonlyArray<Piece>,
    writes: ReadonlyArray<Piece>,
    step: number,
  ): void => {
    const content = contentOf(kernel)
    const compiled = compiledOnce(content, (id) => compileKernel(kernel, `kernel${id}`, { relaxed, wide }))
    const fn = compiled.func.name
    funcs.set(content, { compiled, fn })
    if (compiled.units === 0) return
    const alone = engine.threads === 1 || compiled.units === 1 || compiled.cost < aloneBelow
    const { units } = compiled
    tasks.push({ _tag: "KernelTask", step, fn, units, alone, arrays: [...reads, ...writes], reads, writes })
  }

  const pass = ({ first, last, depth, rows, chunk, local }: Pass): void => {
    const steps = plan.steps.slice(first, last + 1)
    const touched = [...new Set(steps.flatMap((s) => [...s.inputs, ...s.outputs]))]
    const arrays = touched.map((b): PassArray =>
      local.has(b) ? { _tag: "Rows", bytes: (elements(plan.buffers[b]?.shape ?? []) * 4) / rows } : { _tag: "Whole" },
    )
    const kernels = steps.flatMap(({ code, inputs, outputs }) => {
      if (code._tag !== "Kernel") return []
      const compiled = compiledOnce(`${depth} ${contentOf(code)}`, (id) =>
        compileKernel(code, `kernel${id}`, { relaxed, wide, rowAxes: depth }),
      )
      return [{ compiled, arrays: [...inputs, ...outputs].map((b) => touched.indexOf(b)) }]
    })
    const content = JSON.stringify([kernels.map((k) => [k.compiled.func.name, k.arrays]), rows, chunk, arrays])
    const compiled = compiledOnce(content, (id) => compilePass(kernels, { rows, chunk }, arrays, `pass${id}`))
    const fn = compiled.func.name
    funcs.set(content, { compiled, fn })
    const alone = engine.threads === 1 || compiled.cost < aloneBelow
    const scratch = piece(scratchBytes(chunk, arrays) * (alone ? 1 : engine.threads), first, last)
    const outside = (all: ReadonlyArray<number>) => [...new Set(all.filter((b) => !local.has(b)))]
    const reads = outside(steps.flatMap((s) => s.inputs))
    const writes = [...outside(steps.flatMap((s) => s.outputs)), scratch]
    const places = touched.map((b) => (local.has(b) ? scratch : b))
    tasks.push({
      _tag: "KernelTask",
      step: first,
      fn,
      units: undefined,
      alone,
      arrays: [...places, scratch],
      reads,
      writes,
    })
  }

  const ordinary = (kernel: Kernel, { inputs, outputs }: Step, step: number): void => {
    const split = splitReduction(kernel)
    if (split === undefined) return kernelTask(kernel, inputs, outputs, step)
    const partials = split.partials.map((p) => {
      const partial = piece(elements(p.space) * 4, step, step)
      kernelTask(p, inputs, [partial], step)
      return partial
    })
    kernelTask(split.final, [...inputs, ...partials], outputs, step)
  }

  const contraction = (c: Contraction.Contraction, { inputs, outputs }: Step, step: number): void => {
    const [output = 0] = outputs
    const alone = engine.threads === 1 || Contraction.flops(c) < 8 * aloneBelow
    const planned = planContraction(c, { threads: alone ? 1 : engine.threads, wide: engine.wide })
    const tables = tablesOf(planned.tables)
    const workspace = piece(planned.workspaceBytes, step, step)
    const access = { reads: [...inputs, tables], writes: [output, workspace] }
    tasks.push({ _tag: "ContractionTask", step, planned, alone, inputs, output, tables, workspace, ...access })
  }

  plan.steps.forEach((step, i) => {
    const within = passOf(i)
    if (within !== undefined) return i === within.first ? pass(within) : undefined
    return step.code._tag === "Kernel" ? ordinary(step.code, step, i) : contraction(step.code, step, i)
  })
  const used = [...funcs.values()].map((f) => f.compiled)
  const exports: ReadonlyArray<Func> = used.map((c) => c.func)
  const arena = arrange(pieces.map((p) => p ?? { bytes: 0, first: 0, last: 0 }))
  const memory = { minimum: 1, shared: engine.shared, address: "i32" as const }
  return {
    bytes:
      exports.length === 0
        ? undefined
        : encode({ memory: engine.shared ? { ...memory, maximum: 65536 } : memory, exports }),
    key: exports.map((f) => f.name).join(),
    arena: { ...arena, offsets: arena.offsets.map((offset, i) => arena.offsets[place[i] ?? i] ?? offset) },
    pieces,
    sizes: pieces.map((p, i) => (i < place.length ? elements(plan.buffers[i]?.shape ?? [0]) * 4 : (p?.bytes ?? 0))),
    tables: placed,
    tasks,
  }
}

interface Range {
  readonly from: number
  readonly to: number
}
const meet = (a: ReadonlyArray<Range>, b: ReadonlyArray<Range>): boolean =>
  a.some((x) => b.some((y) => x.from < y.to && y.from < x.to))

/**
 * The schedule for given addresses; `own` is the module of the plan's kernels, `common` that of the contractions. The
 * threads meet only where a task touches what one since they last met has written, or writes what one has read.
 */
export const schedule = (
  prepared: Prepared,
  addresses: ReadonlyArray<number>,
  modules: { readonly own: number; readonly common: number },
): ReadonlyArray<WorkerPhase> => {
  const at = (p: Piece): number => addresses[p] ?? 0
  const range = (p: Piece): Range => ({ from: at(p), to: at(p) + (prepared.sizes[p] ?? 0) })
  let since: ReadonlyArray<{ alone: boolean; reads: ReadonlyArray<Range>; writes: ReadonlyArray<Range> }> = []
  return prepared.tasks.flatMap((task): ReadonlyArray<WorkerPhase> => {
    const { step, alone } = task
    const access = { alone, reads: task.reads.map(range), writes: task.writes.map(range) }
    const barrier = since.some(
      (before) =>
        // what the first thread does alone it does in order
        !(before.alone && alone) &&
        (meet(before.writes, access.reads) || meet(before.writes, access.writes) || meet(before.reads, access.writes)),
    )
    since = barrier ? [access] : [...since, access]
    if (task._tag === "KernelTask") {
      const call: WorkerCall = {
        module: modules.own,
        fn: task.fn,
        args: task.arrays.map(at),
        ...(task.units === undefined ? {} : { units: task.units }),
      }
      return [{ step, alone, barrier, calls: [call] }]
    }
    const { inputs, output, tables, workspace } = task
    const where = { inputs: inputs.map(at), output: at(output), tables: at(tables), workspace: at(workspace) }
    const phases = task.planned.phases(where)
    if (phases.length > 1 && !alone) since = [access]
    return phases.map((phase, i) => ({
      step,
      alone,
      barrier: i === 0 ? barrier : !alone,
      calls: phase.map(({ fn, args }) => ({ module: modules.common, fn, args })),
    }))
  })
}
