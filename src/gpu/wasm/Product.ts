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
import { field, maxRows } from "./productKernels.ts"

/** Offsets are in floats. */
export interface Axis {
  readonly operand: ReadonlyArray<number>
  readonly output: ReadonlyArray<number>
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
  readonly leftTable: ReadonlyArray<number>
  readonly rightTable: ReadonlyArray<number>
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
const consecutive = (offsets: ReadonlyArray<number>): number => {
  const groups = Math.min(Math.ceil(offsets.length / 4), 256)
  let hits = 0
  for (let g = 0; g < groups; g++) {
    const [a, b, c, d] = offsets.slice(4 * g, 4 * g + 4)
    if (a !== undefined && b === a + 1 && c === a + 2 && d === a + 3) hits++
  }
  return hits / groups
}

const equallySpaced = (offsets: ReadonlyArray<number>): boolean => {
  const step = (offsets[1] ?? 0) - (offsets[0] ?? 0)
  return offsets.every((x, i) => i === 0 || x - (offsets[i - 1] ?? 0) === step)
}

/** The columns in panels: `width` of each are columns of the product, the others read and write nothing that counts. */
interface Panels {
  readonly inPlace: boolean
  /** a multiple of the panel's width of each */
  readonly operand: ReadonlyArray<number>
  readonly output: ReadonlyArray<number>
  readonly widths: ReadonlyArray<number>
  /** how many of all these columns the batch has that has so many of the product's */
  readonly columnsOf: (columns: number) => number
}

const packedPanels = ({ columns }: Product, width: number): Panels => {
  // columns that there are not read what the last one reads
  const missing = roundUp(columns.operand.length, width) - columns.operand.length
  const filled = (table: ReadonlyArray<number>) => [
    ...table,
    ...Array.from({ length: missing }, () => table.at(-1) ?? 0),
  ]
  const operand = filled(columns.operand)
  return {
    inPlace: false,
    operand,
    // as if they went on, which lets what there is be stored in vectors
    output: [...columns.output, ...Array.from({ length: missing }, (_, i) => (columns.output.at(-1) ?? 0) + i + 1)],
    widths: Array.from({ length: operand.length / width }, () => width),
    columnsOf: (n) => n,
  }
}

/** panels that need no packing, since each lies in one run of columns that are neighbours in the operand and in the output */
const inPlacePanels = ({ columns, batches }: Product, width: number): Panels | undefined => {
  const n = columns.operand.length
  const at = (table: ReadonlyArray<number>, i: number): number => table[i] ?? 0
  const follows = (table: ReadonlyArray<number>, i: number) => at(table, i) - at(table, i - 1) === 1
  const operand: Array<number> = []
  const output: Array<number> = []
  const widths: Array<number> = []
  /** where runs begin, and how many columns there are in panels before them */
  const before = new Map<number, number>([[0, 0]])
  let start = 0
  for (let i = 1; i <= n; i++) {
    if (i < n && follows(columns.operand, i) && follows(columns.output, i)) continue
    for (let from = start; from < i; from += width) {
      for (let j = 0; j < width; j++) {
        operand.push(at(columns.operand, from) + j)
        output.push(at(columns.output, from) + j)
      }
      widths.push(Math.min(width, i - from))
    }
    start = i
    before.set(i, operand.length)
  }
  if (batches.some((z) => !before.has(z.columns))) return undefined
  return { inPlace: true, operand, output, widths, columnsOf: (columns) => before.get(columns) ?? 0 }
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

/** how a product is cut for panels of `width` columns, and about what that costs in instructions */
const shapeOf = (p: Product, panels: Panels, width: 8 | 16, fused: boolean): Shape => {
  const m = p.rows.operand.length
  const tiles = Math.ceil(m / maxRows)
  const tileRows = Math.ceil(m / tiles)
  const units = p.batches.length * panels.widths.length
  const k = p.blocks.reduce((sum, b) => sum + b.count, 0)
  const vectors = width / 4
  const along = consecutive(p.columns.operand)
  const across = consecutive(p.rightTable)
  const rowsCost = 5 + vectors * (3 * along + 11 * (1 - along))
  const transposedCost = 3 + vectors * (6 * across + 13 * (1 - across))
  const perRow = (fused ? vectors / 2 : vectors) + 2
  const inner = tileRows * perRow + vectors / (fused ? 2 : 1) + (panels.inPlace ? 7 : 5)
  const outputs = consecutive(p.columns.output)
  const direct = panels.widths.filter((w) => w === width).length / panels.widths.length
  const storing = tileRows * vectors * (2 * outputs * direct + 6 * outputs * (1 - direct) + 28 * (1 - outputs))
  return {
    panels,
    tiles,
    tileRows,
    largeTiles: tiles - (tiles * tileRows - m),
    units,
    packCost: 60 + (panels.inPlace ? 0 : k * Math.min(rowsCost, transposedCost)),
    tileCost: k * Math.max(inner, 20) + p.blocks.length * (60 + storing),
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
  /** about how many instructions it takes */
  readonly cost: number
}

/** the cheapest of both directions, of both panel widths, of packing and not; the bits of the result are the same */
export const choose = (p: Product, wide: boolean): Choice => {
  const exchangeable = p.batches.every((z) => z.columns === p.columns.operand.length) && equallySpaced(p.columns.output)
  const directions = exchangeable ? [p, transpose(p)] : [p]
  const choices = directions.flatMap((product, i) =>
    (wide ? [16 as const, 8 as const] : [8 as const]).flatMap((columns) =>
      [packedPanels(product, columns), inPlacePanels(product, columns)].flatMap((panels) => {
        if (panels === undefined) return []
        const shape = shapeOf(product, panels, columns, wide)
        const cost = shape.units * (shape.packCost + shape.tiles * shape.tileCost)
        return [{ product, transposed: i === 1, columns, shape, cost }]
      }),
    ),
  )
  return choices.reduce((a, b) => (b.cost < a.cost ? b : a))
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to

/** Lays a product out for `threads` threads. */
export const lay = ({ product: p, columns: width, shape }: Choice, threads: number): LaidProduct => {
  const { panels } = shape
  const words: Array<number> = Array.from({ length: Object.keys(field).length }, () => 0)
  const place = (table: ReadonlyArray<number>): number => {
    const at = 4 * words.length
    for (const w of table) words.push(w | 0)
    return at
  }
  const bytes = (table: ReadonlyArray<number>): ReadonlyArray<number> => table.map((x) => 4 * x)
  const contiguous = panels.widths.map((w, i) => {
    const [first = 0, last = 0] = [panels.output[i * width], panels.output[i * width + w - 1]]
    return last - first === w - 1
  })
  const biasTimes = p.bias === "rows" ? width : 1
  const { rowParts, columnParts } = shareOut(shape, threads)
  const longest = p.blocks.reduce((max, b) => Math.max(max, b.count), 0)
  const panelBytes = 4 * width * longest
  const threadBytes = roundUp(panelBytes + 4 * width * maxRows, 128)
  const firstRow = p.rows.output[0] ?? 0
  const kTable = place(p.leftTable.flatMap((x, k) => [4 * x, 4 * (p.rightTable[k] ?? 0)]))
  const values: Record<keyof typeof field, number> = {
    units: shape.units,
    panels: panels.widths.length,
    panelTable: place(panels.widths.flatMap((w, i) => [w, contiguous[i] === true ? 1 : 0])),
    inPlace: panels.inPlace ? 1 : 0,
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
    zeroTable: place(Array.from({ length: width }, () => 0)),
  }
  for (const name of Object.keys(field) as ReadonlyArray<keyof typeof field>) words[field[name]] = values[name]
  return { columns: width, tables: Int32Array.from(words), threadBytes, threadBytesAt: field.threadBytes, biasTimes }
}
