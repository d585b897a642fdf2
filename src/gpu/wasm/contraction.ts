/** Tuned contractions for the WebAssembly device: what the plan places in memory, and what its threads call. */
import { type Contraction, type Conv2d, outputShape } from "../Contraction.ts"
import type { Func } from "./Assembler.ts"
import { innerProducts } from "./dotKernels.ts"
import * as InnerProducts from "./InnerProducts.ts"
import { pad, product, spread, tileKernels } from "./productKernels.ts"
import { choose, lay, roundUp } from "./Product.ts"
import * as Winograd from "./Winograd.ts"
import { winograd, winogradWeights } from "./winogradKernels.ts"
import { type Source, workOf } from "./Work.ts"

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

const planProducts = (c: Contraction, { threads, wide }: ContractionOptions): PlannedContraction => {
  const { paddings, parts } = workOf(c)
  const laid = parts.map((part) => {
    const { left, right } = part
    if (part._tag === "Product") {
      const choice = choose(part.product, wide)
      const sources = choice.transposed ? { left: right, right: left } : { left, right }
      return { ...lay(choice, threads), fn: `product${choice.columns}`, ...sources }
    }
    const inner = InnerProducts.lay(part.products, { wide, accumulate: c.bias })
    const sources = inner.transposed ? { left: right, right: left } : { left, right }
    return { ...inner, biasTimes: undefined, fn: "innerProducts", ...sources }
  })
  const tables = new Int32Array(laid.reduce((n, l) => n + roundUp(l.tables.length, 4), 0) + zeroWords)
  const placed = laid.reduce<{ readonly at: number; readonly all: ReadonlyArray<number> }>(
    ({ at, all }, l) => {
      tables.set(l.tables, at)
      return { at: at + roundUp(l.tables.length, 4), all: [...all, 4 * at] }
    },
    { at: zeroWords, all: [] },
  )

  const bias = c.bias ? (c.form._tag === "MatMul" ? c.form.n : c.form.o) : 0
  // inner products are added to what stands in the output, others begin with what stands in the workspace
  const biasTimes = laid[0]?.biasTimes
  const biasRows = bias === 0 || biasTimes !== undefined ? 0 : outputShape(c).reduce((n, d) => n * d, 1) / bias
  // a panel may read bias of columns that there are not
  const biasBytes = bias === 0 || biasTimes === undefined ? 0 : roundUp(4 * (bias * biasTimes + 16), 128)
  const paddedBytes = paddings.map(({ planes, stride }) => roundUp(4 * planes * stride, 128))
  const allPadded = paddedBytes.reduce((a, b) => a + b, 0)
  // threads do not wait for each other between the products of a phase: each keeps to the same memory in all of them
  const threadBytes = laid.reduce((max, l) => Math.max(max, l.threadBytes), 0)
  laid.forEach((l, i) => {
    tables[(placed.all[i] ?? 0) / 4 + l.threadBytesAt] = threadBytes
  })

  return {
    tables,
    workspaceBytes: biasBytes + allPadded + threads * threadBytes,
    phases: (at) => {
      const input = (i: number): number => at.inputs[i] ?? 0
      const padded = at.workspace + biasBytes
      const address: Record<Source, number> = {
        first: input(0),
        second: input(1),
        zero: at.tables,
        padded,
        paddedSecond: padded + (paddedBytes[0] ?? 0),
      }
      const prepare: Array<Call> = []
      if (biasBytes > 0) prepare.push({ fn: "spread", args: [input(2), at.workspace, bias, biasTimes ?? 1] })
      for (let row = 0; row < biasRows; row++)
        prepare.push({ fn: "spread", args: [input(2), at.output + 4 * row * bias, bias, 1] })
      paddings.forEach((p, i) => {
        const extents = [p.planes, p.height, p.width, p.outerWidth, p.top, p.left, p.stride]
        prepare.push({ fn: "pad", args: [input(p.input), i === 0 ? padded : address.paddedSecond, ...extents] })
      })
      const run = laid.map((l, i) => ({
        fn: l.fn,
        args: [
          at.tables + (placed.all[i] ?? 0),
          address[l.left],
          address[l.right],
          at.output,
          biasBytes > 0 ? at.workspace : at.tables,
          padded + allPadded,
        ],
      }))
      return prepare.length === 0 ? [run] : [prepare, run]
    },
  }
}

/** the tables begin with zeros, to start sums from */
const zeroWords = 16
