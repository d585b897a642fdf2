/**
 * The other form of contraction: sums of products of two arrays that both lie along the summed axis,
 *
 * `output[i · rowStride + j · columnStride] = Σ over segments Σ p < 8 · steps of left[rows[i] + p] · right[columns[j] + p]`
 *
 * for each batch. It is what the weight gradient of a convolution of stride 1 is, once `dy` stands in rows as wide as those of the
 * padded image; for few channels it wastes far less than a matrix product does.
 */
import { columnsAtOnce, dotField, rowsAtOnce, tileBytes } from "./dotKernels.ts"

/** Offsets are in floats. */
export interface InnerProducts {
  readonly batches: ReadonlyArray<{ readonly left: number; readonly right: number; readonly output: number }>
  readonly rows: Int32Array
  readonly columns: Int32Array
  readonly rowStride: number
  readonly columnStride: number
  readonly segments: ReadonlyArray<{ readonly steps: number; readonly left: number; readonly right: number }>
}

/** after so many steps partial sums are added up and new ones begun, for accuracy and for the cache */
const longestSpan = 512

const transpose = (p: InnerProducts): InnerProducts => ({
  batches: p.batches.map((z) => ({ ...z, left: z.right, right: z.left })),
  rows: p.columns,
  columns: p.rows,
  rowStride: p.columnStride,
  columnStride: p.rowStride,
  segments: p.segments.map((s) => ({ ...s, left: s.right, right: s.left })),
})

const cutRows = (rows: number, wide: boolean) => {
  const tiles = Math.ceil(rows / rowsAtOnce(wide))
  const tileRows = Math.ceil(rows / tiles)
  return { tiles, tileRows, large: tiles - (tiles * tileRows - rows) }
}

/** about how many instructions it takes, as `Product.ts` counts them */
const costOf = (p: InnerProducts, wide: boolean): number => {
  const { tiles, tileRows } = cutRows(p.rows.length, wide)
  const steps = p.segments.reduce((n, s) => n + s.steps, 0)
  const spans = steps / longestSpan + 1
  const [pairs, odd] = [Math.floor(p.columns.length / columnsAtOnce), p.columns.length % columnsAtOnce]
  const inner = (columns: number) => Math.max(20, tileRows * columns + 2 * (tileRows + columns) + 3)
  const tile = (columns: number) => steps * inner(columns) + p.segments.length * 70 + spans * tileRows * columns * 20
  return p.batches.length * tiles * (pairs * tile(2) + odd * tile(1))
}

/** the direction that costs less; the bits of the result are the same */
const choose = (
  p: InnerProducts,
  wide: boolean,
): { readonly products: InnerProducts; readonly transposed: boolean } => {
  const other = transpose(p)
  return costOf(other, wide) < costOf(p, wide)
    ? { products: other, transposed: true }
    : { products: p, transposed: false }
}

/** the cost on wide kernels: what decides between forms must not depend on the engine, since the forms differ in bits */
export const cost = (p: InnerProducts): number => Math.min(costOf(p, true), costOf(transpose(p), true))

export const lay = (
  given: InnerProducts,
  {
    wide,
    accumulate,
  }: {
    readonly wide: boolean
    /** whether they are added to what stands in the output */
    readonly accumulate: boolean
  },
): {
  readonly tables: Int32Array
  readonly threadBytes: number
  readonly threadBytesAt: number
  readonly transposed: boolean
} => {
  const { products: p, transposed } = choose(given, wide)
  const words: Array<number> = Array.from({ length: Object.keys(dotField).length }, () => 0)
  const place = (table: Iterable<number>): number => {
    const at = 4 * words.length
    for (const w of table) words.push(w | 0)
    return at
  }
  const spans: Array<{ first: number; end: number; steps: number }> = []
  p.segments.forEach((s, i) => {
    const last = spans.at(-1)
    if (last === undefined || last.steps + s.steps > longestSpan) spans.push({ first: i, end: i + 1, steps: s.steps })
    else Object.assign(last, { end: i + 1, steps: last.steps + s.steps })
  })
  const { tiles, tileRows, large } = cutRows(p.rows.length, wide)
  const threadBytes = Math.ceil(tileBytes / 128) * 128
  const values: Record<keyof typeof dotField, number> = {
    batches: p.batches.length,
    batchTable: place(p.batches.flatMap((z) => [4 * z.left, 4 * z.right, 4 * z.output])),
    rowTiles: tiles,
    largeRowTiles: large,
    tileRows,
    columns: p.columns.length,
    rowTable: place(p.rows.map((x) => 4 * x)),
    columnTable: place(p.columns.map((x) => 4 * x)),
    rowStride: 4 * p.rowStride,
    columnStride: 4 * p.columnStride,
    spans: spans.length,
    spanTable: place(spans.flatMap((s) => [s.first, s.end])),
    segmentTable: place(p.segments.flatMap((s) => [s.steps, 4 * s.left, 4 * s.right])),
    threadBytes,
    accumulate: accumulate ? 1 : 0,
  }
  for (const name of Object.keys(dotField) as ReadonlyArray<keyof typeof dotField>) words[dotField[name]] = values[name]
  return { tables: Int32Array.from(words), threadBytes, threadBytesAt: dotField.threadBytes, transposed }
}
