/** Tuned contractions for the WebAssembly device: what the plan places in memory, and what its threads call. */
import type { Contraction, Conv2d, MatMul } from "../Contraction.ts"
import type { Func } from "./Assembler.ts"
import { innerProducts } from "./dotKernels.ts"
import * as InnerProducts from "./InnerProducts.ts"
import { pad, product, spread, tileKernels } from "./productKernels.ts"
import { blocksOf, choose, lay, longestBlock, split } from "./Product.ts"
import type { Product } from "./Product.ts"
import * as Winograd from "./Winograd.ts"
import { winograd, winogradWeights } from "./winogradKernels.ts"

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

/** what an operand is read from */
type Source = "first" | "second" | "padded" | "paddedSecond" | "zero"

/** an image with zeros around, made in the workspace before the products run */
interface Padding {
  readonly input: 0 | 1
  readonly planes: number
  readonly height: number
  readonly width: number
  readonly outerWidth: number
  readonly top: number
  readonly left: number
  /** from plane to plane */
  readonly stride: number
}

type Part =
  | { readonly _tag: "Product"; readonly product: Product; readonly left: Source; readonly right: Source }
  | {
      readonly _tag: "InnerProducts"
      readonly products: InnerProducts.InnerProducts
      readonly left: Source
      readonly right: Source
    }

interface Work {
  /** what `padded` and `paddedSecond` are */
  readonly paddings: ReadonlyArray<Padding>
  readonly parts: ReadonlyArray<Part>
}

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)
const multiples = (n: number, step: number): Int32Array => {
  const all = new Int32Array(n)
  for (let i = 0; i < n; i++) all[i] = i * step
  return all
}
/** `first + row · a + column · b`, row after row */
const grid = (rows: number, columns: number, first: number, a: number, b: number): Int32Array => {
  const all = new Int32Array(rows * columns)
  let at = 0
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) all[at++] = first + y * a + x * b
  return all
}
/** each of `offsets`, then each `stride` further, and so on: `times` of them */
const repeated = (times: number, stride: number, offsets: Int32Array): Int32Array => {
  const all = new Int32Array(times * offsets.length)
  let at = 0
  for (let i = 0; i < times; i++) for (let j = 0; j < offsets.length; j++) all[at++] = i * stride + (offsets[j] ?? 0)
  return all
}

// ---------- matrix products

const matMul = (f: MatMul, bias: boolean): Work => {
  const { m, n, k } = f
  // matrices one below the other are one matrix, if they meet the same right operand
  const stacked = f.batchedA && !f.batchedB && !f.transposeA
  const rows = stacked ? f.batch * m : m
  const count = stacked ? 1 : f.batch
  const product: Product = {
    batches: range(count).map((z) => ({
      left: f.batchedA ? z * m * k : 0,
      right: f.batchedB ? z * k * n : 0,
      output: z * m * n,
      bias: 0,
      columns: n,
    })),
    rows: { operand: multiples(rows, f.transposeA ? 1 : k), output: multiples(rows, n) },
    columns: { operand: multiples(n, f.transposeB ? k : 1), output: multiples(n, 1) },
    leftTable: multiples(k, f.transposeA ? m : 1),
    rightTable: multiples(k, f.transposeB ? 1 : n),
    blocks: blocksOf(k),
    bias: bias ? "columns" : "none",
  }
  return { paddings: [], parts: [{ _tag: "Product", product, left: "first", right: "second" }] }
}

// ---------- convolutions

/** where, in one dimension, an image is read: positions `i · step + tap` */
interface Reach {
  readonly extent: number
  readonly least: number
  readonly greatest: number
}

/** the image as it must lie in memory, and how to address it */
const surround = (input: 0 | 1, planes: number, y: Reach, x: Reach) => {
  const [top, left] = [Math.max(0, -y.least), Math.max(0, -x.least)]
  const outerHeight = top + Math.max(y.extent, y.greatest + 1)
  const outerWidth = left + Math.max(x.extent, x.greatest + 1)
  const needed = outerHeight !== y.extent || outerWidth !== x.extent
  const stride = outerHeight * outerWidth
  const padding = { input, planes, height: y.extent, width: x.extent, outerWidth, top, left, stride }
  return {
    padding,
    paddings: needed ? [padding] : [],
    source: needed ? ("padded" as const) : input === 0 ? ("first" as const) : ("second" as const),
    plane: stride,
    at: (row: number, column: number): number => (row + top) * outerWidth + column + left,
    row: outerWidth,
  }
}

/** images of so few positions are taken together that a batch has about so many columns */
const columnsAtOnce = 8192

/** where positions are read in the image, and where in the output they are written */
interface Positions {
  readonly image: Int32Array
  readonly output: Int32Array
}

/** `output[image, row, position] = Σ over channels and taps of weight · image at position + tap`, for each group */
const gathering = (g: {
  readonly images: number
  readonly groups: number
  readonly rows: number
  readonly channels: number
  /** how far apart in the weights are groups, rows, channels */
  readonly weightStrides: { readonly group: number; readonly row: number; readonly channel: number }
  readonly taps: { readonly weight: Int32Array; readonly image: Int32Array }
  readonly positions: Positions
  readonly imagePlane: number
  readonly outputPlane: number
  readonly bias: boolean
}): Product => {
  const chunks = Math.ceil(g.images / Math.max(1, Math.floor(columnsAtOnce / g.positions.image.length)))
  const together = Math.ceil(g.images / chunks)
  const imageStride = g.groups * g.channels * g.imagePlane
  const outputStride = g.groups * g.rows * g.outputPlane
  const batches = range(chunks).flatMap((chunk) =>
    range(g.groups).map((group) => ({
      left: group * g.weightStrides.group,
      right: chunk * together * imageStride + group * g.channels * g.imagePlane,
      output: chunk * together * outputStride + group * g.rows * g.outputPlane,
      bias: g.bias ? group * g.rows : 0,
      columns: Math.max(0, Math.min(together, g.images - chunk * together)) * g.positions.image.length,
    })),
  )
  const leftTable = repeated(g.channels, g.weightStrides.channel, g.taps.weight)
  return {
    batches,
    rows: { operand: multiples(g.rows, g.weightStrides.row), output: multiples(g.rows, g.outputPlane) },
    columns: {
      operand: repeated(together, imageStride, g.positions.image),
      output: repeated(together, outputStride, g.positions.output),
    },
    leftTable,
    rightTable: repeated(g.channels, g.imagePlane, g.taps.image),
    blocks: blocksOf(leftTable.length),
    bias: g.bias ? "rows" : "none",
  }
}

const forward = (f: Conv2d, bias: boolean): Work => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  const reach = (d: 0 | 1, extent: number, out: number): Reach => ({
    extent,
    least: -f.padding[d],
    greatest: (out - 1) * f.stride[d] + (f.kernel[d] - 1) * f.dilation[d] - f.padding[d],
  })
  const image = surround(0, f.n * f.c, reach(0, f.h, f.oh), reach(1, f.w, f.ow))
  const product = gathering({
    images: f.n,
    groups: f.groups,
    rows: og,
    channels: cg,
    weightStrides: { group: og * cg * kh * kw, row: cg * kh * kw, channel: kh * kw },
    taps: { weight: multiples(kh * kw, 1), image: grid(kh, kw, 0, f.dilation[0] * image.row, f.dilation[1]) },
    positions: {
      image: grid(f.oh, f.ow, image.at(-f.padding[0], -f.padding[1]), f.stride[0] * image.row, f.stride[1]),
      output: multiples(f.oh * f.ow, 1),
    },
    imagePlane: image.plane,
    outputPlane: f.oh * f.ow,
    bias,
  })
  return { paddings: image.paddings, parts: [{ _tag: "Product", product, left: "second", right: image.source }] }
}

/** in one dimension, the taps that meet input positions `i · stride + residue`, at `dy[i + shift]` */
const tapsOf = (f: Conv2d, d: 0 | 1, residue: number) =>
  range(f.kernel[d]).flatMap((tap) => {
    const strided = residue + f.padding[d] - tap * f.dilation[d]
    return strided % f.stride[d] === 0 ? [{ tap, shift: strided / f.stride[d] }] : []
  })

/** one product for each residue of the input position modulo the stride: each is a convolution of stride 1 over `dy` */
const inputGradient = (f: Conv2d): Work => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  const residues = (d: 0 | 1, extent: number) =>
    range(Math.min(f.stride[d], extent)).map((residue) => ({
      residue,
      count: Math.ceil((extent - residue) / f.stride[d]),
      taps: tapsOf(f, d, residue),
    }))
  const [ys, xs] = [residues(0, f.h), residues(1, f.w)]
  const reach = (extent: number, all: typeof ys): Reach => {
    const shifts = all.flatMap((r) => r.taps.flatMap((t) => [t.shift, t.shift + r.count - 1]))
    return { extent, least: Math.min(0, ...shifts), greatest: Math.max(0, ...shifts) }
  }
  const image = surround(0, f.n * f.o, reach(f.oh, ys), reach(f.ow, xs))
  const parts = ys.flatMap((y) =>
    xs.map((x) => {
      const empty = y.taps.length === 0 || x.taps.length === 0
      const product = gathering({
        images: f.n,
        groups: f.groups,
        rows: cg,
        channels: og,
        weightStrides: { group: og * cg * kh * kw, row: kh * kw, channel: cg * kh * kw },
        taps: {
          weight: Int32Array.from(y.taps.flatMap((v) => x.taps.map((u) => v.tap * kw + u.tap))),
          image: Int32Array.from(y.taps.flatMap((v) => x.taps.map((u) => v.shift * image.row + u.shift))),
        },
        positions: {
          image: grid(y.count, x.count, image.at(0, 0), image.row, 1),
          output: grid(y.count, x.count, y.residue * f.w + x.residue, f.stride[0] * f.w, f.stride[1]),
        },
        imagePlane: image.plane,
        outputPlane: f.h * f.w,
        bias: false,
      })
      return empty
        ? { _tag: "Product" as const, product: zeros(product), left: "zero" as const, right: "zero" as const }
        : { _tag: "Product" as const, product, left: "second" as const, right: image.source }
    }),
  )
  return { paddings: image.paddings, parts }
}

/** positions that no tap meets: the product of one zero with one zero */
const zeros = (p: Product): Product => ({
  ...p,
  batches: p.batches.map((z) => ({ ...z, left: 0, right: 0 })),
  rows: { ...p.rows, operand: new Int32Array(p.rows.operand.length) },
  columns: { ...p.columns, operand: new Int32Array(p.columns.operand.length) },
  leftTable: new Int32Array(1),
  rightTable: new Int32Array(1),
  blocks: blocksOf(1),
})

const weightGradient = (f: Conv2d): Work => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  const reach = (d: 0 | 1, extent: number, out: number): Reach => ({
    extent,
    least: -f.padding[d],
    greatest: (out - 1) * f.stride[d] + (f.kernel[d] - 1) * f.dilation[d] - f.padding[d],
  })
  const image = surround(0, f.n * f.c, reach(0, f.h, f.oh), reach(1, f.w, f.ow))
  const taps = cg * kh * kw
  const positions = f.oh * f.ow
  const [gradientStride, imageStride] = [f.o * positions, f.c * image.plane]
  // a block of `k` is a part of one image, or several whole ones
  const together = Math.min(f.n, Math.max(1, Math.floor(longestBlock / positions)))
  const blocks =
    positions > longestBlock
      ? range(f.n).flatMap((i) =>
          split(positions, longestBlock).map((s) => ({ ...s, left: i * gradientStride, right: i * imageStride })),
        )
      : split(f.n, together).map((s) => ({
          start: 0,
          count: s.count * positions,
          left: s.start * gradientStride,
          right: s.start * imageStride,
        }))
  const images = positions > longestBlock ? 1 : together
  const windows = grid(f.oh, f.ow, image.at(-f.padding[0], -f.padding[1]), f.stride[0] * image.row, f.stride[1])
  const product: Product = {
    batches: range(f.groups).map((g) => ({
      left: g * og * positions,
      right: g * cg * image.plane,
      output: g * og * taps,
      bias: 0,
      columns: taps,
    })),
    rows: { operand: multiples(og, positions), output: multiples(og, taps) },
    columns: {
      operand: repeated(cg, image.plane, grid(kh, kw, 0, f.dilation[0] * image.row, f.dilation[1])),
      output: multiples(taps, 1),
    },
    leftTable: repeated(images, gradientStride, multiples(positions, 1)),
    rightTable: repeated(images, imageStride, windows),
    blocks,
    bias: "none",
  }
  const along = f.stride[0] === 1 && f.stride[1] === 1 ? alongRows(f, image) : undefined
  // they are worth it for few channels only: of many, a span does not fit the cache
  return along !== undefined && InnerProducts.cost(along.products) < 0.85 * choose(product, true).cost
    ? along.work
    : { paddings: image.paddings, parts: [{ _tag: "Product", product, left: "second", right: image.source }] }
}

/**
 * The weight gradient for a stride of 1, along the rows of the padded image: `dy` is laid out in rows of the same width, with zeros
 * between. (A value that is not finite then also reaches gradients at the border that it is no part of, as zero times it.)
 */
const alongRows = (f: Conv2d, image: ReturnType<typeof surround>) => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  const taps = cg * kh * kw
  // the last eight of a plane may begin at its end
  const imageStride = roundUp(image.plane + 7, 8)
  const gradientStride = roundUp(f.oh * image.row, 8)
  const steps = Math.ceil(((f.oh - 1) * image.row + f.ow) / 8)
  const pieces = split(steps, 128)
  const products: InnerProducts.InnerProducts = {
    batches: range(f.groups).map((g) => ({
      left: g * og * gradientStride,
      right: g * cg * imageStride,
      output: g * og * taps,
    })),
    rows: multiples(og, gradientStride),
    columns: repeated(
      cg,
      imageStride,
      grid(kh, kw, image.at(-f.padding[0], -f.padding[1]), f.dilation[0] * image.row, f.dilation[1]),
    ),
    rowStride: taps,
    columnStride: 1,
    segments: range(f.n).flatMap((i) =>
      pieces.map(({ start, count }) => ({
        steps: count,
        left: i * f.o * gradientStride + 8 * start,
        right: i * f.c * imageStride + 8 * start,
      })),
    ),
  }
  const gradient: Padding = {
    input: 1,
    planes: f.n * f.o,
    height: f.oh,
    width: f.ow,
    outerWidth: image.row,
    top: 0,
    left: 0,
    stride: gradientStride,
  }
  const work: Work = {
    paddings: [{ ...image.padding, stride: imageStride }, gradient],
    parts: [{ _tag: "InnerProducts", products, left: "paddedSecond", right: "padded" }],
  }
  return { products, work }
}

const workOf = (c: Contraction): Work => {
  if (c.form._tag === "MatMul") return matMul(c.form, c.bias)
  switch (c.form.pass) {
    case "forward":
      return forward(c.form, c.bias)
    case "inputGradient":
      return inputGradient(c.form)
    case "weightGradient":
      return weightGradient(c.form)
  }
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

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to

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
    const inner = InnerProducts.lay(part.products, wide)
    const sources = inner.transposed ? { left: right, right: left } : { left, right }
    return { ...inner, biasTimes: 1, fn: "innerProducts", ...sources }
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
  const biasTimes = laid[0]?.biasTimes ?? 1
  // a panel may read bias of columns that there are not
  const biasBytes = bias === 0 ? 0 : roundUp(4 * (bias * biasTimes + 16), 128)
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
      if (bias > 0) prepare.push({ fn: "spread", args: [input(2), at.workspace, bias, biasTimes] })
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
          bias > 0 ? at.workspace : at.tables,
          padded + allPadded,
        ],
      }))
      return prepare.length === 0 ? [run] : [prepare, run]
    },
  }
}

/** the tables begin with zeros, to start sums from */
const zeroWords = 16
