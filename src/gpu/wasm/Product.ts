/**
 * The one form that every contraction takes on this device: a matrix product whose operands and output are addressed through
 * tables,
 *
 * `output[row.output[i] + column.output[j]] = Σₖ left[row.operand[i] + leftTable[k]] · right[rightTable[k] + column.operand[j]]`
 *
 * for each batch. A convolution is such a product on its padded image (implicit GEMM): no matrix of windows lies in memory,
 * only a panel of it at a time. Rows and columns are split between threads, `k` never is, so the bits of the result do
 * not depend on how many there are.
 */
import { field, maxRows, panelEntry } from "./productKernels.ts"

/** Offsets are in floats. */
export interface Axis {
  readonly operand: Int32Array
  readonly output: Int32Array
}

/** A stretch of `k`: `count` entries of both tables from `start` on. */
export interface Block {
  readonly start: number
  readonly count: number
  readonly left: number
  readonly right: number
}

export interface Batch {
  readonly left: number
  readonly right: number
  readonly output: number
  /** of the rows' or columns' bias: which row or column this batch begins with */
  readonly bias: number
  /** how many of the columns it has */
  readonly columns: number
}

export interface Product {
  readonly batches: ReadonlyArray<Batch>
  /** the output offsets of rows are equally spaced */
  readonly rows: Axis
  readonly columns: Axis
  readonly leftTable: Int32Array
  readonly rightTable: Int32Array
  readonly blocks: ReadonlyArray<Block>
  /** what each sum starts with: a bias of as many numbers as there are rows (columns) in all, or zero */
  readonly bias: "none" | "rows" | "columns"
}

/** A product with its tables laid out as words. */
export interface LaidProduct {
  /** the width of its panels: it runs as `product8` or `product16` */
  readonly columns: 8 | 16
  readonly tables: Int32Array
  /** the memory that each thread needs for itself */
  readonly threadBytes: number
  /** the word of the tables that says how far apart the threads' own memory lies */
  readonly threadBytesAt: number
  /** how often each number of the bias is repeated in what `init` points to */
  readonly biasTimes: number
}

/** the longest stretch of `k` that is summed in one go: a panel of it stays in the first-level cache */
export const longestBlock = 400

/** `n` cut into near-equal parts of at most `longest` */
export const split = (
  n: number,
  longest: number,
): ReadonlyArray<{ readonly start: number; readonly count: number }> => {
  const parts = Math.ceil(n / longest)
  const at = (i: number) => Math.floor((i * n) / parts)
  return Array.from({ length: parts }, (_, i) => ({ start: at(i), count: at(i + 1) - at(i) }))
}

/** blocks over one stretch of `k` */
export const blocksOf = (k: number): ReadonlyArray<Block> =>
  split(k, longestBlock).map((part) => ({ ...part, left: 0, right: 0 }))

/** the same product with rows and columns exchanged */
const transpose = (p: Product): Product => ({
  ...p,
  batches: p.batches.map((z) => ({ ...z, left: z.right, right: z.left, columns: p.rows.operand.length })),
  rows: p.columns,
  columns: p.rows,
  leftTable: p.rightTable,
  rightTable: p.leftTable,
  blocks: p.blocks.map((b) => ({ ...b, left: b.right, right: b.left })),
  bias: p.bias === "rows" ? "columns" : p.bias === "columns" ? "rows" : "none",
})

/** of the aligned groups of four offsets, which part follow each other (of the first few hundred) */
const consecutive = (offsets: Int32Array): number => {
  const groups = Math.min(Math.ceil(offsets.length / 4), 256)
  let hits = 0
  for (let i = 0; i < 4 * groups; i += 4) {
    const a = offsets[i] ?? 0
    if (offsets[i + 1] === a + 1 && offsets[i + 2] === a + 2 && offsets[i + 3] === a + 3) hits++
  }
  return hits / groups
}

const equallySpaced = (offsets: Int32Array): boolean => {
  const step = (offsets[1] ?? 0) - (offsets[0] ?? 0)
  for (let i = 1; i < offsets.length; i++) if ((offsets[i] ?? 0) - (offsets[i - 1] ?? 0) !== step) return false
  return true
}

/** How many panels the columns take: `width` of each are columns of the product, the others read and write nothing that counts. */
interface Panels {
  readonly inPlace: boolean
  readonly count: number
  /** how many have all their columns */
  readonly full: number
}

/** where runs of columns begin that are neighbours in the operand and equally far apart in the output; the last entry is where all end */
const runsOf = ({ columns }: Product): Int32Array => {
  const { operand, output } = columns
  const n = operand.length
  const starts = new Int32Array(n + 1)
  let [runs, step] = [1, 0]
  for (let i = 1; i < n; i++) {
    const apart = (output[i] ?? 0) - (output[i - 1] ?? 0)
    const second = starts[runs - 1] === i - 1
    if ((operand[i] ?? 0) - (operand[i - 1] ?? 0) !== 1 || (!second && apart !== step)) starts[runs++] = i
    step = apart
  }
  starts[runs] = n
  return starts.slice(0, runs + 1)
}

const packedPanels = ({ columns }: Product, width: number): Panels => {
  const count = Math.ceil(columns.operand.length / width)
  return { inPlace: false, count, full: count }
}

/** panels that need no packing, since each lies in one run of columns; none where a batch ends within a run */
const inPlacePanels = ({ batches }: Product, runs: Int32Array, width: number): Panels | undefined => {
  let [count, full] = [0, 0]
  const ends = new Set(batches.map((z) => z.columns))
  for (let r = 0; r + 1 < runs.length; r++) {
    const length = (runs[r + 1] ?? 0) - (runs[r] ?? 0)
    count += Math.ceil(length / width)
    full += Math.floor(length / width)
    ends.delete(runs[r] ?? 0)
  }
  ends.delete(runs.at(-1) ?? 0)
  return ends.size > 0 ? undefined : { inPlace: true, count, full }
}

/** The columns in panels. */
interface Columns {
  /** `width` for each panel */
  readonly operand: Int32Array
  readonly output: Int32Array
  /** for each panel, how many of its columns there are */
  readonly widths: Int32Array
  /** how many of all these columns the batch has that has so many of the product's */
  readonly columnsOf: (columns: number) => number
}

const packedColumns = ({ columns }: Product, { count }: Panels, width: number): Columns => {
  const n = columns.operand.length
  const [operand, output] = [new Int32Array(count * width), new Int32Array(count * width)]
  operand.set(columns.operand)
  output.set(columns.output)
  // columns that there are not read what the last one reads
  operand.fill(columns.operand.at(-1) ?? 0, n)
  // and are written as if they went on, which lets what there is be stored in vectors
  for (let i = n; i < output.length; i++) output[i] = (output[i - 1] ?? 0) + 1
  return { operand, output, widths: new Int32Array(count).fill(width), columnsOf: (of) => of }
}

const inPlaceColumns = ({ columns }: Product, runs: Int32Array, { count }: Panels, width: number): Columns => {
  const [operand, output] = [new Int32Array(count * width), new Int32Array(count * width)]
  const widths = new Int32Array(count)
  /** where runs begin, and how many columns there are in panels before them */
  const before = new Map<number, number>()
  let panel = 0
  for (let r = 0; r + 1 < runs.length; r++) {
    const [start, end] = [runs[r] ?? 0, runs[r + 1] ?? 0]
    before.set(start, panel * width)
    for (let from = start; from < end; from += width) {
      const at = panel * width
      for (let j = 0; j < width; j++) {
        operand[at + j] = (columns.operand[from] ?? 0) + j
        // nothing of columns that there are not is written
        output[at + j] = columns.output[Math.min(from + j, end - 1)] ?? 0
      }
      widths[panel++] = Math.min(width, end - from)
    }
  }
  before.set(runs.at(-1) ?? 0, panel * width)
  return { operand, output, widths, columnsOf: (of) => before.get(of) ?? 0 }
}

interface Shape {
  readonly panels: Panels
  readonly tiles: number
  readonly tileRows: number
  readonly largeTiles: number
  readonly units: number
  /** near-instruction counts: of packing a panel, and of one tile on it */
  readonly packCost: number
  readonly tileCost: number
  readonly packTransposed: boolean
}

/** an operand of more than so many floats comes from beyond the caches each time */
const cached = 2 ** 20
/** what fetching a float from there costs, in instructions */
const fetchCost = 2

const spread = (offsets: Iterable<number>): number => {
  let [low, high] = [Infinity, -Infinity]
  for (const x of offsets) {
    low = Math.min(low, x)
    high = Math.max(high, x)
  }
  return Math.max(0, high - low)
}
/** the cost of fetching each float of the left and of the right operand */
const fetching = (p: Product) => {
  const of = (side: "left" | "right", operand: Int32Array, table: Int32Array): number =>
    spread(operand) + spread(table) + spread(p.blocks.map((b) => b[side])) > cached ? fetchCost : 0
  return { left: of("left", p.rows.operand, p.leftTable), right: of("right", p.columns.operand, p.rightTable) }
}

/** how a product is cut for panels of `width` columns, and about what that costs in instructions */
const shapeOf = (
  p: Product,
  panels: Panels,
  width: 8 | 16,
  fused: boolean,
  fetch: ReturnType<typeof fetching>,
): Shape => {
  const m = p.rows.operand.length
  const tiles = Math.ceil(m / maxRows)
  const tileRows = Math.ceil(m / tiles)
  const units = p.batches.length * panels.count
  const k = p.blocks.reduce((sum, b) => sum + b.count, 0)
  const vectors = width / 4
  const along = consecutive(p.columns.operand)
  const across = consecutive(p.rightTable)
  const rowsCost = 5 + vectors * (3 * along + 11 * (1 - along))
  const transposedCost = 3 + vectors * (6 * across + 13 * (1 - across))
  const perRow = (fused ? vectors / 2 : vectors) + 2
  const inner = tileRows * perRow + vectors / (fused ? 2 : 1) + (panels.inPlace ? 7 : 5)
  const outputs = consecutive(p.columns.output)
  const direct = panels.full / panels.count
  const storing = tileRows * vectors * (2 * outputs * direct + 6 * outputs * (1 - direct) + 28 * (1 - outputs))
  return {
    panels,
    tiles,
    tileRows,
    largeTiles: tiles - (tiles * tileRows - m),
    units,
    packCost: 60 + k * (fetch.right * width + (panels.inPlace ? 0 : Math.min(rowsCost, transposedCost))),
    tileCost: k * (fetch.left * tileRows + Math.max(inner, 20)) + p.blocks.length * (60 + storing),
    packTransposed: transposedCost < rowsCost,
  }
}

/** which of the threads share the rows and which the columns */
const shareOut = (s: Shape, threads: number): { readonly rowParts: number; readonly columnParts: number } => {
  const load = (rowParts: number, columnParts: number) =>
    Math.ceil(s.units / columnParts) * (s.packCost + Math.ceil(s.tiles / rowParts) * s.tileCost)
  let best = { rowParts: 1, columnParts: 1 }
  for (let columnParts = Math.min(threads, s.units); columnParts >= 1; columnParts--) {
    const rowParts = Math.min(Math.floor(threads / columnParts), s.tiles)
    if (load(rowParts, columnParts) < load(best.rowParts, best.columnParts)) best = { rowParts, columnParts }
  }
  return best
}

interface Choice {
  readonly product: Product
  /** whether rows and columns were exchanged */
  readonly transposed: boolean
  readonly columns: 8 | 16
  readonly shape: Shape
  readonly runs: Int32Array
  /** about how many instructions it takes */
  readonly cost: number
}

/** the cheapest of both directions, of both panel widths, of packing and not; the bits of the result are the same */
export const choose = (p: Product, wide: boolean): Choice => {
  const exchangeable = p.batches.every((z) => z.columns === p.columns.operand.length) && equallySpaced(p.columns.output)
  const directions = exchangeable ? [p, transpose(p)] : [p]
  const choices = directions.flatMap((product, i) => {
    const runs = runsOf(product)
    const fetch = fetching(product)
    return (wide ? [16 as const, 8 as const] : [8 as const]).flatMap((columns) =>
      [packedPanels(product, columns), inPlacePanels(product, runs, columns)].flatMap((panels) => {
        if (panels === undefined) return []
        const shape = shapeOf(product, panels, columns, wide, fetch)
        const cost = shape.units * (shape.packCost + shape.tiles * shape.tileCost)
        return [{ product, transposed: i === 1, columns, shape, runs, cost }]
      }),
    )
  })
  return choices.reduce((a, b) => (b.cost < a.cost ? b : a))
}

export const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to

/** Lays a product out for `threads` threads. */
export const lay = ({ product: p, columns: width, shape, runs }: Choice, threads: number): LaidProduct => {
  const panels = shape.panels.inPlace
    ? inPlaceColumns(p, runs, shape.panels, width)
    : packedColumns(p, shape.panels, width)
  const descriptor = new Int32Array(Object.keys(field).length)
  const pieces: Array<ArrayLike<number>> = [descriptor]
  let length = descriptor.length
  const place = (table: ArrayLike<number>): number => {
    const at = 4 * length
    pieces.push(table)
    length += table.length
    return at
  }
  const bytes = (table: Int32Array): Int32Array => table.map((x) => 4 * x)
  const panelTable = new Int32Array(2 * panels.widths.length)
  panels.widths.forEach((w, i) => {
    const [first = 0, last = 0] = [panels.output[i * width], panels.output[i * width + w - 1]]
    panelTable[2 * i + panelEntry.width] = w
    panelTable[2 * i + panelEntry.contiguous] = last - first === w - 1 ? 1 : 0
  })
  const offsets = new Int32Array(2 * p.leftTable.length)
  p.leftTable.forEach((x, k) => {
    offsets[2 * k] = 4 * x
    offsets[2 * k + 1] = 4 * (p.rightTable[k] ?? 0)
  })
  const biasTimes = p.bias === "rows" ? width : 1
  const { rowParts, columnParts } = shareOut(shape, threads)
  const longest = p.blocks.reduce((max, b) => Math.max(max, b.count), 0)
  const panelBytes = 4 * width * longest
  const threadBytes = roundUp(panelBytes + 4 * width * maxRows, 128)
  const firstRow = p.rows.output[0] ?? 0
  const kTable = place(offsets)
  const values: Record<keyof typeof field, number> = {
    units: shape.units,
    panels: panels.widths.length,
    panelTable: place(panelTable),
    inPlace: shape.panels.inPlace ? 1 : 0,
    batchTable: place(
      p.batches.flatMap((z) => [
        4 * z.left,
        4 * z.right,
        4 * (z.output + firstRow),
        4 * biasTimes * z.bias,
        panels.columnsOf(z.columns),
      ]),
    ),
    blocks: p.blocks.length,
    blockTable: place(p.blocks.flatMap((b) => [b.count, 4 * b.left, 4 * b.right, kTable + 8 * b.start])),
    tiles: shape.tiles,
    largeTiles: shape.largeTiles,
    tileRows: shape.tileRows,
    rowTable: place(bytes(p.rows.operand)),
    rowStride: 4 * ((p.rows.output[1] ?? 0) - (p.rows.output[0] ?? 0)),
    columnTable: place(bytes(panels.operand)),
    outputTable: place(bytes(panels.output)),
    initRow: p.bias === "rows" ? 4 * width : 0,
    initColumn: p.bias === "columns" ? 4 : 0,
    packTransposed: shape.packTransposed ? 1 : 0,
    rowParts,
    columnParts,
    threadBytes,
    panelBytes,
    zeroTable: place(new Int32Array(width)),
  }
  for (const name of Object.keys(field) as ReadonlyArray<keyof typeof field>) descriptor[field[name]] = values[name]
  const tables = new Int32Array(length)
  let at = 0
  for (const piece of pieces) {
    tables.set(piece, at)
    at += piece.length
  }
  return { columns: width, tables, threadBytes, threadBytesAt: field.threadBytes, biasTimes }
}
