/** What a contraction comes to on this device: paddings of images, then products whose operands are addressed by tables. */
import type { Contraction, Conv2d, MatMul } from "../Contraction.ts"
import * as InnerProducts from "./InnerProducts.ts"
import { blocksOf, choose, longestBlock, roundUp, split } from "./Product.ts"
import type { Product } from "./Product.ts"

/** what an operand is read from */
export type Source = "first" | "second" | "padded" | "paddedSecond" | "zero"

/** images with zeros around, made in the workspace before the products run */
export interface Padding {
  readonly input: 0 | 1
  /** where in the input the first plane begins */
  readonly start: number
  readonly planes: number
  readonly height: number
  readonly width: number
  readonly outerWidth: number
  readonly top: number
  readonly left: number
  /** from plane to plane */
  readonly stride: number
}

export type Part =
  | { readonly _tag: "Product"; readonly product: Product; readonly left: Source; readonly right: Source }
  | {
      readonly _tag: "InnerProducts"
      readonly products: InnerProducts.InnerProducts
      readonly left: Source
      readonly right: Source
    }

/** what runs one after the other, each in the same workspace */
export type Work = ReadonlyArray<Round>

export interface Round {
  /** what `padded` and `paddedSecond` are */
  readonly paddings: ReadonlyArray<Padding>
  /** the same object in rounds that only differ in where they read and write */
  readonly parts: ReadonlyArray<Part>
  /** where in the output they write */
  readonly output: number
  /** whether they are added to what stands there: inner products only */
  readonly accumulate: boolean
}

const oneRound = (parts: ReadonlyArray<Part>, paddings: ReadonlyArray<Padding> = []): Work => [
  { paddings, parts, output: 0, accumulate: false },
]

/** `atOnce` images at a time, whose padded copies then need less memory and are read from a cache */
const inRounds = (
  images: number,
  atOnce: number,
  partsOf: (images: number) => ReadonlyArray<Part>,
  at: (start: number, images: number) => Omit<Round, "parts">,
): Work => {
  const made = new Map<number, ReadonlyArray<Part>>()
  return split(images, atOnce).map(({ start, count }) => {
    const parts = made.get(count) ?? partsOf(count)
    made.set(count, parts)
    return { ...at(start, count), parts }
  })
}

/** the padded images of a round take about so many bytes */
const roundBytes = 2 ** 18

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
  const batches = range(count).map((z) => ({
    left: f.batchedA ? z * m * k : 0,
    right: f.batchedB ? z * k * n : 0,
    output: z * m * n,
  }))
  const product: Product = {
    batches: batches.map((z) => ({ ...z, bias: 0, columns: n })),
    rows: { operand: multiples(rows, f.transposeA ? 1 : k), output: multiples(rows, n) },
    columns: { operand: multiples(n, f.transposeB ? k : 1), output: multiples(n, 1) },
    leftTable: multiples(k, f.transposeA ? m : 1),
    rightTable: multiples(k, f.transposeB ? 1 : n),
    blocks: blocksOf(k),
    bias: bias ? "columns" : "none",
  }
  // few rows that meet columns as they lie: packing those would cost more than multiplying them
  if (!f.transposeA && f.transposeB && k % 8 === 0 && k > 0) {
    const products: InnerProducts.InnerProducts = {
      batches,
      rows: multiples(rows, k),
      columns: multiples(n, k),
      rowStride: n,
      columnStride: 1,
      segments: split(k / 8, 128).map(({ start, count: steps }) => ({ steps, left: 8 * start, right: 8 * start })),
    }
    if (InnerProducts.cost(products) < innerBelow * choose(product, true).cost)
      return oneRound([{ _tag: "InnerProducts", products, left: "first", right: "second" }])
  }
  return oneRound([{ _tag: "Product", product, left: "first", right: "second" }])
}

/** inner products are taken where they cost so much less than a product */
const innerBelow = 0.85

// ---------- convolutions

/** where, in one dimension, an image is read: positions `i · step + tap` */
interface Reach {
  readonly extent: number
  readonly least: number
  readonly greatest: number
}

/** the images, of so many channels each, as they must lie in memory, and how to address them */
const surround = (input: 0 | 1, channels: number, y: Reach, x: Reach) => {
  const [top, left] = [Math.max(0, -y.least), Math.max(0, -x.least)]
  const outerHeight = top + Math.max(y.extent, y.greatest + 1)
  const outerWidth = left + Math.max(x.extent, x.greatest + 1)
  const needed = outerHeight !== y.extent || outerWidth !== x.extent
  const stride = outerHeight * outerWidth
  const paddingOf = (start: number, images: number): Padding => ({
    input,
    start: start * channels * y.extent * x.extent,
    planes: images * channels,
    height: y.extent,
    width: x.extent,
    outerWidth,
    top,
    left,
    stride,
  })
  return {
    paddingOf,
    paddingsOf: (start: number, images: number) => (needed ? [paddingOf(start, images)] : []),
    /** how many images of `positions` columns each are taken in a round */
    atOnce: (images: number, positions: number): number =>
      needed
        ? Math.max(1, Math.floor(columnsAtOnce / positions), Math.floor(roundBytes / (4 * channels * stride)))
        : images,
    source: needed ? ("padded" as const) : input === 0 ? ("first" as const) : ("second" as const),
    plane: stride,
    at: (row: number, column: number): number => (row + top) * outerWidth + column + left,
    row: outerWidth,
  }
}

/** images of so few positions are taken together that a batch has about so many columns */
const columnsAtOnce = 4096

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
  const image = surround(0, f.c, reach(0, f.h, f.oh), reach(1, f.w, f.ow))
  const productOf = (images: number): Product =>
    gathering({
      images,
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
  return inRounds(
    f.n,
    image.atOnce(f.n, f.oh * f.ow),
    (images) => [{ _tag: "Product", product: productOf(images), left: "second", right: image.source }],
    (start, images) => ({
      paddings: image.paddingsOf(start, images),
      output: start * f.o * f.oh * f.ow,
      accumulate: false,
    }),
  )
}

/** in one dimension, the taps that meet input positions `i · stride + residue`, at `dy[i + shift]` */
const tapsOf = (f: Conv2d, d: 0 | 1, residue: number) =>
  range(f.kernel[d]).flatMap((tap) => {
    const strided = residue + f.padding[d] - tap * f.dilation[d]
    return strided % f.stride[d] === 0 ? [{ tap, shift: strided / f.stride[d] }] : []
  })

/** in one dimension, neighbouring input positions `(first + i) · stride + residue` that the same taps meet */
interface Stretch {
  readonly residue: number
  readonly first: number
  readonly count: number
  readonly taps: ReturnType<typeof tapsOf>
}

/** the positions of one residue, cut where a tap begins or ceases to fall on `dy`, which has `extent` positions */
const stretches = (all: Stretch, extent: number): ReadonlyArray<Stretch> => {
  const inside = (i: number) => all.taps.filter((t) => i + t.shift >= 0 && i + t.shift < extent)
  const cuts = range(all.count).filter(
    (i) =>
      i === 0 ||
      inside(i)
        .map((t) => t.tap)
        .join() !==
        inside(i - 1)
          .map((t) => t.tap)
          .join(),
  )
  return cuts.map((first, n) => ({ ...all, first, count: (cuts[n + 1] ?? all.count) - first, taps: inside(first) }))
}

/** rows are cut where that spares so large a part of the multiplications: it makes as many products more */
const worthCutting = 0.15

/**
 * One product for each residue of the input position modulo the stride: each is a convolution of stride 1 over `dy`. Where
 * much of it would meet nothing but the zeros above and below, each stretch of rows is a product of its own.
 */
const inputGradient = (f: Conv2d): Work => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  const residues = (d: 0 | 1, extent: number): ReadonlyArray<Stretch> =>
    range(Math.min(f.stride[d], extent)).map((residue) => ({
      residue,
      first: 0,
      count: Math.ceil((extent - residue) / f.stride[d]),
      taps: tapsOf(f, d, residue),
    }))
  const [whole, xs] = [residues(0, f.h), residues(1, f.w)]
  const work = (all: ReadonlyArray<Stretch>) => all.reduce((n, s) => n + s.count * s.taps.length, 0)
  const cut = whole.flatMap((s) => stretches(s, f.oh))
  const ys = work(cut) < (1 - worthCutting) * work(whole) ? cut : whole
  const reach = (extent: number, all: typeof ys): Reach => {
    const shifts = all.flatMap((r) => r.taps.flatMap((t) => [r.first + t.shift, r.first + t.shift + r.count - 1]))
    return { extent, least: Math.min(0, ...shifts), greatest: Math.max(0, ...shifts) }
  }
  const image = surround(0, f.o, reach(f.oh, ys), reach(f.ow, xs))
  const partOf = (images: number, y: Stretch, x: Stretch): Part => {
    const empty = y.taps.length === 0 || x.taps.length === 0
    const product = gathering({
      images,
      groups: f.groups,
      rows: cg,
      channels: og,
      weightStrides: { group: og * cg * kh * kw, row: kh * kw, channel: cg * kh * kw },
      taps: {
        weight: Int32Array.from(y.taps.flatMap((v) => x.taps.map((u) => v.tap * kw + u.tap))),
        image: Int32Array.from(y.taps.flatMap((v) => x.taps.map((u) => v.shift * image.row + u.shift))),
      },
      positions: {
        image: grid(y.count, x.count, image.at(y.first, 0), image.row, 1),
        output: grid(
          y.count,
          x.count,
          (y.first * f.stride[0] + y.residue) * f.w + x.residue,
          f.stride[0] * f.w,
          f.stride[1],
        ),
      },
      imagePlane: image.plane,
      outputPlane: f.h * f.w,
      bias: false,
    })
    return empty
      ? { _tag: "Product", product: zeros(product), left: "zero", right: "zero" }
      : { _tag: "Product", product, left: "second", right: image.source }
  }
  return inRounds(
    f.n,
    image.atOnce(f.n, f.oh * f.ow),
    (images) => ys.flatMap((y) => xs.map((x) => partOf(images, y, x))),
    (start, images) => ({
      paddings: image.paddingsOf(start, images),
      output: start * f.c * f.h * f.w,
      accumulate: false,
    }),
  )
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
  const image = surround(0, f.c, reach(0, f.h, f.oh), reach(1, f.w, f.ow))
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
  return along !== undefined && along.cost < innerBelow * choose(product, true).cost
    ? along.work
    : oneRound([{ _tag: "Product", product, left: "second", right: image.source }], image.paddingsOf(0, f.n))
}

/**
 * The weight gradient for a stride of 1, along the rows of the padded image: `dy` is laid out in rows of the same width, with zeros
 * between, for a few images at a time. (A value that is not finite then also reaches gradients at the border that it is no part
 * of, as zero times it.)
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
  const products = (images: number): InnerProducts.InnerProducts => ({
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
    segments: range(images).flatMap((i) =>
      pieces.map(({ start, count }) => ({
        steps: count,
        left: i * f.o * gradientStride + 8 * start,
        right: i * f.c * imageStride + 8 * start,
      })),
    ),
  })
  const gradientOf = (start: number, images: number): Padding => ({
    input: 1,
    start: start * f.o * f.oh * f.ow,
    planes: images * f.o,
    height: f.oh,
    width: f.ow,
    outerWidth: image.row,
    top: 0,
    left: 0,
    stride: gradientStride,
  })
  const imageBytes = 4 * (f.o * gradientStride + f.c * imageStride)
  const work = inRounds(
    f.n,
    Math.max(1, Math.floor(roundBytes / imageBytes)),
    (images) => [{ _tag: "InnerProducts", products: products(images), left: "paddedSecond", right: "padded" }],
    (start, images) => ({
      paddings: [{ ...image.paddingOf(start, images), stride: imageStride }, gradientOf(start, images)],
      output: 0,
      accumulate: start > 0,
    }),
  )
  return { cost: InnerProducts.cost(products(f.n)), work }
}

export const workOf = (c: Contraction): Work => {
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
