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
  readonly threadBytes: number
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

interface Shape {
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
const shapeOf = (p: Product, width: 8 | 16, fused: boolean): Shape => {
  const m = p.rows.operand.length
  const n = p.columns.operand.length
  const tiles = Math.ceil(m / maxRows)
  const tileRows = Math.ceil(m / tiles)
  const units = p.batches.length * Math.ceil(n / width)
  const k = p.blocks.reduce((sum, b) => sum + b.count, 0)
  const vectors = width / 4
  const along = consecutive(p.columns.operand)
  const across = consecutive(p.rightTable)
  const rowsCost = 5 + vectors * (3 * along + 11 * (1 - along))
  const transposedCost = 3 + vectors * (6 * across + 13 * (1 - across))
  const perRow = (fused ? vectors / 2 : vectors) + 2
  const inner = Math.max(tileRows * perRow + vectors / (fused ? 2 : 1) + 5, 20)
  const outputs = consecutive(p.columns.output)
  const storing = tileRows * (vectors * 3 * outputs + width * 7 * (1 - outputs))
  const tileCost = k * inner + p.blocks.length * (60 + storing)
  return {
    tiles,
    tileRows,
    largeTiles: tiles - (tiles * tileRows - m),
    units,
    packCost: k * Math.min(rowsCost, transposedCost),
    tileCost,
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
}

/** the cheaper of both directions and both panel widths */
export const choose = (p: Product, wide: boolean): Choice => {
  const exchangeable = p.batches.every((z) => z.columns === p.columns.operand.length) && equallySpaced(p.columns.output)
  const directions = exchangeable ? [p, transpose(p)] : [p]
  const choices = directions.flatMap((product, i) =>
    (wide ? [16 as const, 8 as const] : [8 as const]).map((columns) => {
      const s = shapeOf(product, columns, wide)
      return { product, transposed: i === 1, columns, cost: s.units * (s.packCost + s.tiles * s.tileCost) }
    }),
  )
  return choices.reduce((a, b) => (b.cost < a.cost ? b : a))
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to

/** Lays a product out for `threads` threads. */
export const lay = ({ product: p, columns: width }: Choice, wide: boolean, threads: number): LaidProduct => {
  const shape = shapeOf(p, width, wide)
  const words: Array<number> = Array.from({ length: Object.keys(field).length }, () => 0)
  const place = (table: ReadonlyArray<number>): number => {
    const at = 4 * words.length
    for (const w of table) words.push(w | 0)
    return at
  }
  const bytes = (table: ReadonlyArray<number>): ReadonlyArray<number> => table.map((x) => 4 * x)
  /** unused columns of the last panel read what the last column reads */
  const padded = (table: ReadonlyArray<number>): ReadonlyArray<number> => {
    const missing = roundUp(table.length, width) - table.length
    return [...table, ...Array.from({ length: missing }, () => table.at(-1) ?? 0)]
  }
  const n = p.columns.operand.length
  const biasTimes = p.bias === "rows" ? width : 1
  const { rowParts, columnParts } = shareOut(shape, threads)
  const longest = p.blocks.reduce((max, b) => Math.max(max, b.count), 0)
  const panelBytes = 4 * width * longest
  const threadBytes = roundUp(panelBytes + 4 * width * maxRows, 128)
  const firstRow = p.rows.output[0] ?? 0
  const leftTable = place(bytes(p.leftTable))
  const rightTable = place(bytes(p.rightTable))
  const values: Record<keyof typeof field, number> = {
    units: shape.units,
    panels: Math.ceil(n / width),
    batchTable: place(
      p.batches.flatMap((z) => [4 * z.left, 4 * z.right, 4 * (z.output + firstRow), 4 * biasTimes * z.bias, z.columns]),
    ),
    blocks: p.blocks.length,
    blockTable: place(
      p.blocks.flatMap((b) => [b.count, 4 * b.left, 4 * b.right, leftTable + 4 * b.start, rightTable + 4 * b.start]),
    ),
    tiles: shape.tiles,
    largeTiles: shape.largeTiles,
    tileRows: shape.tileRows,
    rowTable: place(bytes(p.rows.operand)),
    rowStride: 4 * ((p.rows.output[1] ?? 0) - (p.rows.output[0] ?? 0)),
    columnTable: place(padded(bytes(p.columns.operand))),
    outputTable: place(padded(bytes(p.columns.output))),
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
  return { columns: width, tables: Int32Array.from(words), threadBytes, biasTimes }
}
