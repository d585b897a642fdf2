/** The tuned contraction for WebGPU as plain data: shader texts and what to dispatch with them. */
import * as Contraction from "../Contraction.ts"
import { elements } from "../Plan.ts"
import * as Gemm from "./Gemm.ts"
import * as Wgsl from "./wgsl.ts"

/** the limits of a `GPUDevice` that the choice of tiles asks for */
export interface Limits {
  readonly maxComputeWorkgroupStorageSize: number
  readonly maxComputeInvocationsPerWorkgroup: number
  readonly maxComputeWorkgroupSizeX: number
  readonly maxComputeWorkgroupsPerDimension: number
  readonly maxStorageBufferBindingSize: number
}

/** what stands at a binding: one of the contraction's inputs, its output, or the workspace */
export type Source =
  | { readonly _tag: "Input"; readonly index: number }
  | { readonly _tag: "Output" }
  | { readonly _tag: "Workspace" }

export interface Dispatch {
  /** index into `shaders` */
  readonly shader: number
  /** by binding number, all in group 0 */
  readonly bindings: ReadonlyArray<{ readonly source: Source; readonly access: "read" | "write" }>
  readonly workgroups: readonly [x: number, y: number, z: number]
}

/**
 * A contraction in WGSL. The dispatches run in order, each seeing what the one before wrote. Inputs and output are
 * buffers of float32 in row-major order; the workspace may hold anything before and after, and may be shared.
 */
export interface Tuned {
  readonly shaders: ReadonlyArray<string>
  readonly workspaceBytes: number
  readonly dispatches: ReadonlyArray<Dispatch>
}

/** rows by columns per workgroup, each a power of two */
const tiles: ReadonlyArray<readonly [m: number, n: number]> = [
  [64, 64],
  [32, 64],
  [64, 32],
  [32, 32],
  [16, 64],
  [64, 16],
  [16, 128],
  [128, 16],
  [8, 128],
  [128, 8],
  [16, 32],
  [32, 16],
  [16, 16],
]
const tileK = 16
const blockK = 128
/** as many workgroups keep a large device busy; with fewer, the sum is split */
const enough = 128
const mostSplits = 64
const leastChunk = 256
const mostWorkspaceBytes = 64 * 1024 * 1024

const ceilTo = (x: number, to: number): number => Math.ceil(x / to) * to

/** how many ways to split the sum, and how many terms each way takes */
const splitting = (g: Gemm.Gemm, groups: number, outputSize: number, limits: Limits) => {
  const byBytes = Math.floor(Math.min(mostWorkspaceBytes, limits.maxStorageBufferBindingSize) / (outputSize * 4))
  const wanted = Math.min(Math.ceil(enough / groups), Math.floor(g.k / leastChunk), mostSplits, byBytes)
  const chunkK = ceilTo(Math.ceil(g.k / Math.max(1, wanted)), tileK)
  return { chunkK, splits: Math.ceil(g.k / chunkK) }
}

const tilings = (g: Gemm.Gemm, outputSize: number, limits: Limits): ReadonlyArray<Wgsl.Tiling> =>
  tiles.map(([tileM, tileN]) => {
    const groups = Math.ceil(g.m / tileM) * Math.ceil(g.n / tileN) * g.slices
    const split = splitting(g, groups, outputSize, limits)
    const width = Math.min(groups * split.splits, limits.maxComputeWorkgroupsPerDimension)
    return { tileM, tileN, tileK, blockK, ...split, width }
  })

const fits = (g: Gemm.Gemm, t: Wgsl.Tiling, limits: Limits): boolean =>
  Wgsl.invocations(t) <= Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX) &&
  Wgsl.sharedBytes(g, t) <= limits.maxComputeWorkgroupStorageSize

/**
 * A guess at the time, in multiples of a multiplication: the padded products, what it costs to bring the operands in
 * (an element gathered from an image costs the most), and a penalty where the device is left idle.
 */
const cost = (g: Gemm.Gemm, t: Wgsl.Tiling): number => {
  const [m, n] = [ceilTo(g.m, t.tileM), ceilTo(g.n, t.tileN)]
  const load = (o: Gemm.Operand) => (o.window !== undefined ? 24 : o.vector ? 6 : 12)
  const perProduct = 1 + load(g.a) / t.tileN + load(g.b) / t.tileM
  const busy = ((m / t.tileM) * (n / t.tileN) * g.slices * t.splits * Wgsl.invocations(t)) / (enough * 64)
  return (m * n * perProduct) / Math.sqrt(Math.min(1, busy))
}

const grid = (groups: number, limits: Limits) => {
  const width = Math.min(groups, limits.maxComputeWorkgroupsPerDimension)
  return { width, workgroups: [width, Math.ceil(groups / width), 1] as const }
}

const input = (index: number) => ({ source: { _tag: "Input", index }, access: "read" }) as const
const workspace = (access: "read" | "write") => ({ source: { _tag: "Workspace" }, access }) as const
const output = { source: { _tag: "Output" }, access: "write" } as const

/**
 * The contraction as WGSL compute shaders for a device with these limits: one pass, or two where the output is small
 * and the sum long. The same contraction and limits always give the same texts, and the same inputs the same bits.
 *
 * An element outside of a convolution's input is a zero that is multiplied like any other, so a weight that is not
 * finite gives NaN there (as PyTorch's does).
 *
 * @example
 * const tuned = contraction({ _tag: "Contraction", name: "fc1", bias: false, form: matmul }, device.limits)
 * tuned.dispatches.length // => 1
 */
export const contraction = (c: Contraction.Contraction, limits: Limits): Tuned => {
  const g = Gemm.of(c)
  const outputSize = elements(Contraction.outputShape(c))
  if (outputSize === 0) return { shaders: [], workspaceBytes: 0, dispatches: [] }
  const bias = c.bias ? [input(2)] : []
  const each = grid(Math.ceil(outputSize / 64), limits)
  if (g.k === 0) {
    const dispatch: Dispatch = { shader: 0, bindings: [output, ...bias], workgroups: each.workgroups }
    return { shaders: [Wgsl.total(g, 0, outputSize, each.width)], workspaceBytes: 0, dispatches: [dispatch] }
  }
  const possible = tilings(g, outputSize, limits).filter((t) => fits(g, t, limits))
  // WebGPU's own minimum limits leave every tile possible; the last one is the smallest
  const fallback = tilings(g, outputSize, limits)[tiles.length - 1]!
  const t = possible.reduce((best, next) => (cost(g, next) < cost(g, best) ? next : best), possible[0] ?? fallback)
  const groups = Math.ceil(g.m / t.tileM) * Math.ceil(g.n / t.tileN) * g.slices * t.splits
  const { workgroups } = grid(groups, limits)
  const main = Wgsl.product(g, t, outputSize)
  const operands = [input(g.inputs[0]), input(g.inputs[1])]
  if (t.splits === 1)
    return {
      shaders: [main],
      workspaceBytes: 0,
      dispatches: [{ shader: 0, bindings: [...operands, output, ...bias], workgroups }],
    }
  return {
    shaders: [main, Wgsl.total(g, t.splits, outputSize, each.width)],
    workspaceBytes: t.splits * outputSize * 4,
    dispatches: [
      { shader: 0, bindings: [...operands, workspace("write")], workgroups },
      { shader: 1, bindings: [output, workspace("read"), ...bias], workgroups: each.workgroups },
    ],
  }
}
