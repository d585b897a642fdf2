/**
 * The code of the table-driven matrix product of `Product.ts`, in WebAssembly, for panels of `columns` columns.
 *
 * The right operand is packed into a panel of `[k][columns]`; the left one is read where it lies, through a table of
 * offsets by `k` and one by row. The inner kernel keeps up to six rows of a panel in registers. V8 fuses neighbouring
 * 128-bit vectors into 256-bit ones only if the accumulators are loaded before the loop and all stored together after it:
 * hence `from` and `to` instead of an addition at the end.
 */
import {
  br,
  brIf,
  block,
  call,
  choose,
  f32,
  f32x4,
  forRange,
  func,
  i32,
  increase,
  loop,
  seq,
  set,
  v128,
  when,
  whileLoop,
} from "./Assembler.ts"
import type { Expr, Func, Local, Statement } from "./Assembler.ts"

/** consecutive words of a record in memory, by name */
export const wordsNamed = <const N extends ReadonlyArray<string>>(...names: N): Readonly<Record<N[number], number>> =>
  // a record of just these names: entries do not carry that in their type
  Object.fromEntries(names.map((name, i) => [name, i])) as Record<N[number], number>

/** the words of a product's descriptor; those ending in `Table` are byte offsets from its start */
export const field = wordsNamed(
  ...([
    "units",
    "panels",
    "batchTable",
    "blocks",
    "blockTable",
    "tiles",
    "largeTiles",
    "tileRows",
    "rowTable",
  ] as const),
  ...(["rowStride", "columnTable", "outputTable", "initRow", "initColumn", "packTransposed"] as const),
  ...(["rowParts", "columnParts", "threadBytes", "panelBytes", "zeroTable", "panelTable", "inPlace"] as const),
)
/** words of an entry of the batch table: where the operands, the output and the bias start, in bytes */
export const batch = wordsNamed("a", "b", "c", "init", "columns")
/** words of an entry of the table of panels: how many of its columns there are, and whether they lie together in the output */
export const panelEntry = wordsNamed("width", "contiguous")
/** words of an entry of the table of blocks of `k`; its `table` has the left and the right offset of each `k` in turn */
export const kBlock = wordsNamed("count", "a", "b", "table")
export const maxRows = 6

export interface KernelOptions {
  /** 16: pairs of vectors that V8 may fuse; 8: what fits the registers without that */
  readonly columns: 8 | 16
  /** use relaxed SIMD's fused multiplication and addition */
  readonly relaxed: boolean
}

const word = (base: Expr<"i32">, index: number): Expr<"i32"> => i32.load(base, 4 * index)
const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

/**
 * `to[r, :] = from[r, :] + Σₖ a[rows[r] + offsets[k]] · panel[k, :]` for `rows` rows; where it is `inPlace`, the panel is not
 * packed, and its row `k` starts at `panel` and the right offset of `k`
 */
const tileKernel = (rows: number, inPlace: boolean, { columns, relaxed }: KernelOptions): Func => {
  const vectors = columns / 4
  const madd = (x: Expr<"v128">, y: Expr<"v128">, z: Expr<"v128">) =>
    relaxed ? f32x4.relaxedMadd(x, y, z) : f32x4.add(z, f32x4.mul(x, y))
  return func(
    `tile${rows}x${columns}${inPlace ? "inPlace" : ""}`,
    {
      a: "i32",
      rows: "i32",
      offsets: "i32",
      panel: "i32",
      count: "i32",
      from: "i32",
      fromStride: "i32",
      to: "i32",
      toStride: "i32",
    },
    "void",
    (p, local) => {
      const row = range(rows).map(() => local("i32"))
      const target = range(rows).map(() => local("i32"))
      const accumulators = range(rows).map(() => range(vectors).map(() => local("v128")))
      const right = range(vectors).map(() => local("v128"))
      const [left, offset, line] = [local("v128"), local("i32"), local("i32")]
      return [
        ...row.map((r, i) => set(r, i32.add(p.a, i32.load(p.rows, 4 * i)))),
        ...accumulators.flatMap((line) => [
          ...line.map((x, j) => set(x, v128.load(p.from, 16 * j))),
          increase(p.from, p.fromStride),
        ]),
        loop((again) => [
          set(offset, i32.load(p.offsets)),
          ...(inPlace ? [set(line, i32.add(p.panel, i32.load(p.offsets, 4)))] : []),
          ...right.map((x, j) => set(x, v128.load(inPlace ? line : p.panel, 16 * j))),
          ...accumulators.flatMap((line, i) => [
            set(left, v128.load32Splat(i32.add(row[i] as Local<"i32">, offset))),
            ...line.map((x, j) => set(x, madd(left, right[j] as Local<"v128">, x))),
          ]),
          ...(inPlace ? [] : [increase(p.panel, 4 * columns)]),
          increase(p.offsets, 8),
          set(p.count, i32.sub(p.count, 1)),
          brIf(again, p.count),
        ]),
        ...target.flatMap((t) => [set(t, p.to), increase(p.to, p.toStride)]),
        ...accumulators.flatMap((line, i) => line.map((x, j) => v128.store(target[i] as Local<"i32">, x, 16 * j))),
      ]
    },
  )
}

const transpose = (r: ReadonlyArray<Expr<"v128">>): ReadonlyArray<Expr<"v128">> => {
  const [a, b, c, d] = r as readonly [Expr<"v128">, Expr<"v128">, Expr<"v128">, Expr<"v128">]
  const [ab, cd] = [v128.shuffle32(a, b, [0, 4, 1, 5]), v128.shuffle32(c, d, [0, 4, 1, 5])]
  const [ab2, cd2] = [v128.shuffle32(a, b, [2, 6, 3, 7]), v128.shuffle32(c, d, [2, 6, 3, 7])]
  return [
    v128.shuffle32(ab, cd, [0, 1, 4, 5]),
    v128.shuffle32(ab, cd, [2, 3, 6, 7]),
    v128.shuffle32(ab2, cd2, [0, 1, 4, 5]),
    v128.shuffle32(ab2, cd2, [2, 3, 6, 7]),
  ]
}

/** whether four words follow each other in steps of 4: four floats that one vector load reads */
const consecutive = (table: Expr<"i32">, at: number, step: number): Expr<"i32"> =>
  [1, 2, 3]
    .map((i) => i32.eq(i32.sub(i32.load(table, at + step * i), i32.load(table, at)), 4 * i))
    .reduce((a, b) => i32.and(a, b))

/** four floats from four addresses */
const gather = (addresses: ReadonlyArray<Expr<"i32">>): Expr<"v128"> => {
  const [a, b, c, d] = addresses as readonly [Expr<"i32">, Expr<"i32">, Expr<"i32">, Expr<"i32">]
  return v128.load32Lane(3, d, v128.load32Lane(2, c, v128.load32Lane(1, b, v128.load32Zero(a))))
}

const packArguments = { b: "i32", offsets: "i32", columns: "i32", count: "i32", to: "i32" } as const

/** four columns of a panel, whose rows are contiguous in memory if the columns' offsets are */
const packGroup = ({ columns }: KernelOptions): Func =>
  func(`packGroup${columns}`, packArguments, "void", (p, local) => {
    const column = range(4).map(() => local("i32"))
    const [k, offset] = [local("i32"), local("i32")]
    const each = (body: Expr<"v128">): Statement =>
      forRange(k, 0, p.count, 1, () => [
        set(offset, i32.load(p.offsets, 4)),
        v128.store(p.to, body),
        increase(p.offsets, 8),
        increase(p.to, 4 * columns),
      ])
    return [
      ...column.map((c, j) => set(c, i32.add(p.b, i32.load(p.columns, 4 * j)))),
      when(
        consecutive(p.columns, 0, 4),
        [each(v128.load(i32.add(column[0] as Local<"i32">, offset)))],
        [each(gather(column.map((c) => i32.add(c, offset))))],
      ),
    ]
  })

/** a panel, along its rows */
const packRows = (options: KernelOptions, group: Func): Func => {
  const { columns } = options
  return func(`packRows${columns}`, packArguments, "void", (p, local) => {
    const groups = range(columns / 4)
    const column = groups.map(() => local("i32"))
    const [k, offset] = [local("i32"), local("i32")]
    return [
      when(
        groups.map((g) => consecutive(p.columns, 16 * g, 4)).reduce((a, b) => i32.and(a, b)),
        [
          ...column.map((c, g) => set(c, i32.add(p.b, i32.load(p.columns, 16 * g)))),
          forRange(k, 0, p.count, 1, () => [
            set(offset, i32.load(p.offsets, 4)),
            ...column.map((c, g) => v128.store(p.to, v128.load(i32.add(c, offset)), 16 * g)),
            increase(p.offsets, 8),
            increase(p.to, 4 * columns),
          ]),
        ],
        groups.map((g) => call(group, p.b, p.offsets, i32.add(p.columns, 16 * g), p.count, i32.add(p.to, 16 * g))),
      ),
    ]
  })
}

/** a panel, along its columns: four steps of `k` at a time where they follow each other in memory */
const packTransposed = ({ columns }: KernelOptions): Func =>
  func(`packTransposed${columns}`, packArguments, "void", (p, local) => {
    const [g, k, steps, offset] = [local("i32"), local("i32"), local("i32"), local("i32")]
    const [offsets, to] = [local("i32"), local("i32")]
    const column = range(4).map(() => local("i32"))
    const lines = range(4).map(() => local("v128"))
    return [
      forRange(g, 0, columns / 4, 1, () => [
        ...column.map((c, j) => set(c, i32.add(p.b, i32.load(p.columns, 4 * j)))),
        set(offsets, p.offsets),
        set(to, p.to),
        set(k, p.count),
        block((exit) => [
          loop((again) => [
            brIf(exit, i32.leS(k, 0)),
            set(steps, 1),
            when(i32.geS(k, 4), [when(consecutive(offsets, 4, 8), [set(steps, 4)])]),
            set(offset, i32.load(offsets, 4)),
            when(
              i32.eq(steps, 4),
              [
                ...lines.map((l, j) => set(l, v128.load(i32.add(column[j] as Local<"i32">, offset)))),
                ...transpose(lines).map((l, j) => v128.store(to, l, 4 * columns * j)),
              ],
              [v128.store(to, gather(column.map((c) => i32.add(c, offset))))],
            ),
            increase(offsets, i32.mul(steps, 8)),
            increase(to, i32.mul(steps, 4 * columns)),
            set(k, i32.sub(k, steps)),
            br(again),
          ]),
        ]),
        increase(p.columns, 16),
        increase(p.to, 16),
      ]),
    ]
  })

/** writes a tile of `rows` rows to its place, or adds it to what stands there */
const scatter = ({ columns }: KernelOptions): Func =>
  func(
    `scatter${columns}`,
    {
      ...({ tile: "i32", rows: "i32", to: "i32", toStride: "i32" } as const),
      ...({ table: "i32", width: "i32", contiguous: "i32", accumulate: "i32" } as const),
    },
    "void",
    (p, local) => {
      const [r, j, at, from, quads] = [local("i32"), local("i32"), local("i32"), local("i32"), local("i32")]
      const put = (one: Statement, sum: Statement): Statement => when(p.accumulate, [sum], [one])
      return [
        set(quads, choose(p.contiguous, i32.and(p.width, -4), i32.const(0))),
        forRange(r, 0, p.rows, 1, () => [
          set(from, p.tile),
          set(at, i32.add(p.to, i32.load(p.table))),
          forRange(j, 0, quads, 4, () => [
            put(v128.store(at, v128.load(from)), v128.store(at, f32x4.add(v128.load(at), v128.load(from)))),
            increase(at, 16),
            increase(from, 16),
          ]),
          forRange(j, quads, p.width, 1, () => [
            set(at, i32.add(p.to, i32.load(i32.add(p.table, i32.shl(j, 2))))),
            put(f32.store(at, f32.load(from)), f32.store(at, f32.add(f32.load(at), f32.load(from)))),
            increase(from, 4),
          ]),
          increase(p.tile, 4 * columns),
          increase(p.to, p.toStride),
        ]),
      ]
    },
  )

/** the kernels of tiles of one to `maxRows` rows, on packed panels and on panels in place */
export interface TileKernels {
  readonly packed: ReadonlyArray<Func>
  readonly inPlace: ReadonlyArray<Func>
}

export const tileKernels = (options: KernelOptions): TileKernels => ({
  packed: range(maxRows).map((i) => tileKernel(i + 1, false, options)),
  inPlace: range(maxRows).map((i) => tileKernel(i + 1, true, options)),
})

/** one thread's share of a product: see `Product.ts` */
export const product = (options: KernelOptions, { packed, inPlace }: TileKernels): Func => {
  const { columns } = options
  const kernels = [packed, inPlace]
  const rowsPacker = packRows(options, packGroup(options))
  const transposer = packTransposed(options)
  const scatterer = scatter(options)
  return func(
    `product${columns}`,
    { d: "i32", a: "i32", b: "i32", c: "i32", init: "i32", work: "i32", part: "i32", parts: "i32" },
    "void",
    (p, local) => {
      const i = () => local("i32")
      const [rowPart, columnPart, unit, lastUnit, tile, firstTile, lastTile] = [i(), i(), i(), i(), i(), i(), i()]
      const [z, zEntry, panel, column, width, direct, contiguous, start] = [i(), i(), i(), i(), i(), i(), i(), i()]
      const [blockIndex, entry, count, rows, row, scratch, from, to] = [i(), i(), i(), i(), i(), i(), i(), i()]
      const [outputs, large, rowTable, fromStride, toStride, stored] = [i(), i(), i(), i(), i(), i()]
      const f = (name: keyof typeof field) => word(p.d, field[name])
      const table = (offset: Expr<"i32">) => i32.add(p.d, offset)
      /** where share `i` of `n` things among `of` begins */
      const share = (index: Expr<"i32">, n: Expr<"i32">, of: Expr<"i32">) => i32.divU(i32.mul(index, n), of)

      const runTile: Statement = seq(
        // the first tiles have one row more than the others
        set(rows, i32.sub(f("tileRows"), i32.geS(tile, large))),
        set(
          row,
          i32.sub(i32.mul(tile, f("tileRows")), choose(i32.gtS(tile, large), i32.sub(tile, large), i32.const(0))),
        ),
        set(to, i32.add(i32.add(p.c, word(zEntry, batch.c)), i32.mul(row, f("rowStride")))),
        when(
          blockIndex,
          [set(from, table(f("zeroTable"))), set(fromStride, 0)],
          [
            set(fromStride, f("initRow")),
            set(
              from,
              i32.add(
                i32.add(p.init, word(zEntry, batch.init)),
                i32.add(i32.mul(row, fromStride), i32.mul(column, f("initColumn"))),
              ),
            ),
          ],
        ),
        set(stored, i32.and(direct, i32.eqz(blockIndex))),
        set(toStride, choose(stored, f("rowStride"), i32.const(4 * columns))),
        block((done) =>
          kernels.map((tiles, inPlace) =>
            when(
              i32.eq(f("inPlace"), inPlace),
              tiles.map((kernel, index) =>
                when(i32.eq(rows, index + 1), [
                  call(
                    kernel,
                    i32.add(i32.add(p.a, word(zEntry, batch.a)), word(entry, kBlock.a)),
                    i32.add(rowTable, i32.shl(row, 2)),
                    table(word(entry, kBlock.table)),
                    start,
                    count,
                    from,
                    fromStride,
                    choose(stored, i32.add(to, i32.load(outputs)), scratch),
                    toStride,
                  ),
                  br(done),
                ]),
              ),
            ),
          ),
        ),
        when(i32.eqz(stored), [
          call(scatterer, scratch, rows, to, f("rowStride"), outputs, width, contiguous, blockIndex),
        ]),
      )

      const right = i32.add(i32.add(p.b, word(zEntry, batch.b)), word(entry, kBlock.b))
      const columnOffsets = i32.add(table(f("columnTable")), i32.shl(column, 2))
      const bringPanel: Statement = when(
        f("inPlace"),
        [set(start, i32.add(right, i32.load(columnOffsets)))],
        [
          set(start, p.work),
          ...[rowsPacker, transposer].map((packer, kind) =>
            when(i32.eq(f("packTransposed"), kind), [
              call(packer, right, table(word(entry, kBlock.table)), columnOffsets, count, start),
            ]),
          ),
        ],
      )

      return [
        set(columnPart, i32.divU(p.part, f("rowParts"))),
        set(rowPart, i32.remU(p.part, f("rowParts"))),
        when(i32.ltS(columnPart, f("columnParts")), [
          increase(p.work, i32.mul(p.part, f("threadBytes"))),
          set(scratch, i32.add(p.work, f("panelBytes"))),
          set(large, f("largeTiles")),
          set(rowTable, table(f("rowTable"))),
          set(unit, share(columnPart, f("units"), f("columnParts"))),
          set(lastUnit, share(i32.add(columnPart, 1), f("units"), f("columnParts"))),
          set(firstTile, share(rowPart, f("tiles"), f("rowParts"))),
          set(lastTile, share(i32.add(rowPart, 1), f("tiles"), f("rowParts"))),
          forRange(unit, unit, lastUnit, 1, () => [
            set(z, i32.divU(unit, f("panels"))),
            set(panel, i32.remU(unit, f("panels"))),
            set(column, i32.mul(panel, columns)),
            set(zEntry, i32.add(table(f("batchTable")), i32.mul(z, 4 * Object.keys(batch).length))),
            set(outputs, i32.add(table(f("outputTable")), i32.shl(column, 2))),
            set(entry, i32.add(table(f("panelTable")), i32.mul(panel, 4 * Object.keys(panelEntry).length))),
            set(width, i32.sub(word(zEntry, batch.columns), column)),
            set(contiguous, word(entry, panelEntry.width)),
            when(i32.gtS(width, contiguous), [set(width, contiguous)]),
            set(contiguous, word(entry, panelEntry.contiguous)),
            set(direct, i32.and(contiguous, i32.eq(width, columns))),
            when(i32.gtS(width, 0), [
              forRange(blockIndex, 0, f("blocks"), 1, () => [
                set(entry, i32.add(table(f("blockTable")), i32.mul(blockIndex, 4 * Object.keys(kBlock).length))),
                set(count, word(entry, kBlock.count)),
                bringPanel,
                forRange(tile, firstTile, lastTile, 1, () => [runTile]),
              ]),
            ]),
          ]),
        ]),
      ]
    },
  )
}

const padArguments = {
  ...({ from: "i32", to: "i32", planes: "i32", height: "i32", width: "i32" } as const),
  ...({ outerWidth: "i32", top: "i32", left: "i32", stride: "i32", part: "i32", parts: "i32" } as const),
} as const

/** planes of `[height][width]` copied into planes of rows of `outerWidth`, `stride` floats apart, with zeros around */
export const pad: Func = func("pad", padArguments, "void", (p, local) => {
  const [plane, last, y, source, target] = [local("i32"), local("i32"), local("i32"), local("i32"), local("i32")]
  const [end, next, bytes] = [local("i32"), local("i32"), local("i32")]
  const zero = f32x4.const(0)
  /** up to `end`, from `target` on, which moves there */
  const upToEnd = (vectors: number, put: (offset: number) => Statement): Statement =>
    whileLoop(i32.leU(i32.add(target, 16 * vectors), end), () => [
      ...range(vectors).map((i) => put(16 * i)),
      increase(target, 16 * vectors),
      increase(source, 16 * vectors),
    ])
  const zeros: Statement = seq(
    upToEnd(1, (offset) => v128.store(target, zero, offset)),
    whileLoop(i32.ltU(target, end), () => [f32.store(target, 0), increase(target, 4)]),
  )
  const copy = (offset: number) => v128.store(target, v128.load(source, offset), offset)
  return [
    set(plane, i32.divU(i32.mul(p.part, p.planes), p.parts)),
    set(last, i32.divU(i32.mul(i32.add(p.part, 1), p.planes), p.parts)),
    set(bytes, i32.shl(p.width, 2)),
    forRange(plane, plane, last, 1, () => [
      set(target, i32.add(p.to, i32.shl(i32.mul(plane, p.stride), 2))),
      set(next, i32.add(p.from, i32.mul(i32.mul(plane, p.height), bytes))),
      set(end, i32.add(target, i32.shl(i32.add(i32.mul(p.top, p.outerWidth), p.left), 2))),
      zeros,
      forRange(y, 0, p.height, 1, () => [
        set(source, next),
        set(end, i32.add(target, bytes)),
        upToEnd(4, copy),
        upToEnd(1, copy),
        whileLoop(i32.ltU(target, end), () => [
          f32.store(target, f32.load(source)),
          increase(target, 4),
          increase(source, 4),
        ]),
        increase(next, bytes),
        // to where the next row starts
        set(end, i32.add(target, i32.shl(i32.sub(p.outerWidth, p.width), 2))),
        when(i32.ltS(y, i32.sub(p.height, 1)), [zeros]),
      ]),
      set(end, i32.add(p.to, i32.shl(i32.mul(i32.add(plane, 1), p.stride), 2))),
      zeros,
    ]),
  ]
})

/** each of `count` floats written `times` times; the first part does all */
export const spread: Func = func(
  "spread",
  { from: "i32", to: "i32", count: "i32", times: "i32", part: "i32", parts: "i32" },
  "void",
  (p, local) => {
    const [i, t] = [local("i32"), local("i32")]
    return [
      when(i32.eqz(p.part), [
        forRange(i, 0, p.count, 1, () => [
          forRange(t, 0, p.times, 1, () => [
            f32.store(p.to, f32.load(i32.add(p.from, i32.shl(i, 2)))),
            increase(p.to, 4),
          ]),
        ]),
      ]),
    ]
  },
)
