/** Tuned contractions for the WebAssembly device: what the plan places in memory, and what its threads call. */
import { type Contraction, type Conv2d, outputShape } from "../Contraction.ts"
import type { Func } from "./Assembler.ts"
import { innerProducts } from "./dotKernels.ts"
import * as InnerProducts from "./InnerProducts.ts"
import { pad, product, spread, tileKernels } from "./productKernels.ts"
import { choose, lay, roundUp } from "./Product.ts"
import * as Winograd from "./Winograd.ts"
import { winograd, winogradWeights } from "./winogradKernels.ts"
import { type Part, type Source, workOf } from "./Work.ts"

export interface ContractionOptions {
  /** how many threads will run it; every phase must be run by exactly so many */
  readonly threads: number
  /** panels of 16 columns, for engines that fuse vectors into 256 bits: see `selectKernels` */
  readonly wide: boolean
}

/**
 * Byte addresses in the memory that the functions' module imports. Up to 64 bytes behind an input may be read (and not used): so
 * none stands at the very end of the memory.
 */
export interface Addresses {
  readonly inputs: ReadonlyArray<number>
  readonly output: number
  /** where `tables` was copied to, at a multiple of 16 */
  readonly tables: number
  /** `workspaceBytes` that nothing else uses during the step, at a multiple of 128 */
  readonly workspace: number
}

/** An exported function and its arguments; a worker calls `exports[fn](...args, part, parts)`. */
export interface Call {
  readonly fn: string
  readonly args: ReadonlyArray<number>
}
/** Calls without a barrier between them; every thread makes them all, each with its own `part`. */
export type Phase = ReadonlyArray<Call>

export interface PlannedContraction {
  /** constant data that the calls read: copied once, when the plan is compiled */
  readonly tables: Int32Array
  /** memory whose contents need not survive the step */
  readonly workspaceBytes: number
  /** in order, with a barrier between (and, as for any kernel, before and after) */
  readonly phases: (at: Addresses) => ReadonlyArray<Phase>
}

// ---------- the whole

/** Everything a contraction's phases call, to be exported from the module that the workers instantiate. */
export const contractionFunctions = (options: {
  readonly wide: boolean
  readonly relaxed: boolean
}): ReadonlyArray<Func> => {
  const widths = options.wide ? ([16, 8] as const) : ([8] as const)
  return [
    ...widths.flatMap((columns) => {
      const kernel = { columns, relaxed: options.relaxed }
      const tiles = tileKernels(kernel)
      return [product(kernel, tiles), winograd(columns, tiles)]
    }),
    ...winogradWeights,
    innerProducts(options),
    pad,
    spread,
  ]
}

/** How a contraction runs on `threads` threads: its tables, its memory and its calls. */
export const planContraction = (c: Contraction, options: ContractionOptions): PlannedContraction =>
  c.form._tag === "Conv2d" && Winograd.suits(c.form) ? planWinograd(c.form, c.bias, options) : planProducts(c, options)

/** a convolution of 3×3 by minimal filtering: the filters are transformed, then each thread takes its part of the output */
const planWinograd = (f: Conv2d, bias: boolean, { threads, wide }: ContractionOptions): PlannedContraction => {
  const { tables: laid, threadBytes, weightBytes, weights } = Winograd.lay(f, threads)
  const filters = weights.args[0]
  // without a bias, zeros stand for it
  const tables = new Int32Array(laid.length + filters)
  tables.set(laid)
  return {
    tables,
    workspaceBytes: weightBytes + threads * threadBytes,
    phases: (at) => {
      const input = (i: number): number => at.inputs[i] ?? 0
      const biasAt = bias ? input(2) : at.tables + 4 * laid.length
      const [image, own] = [input(0), at.workspace + weightBytes]
      return [
        [{ fn: weights.fn, args: [input(1), at.workspace, ...weights.args, weights.frequency] }],
        [{ fn: `winograd${wide ? 16 : 8}`, args: [at.tables, image, at.workspace, at.output, biasAt, own] }],
      ]
    },
  }
}

/** a part of the work, its tables laid out */
const layPart = (
  part: Part,
  { threads, wide, accumulate }: ContractionOptions & { readonly accumulate: boolean },
): LaidPart => {
  const { left, right } = part
  if (part._tag === "Product") {
    const choice = choose(part.product, wide)
    const sources = choice.transposed ? { left: right, right: left } : { left, right }
    return { ...lay(choice, threads), fn: `product${choice.columns}`, ...sources }
  }
  const inner = InnerProducts.lay(part.products, { wide, accumulate })
  const sources = inner.transposed ? { left: right, right: left } : { left, right }
  return { ...inner, biasTimes: undefined, fn: "innerProducts", ...sources }
}

interface LaidPart {
  readonly fn: string
  readonly left: Source
  readonly right: Source
  readonly tables: Int32Array
  readonly threadBytes: number
  readonly threadBytesAt: number
  /** how often each number of the bias is repeated; inner products add to what stands in the output */
  readonly biasTimes: number | undefined
}

const planProducts = (c: Contraction, { threads, wide }: ContractionOptions): PlannedContraction => {
  const work = workOf(c)
  // rounds of as many images have the same parts, and so the same tables
  const laid = new Map<string, LaidPart>()
  const numbers = new Map<Part, number>()
  const rounds = work.map((round) => ({
    ...round,
    paddedBytes: round.paddings.map(({ planes, stride }) => roundUp(4 * planes * stride, 128)),
    parts: round.parts.map((part) => {
      numbers.set(part, numbers.get(part) ?? numbers.size)
      const accumulate = c.bias || round.accumulate
      const key = `${numbers.get(part)} ${accumulate}`
      const known = laid.get(key) ?? layPart(part, { threads, wide, accumulate })
      laid.set(key, known)
      return known
    }),
  }))
  // threads do not wait for each other between the products of a phase: each keeps to the same memory in all of them
  const threadBytes = Math.max(0, ...[...laid.values()].map((l) => l.threadBytes))
  const places = new Map<LaidPart, number>()
  let words = zeroWords
  for (const l of laid.values()) {
    l.tables[l.threadBytesAt] = threadBytes
    places.set(l, words)
    words += roundUp(l.tables.length, 4)
  }
  const tables = new Int32Array(words)
  for (const [l, at] of places) tables.set(l.tables, at)

  const bias = c.bias ? (c.form._tag === "MatMul" ? c.form.n : c.form.o) : 0
  // inner products are added to what stands in the output, others begin with what stands in the workspace
  const added = [...laid.values()].some((l) => l.biasTimes === undefined)
  const biasRows = bias > 0 && added ? outputShape(c).reduce((n, d) => n * d, 1) / bias : 0
  // a panel may read bias of columns that there are not
  const biasSizes = bias > 0 && !added ? [...new Set([...laid.values()].map((l) => l.biasTimes ?? 1))] : []
  let biasBytes = 0
  const biasAt = new Map<number | undefined, number>()
  for (const times of biasSizes) {
    biasAt.set(times, biasBytes)
    biasBytes += roundUp(4 * (bias * times + 16), 128)
  }
  const paddedBytes = Math.max(0, ...rounds.map((round) => round.paddedBytes.reduce((a, b) => a + b, 0)))

  return {
    tables,
    workspaceBytes: biasBytes + paddedBytes + threads * threadBytes,
    phases: (at) => {
      const input = (i: number): number => at.inputs[i] ?? 0
      const padded = at.workspace + biasBytes
      const spreadBias = (to: number, times: number): Call => ({ fn: "spread", args: [input(2), to, bias, times] })
      const biases = [
        ...biasSizes.map((times) => spreadBias(at.workspace + (biasAt.get(times) ?? 0), times)),
        ...Array.from({ length: biasRows }, (_, row) => spreadBias(at.output + 4 * row * bias, 1)),
      ]
      return rounds.flatMap((round, i) => {
        const paddedSecond = padded + (round.paddedBytes[0] ?? 0)
        const [first, second] = [input(0), input(1)]
        const address: Record<Source, number> = { first, second, zero: at.tables, padded, paddedSecond }
        const pads = round.paddings.map((p, second): Call => {
          const extents = [p.planes, p.height, p.width, p.outerWidth, p.top, p.left, p.stride]
          return { fn: "pad", args: [input(p.input) + 4 * p.start, second === 0 ? padded : paddedSecond, ...extents] }
        })
        const run = round.parts.map((l): Call => {
          const init = biasAt.get(l.biasTimes)
          const args = [
            at.tables + 4 * (places.get(l) ?? 0),
            address[l.left],
            address[l.right],
            at.output + 4 * round.output,
            init === undefined ? at.tables : at.workspace + init,
            padded + paddedBytes,
          ]
          return { fn: l.fn, args }
        })
        const prepare = i === 0 ? [...biases, ...pads] : pads
        return prepare.length === 0 ? [run] : [prepare, run]
      })
    },
  }
}

/** the tables begin with zeros, to start sums from */
const zeroWords = 16
