/**
 * The code of `InnerProducts.ts`: many sums over two arrays that both lie along the summed axis. Eight partial sums for each
 * result, in two vectors that V8 may fuse, are added up at the end of each span.
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
  set,
  v128,
  when,
} from "./Assembler.ts"
import type { Expr, Func, Local } from "./Assembler.ts"
import { wordsNamed } from "./productKernels.ts"

/** the words of the descriptor; those ending in `Table` are byte offsets from its start */
export const dotField = wordsNamed(
  ...([
    "batches",
    "batchTable",
    "rowTiles",
    "largeRowTiles",
    "tileRows",
    "columns",
    "rowTable",
    "columnTable",
  ] as const),
  ...(["rowStride", "columnStride", "spans", "spanTable", "segmentTable", "threadBytes", "accumulate"] as const),
)
export const dotBatch = wordsNamed("a", "b", "c")
/** which segments a span has */
export const dotSpan = wordsNamed("first", "end")
/** how many times eight numbers, and where they start in both arrays */
export const dotSegment = wordsNamed("steps", "a", "b")
export const columnsAtOnce = 2
/** how many rows are summed at once: the registers hold half as many where vectors are not fused */
export const rowsAtOnce = (wide: boolean): number => (wide ? 6 : 3)
/** partial sums of one tile */
export const tileBytes = 6 * columnsAtOnce * 32

const word = (base: Expr<"i32">, index: number): Expr<"i32"> => i32.load(base, 4 * index)
const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

/** eight partial sums for each of `rows × columns` pairs; they start from zero or from what `sums` holds */
const dotTile = (rows: number, columns: number, wide: boolean, relaxed: boolean): Func => {
  const madd = (x: Expr<"v128">, y: Expr<"v128">, z: Expr<"v128">) =>
    relaxed ? f32x4.relaxedMadd(x, y, z) : f32x4.add(z, f32x4.mul(x, y))
  return func(
    `dot${rows}x${columns}${wide ? "wide" : ""}`,
    {
      ...({ a: "i32", rows: "i32", b: "i32", columns: "i32" } as const),
      ...({ steps: "i32", from: "i32", fromStride: "i32", sums: "i32" } as const),
    },
    "void",
    (p, local) => {
      const halves = [0, 1]
      const left = range(rows).map(() => local("i32"))
      const right = range(columns).map(() => local("i32"))
      const sums = range(rows * columns).map(() => halves.map(() => local("v128")))
      const held = range(columns).map(() => halves.map(() => local("v128")))
      const one = halves.map(() => local("v128"))
      const loadRight = (h: number) =>
        held.map((x, j) => set(x[h] as Local<"v128">, v128.load(right[j] as Local<"i32">, 16 * h)))
      const loadLeft = (i: number, h: number) =>
        set(one[h] as Local<"v128">, v128.load(left[i] as Local<"i32">, 16 * h))
      const add = (i: number, j: number, h: number) => {
        const sum = sums[i * columns + j]?.[h] as Local<"v128">
        return set(sum, madd(one[h] as Local<"v128">, held[j]?.[h] as Local<"v128">, sum))
      }
      // fused, both halves are one; else one half at a time needs fewer registers
      const step = wide
        ? [
            ...halves.flatMap(loadRight),
            ...left.flatMap((_, i) => [
              ...halves.map((h) => loadLeft(i, h)),
              ...right.flatMap((_, j) => halves.map((h) => add(i, j, h))),
            ]),
          ]
        : halves.flatMap((h) => [
            ...loadRight(h),
            ...left.flatMap((_, i) => [loadLeft(i, h), ...right.map((_, j) => add(i, j, h))]),
          ])
      return [
        ...left.map((x, i) => set(x, i32.add(p.a, i32.load(p.rows, 4 * i)))),
        ...right.map((x, j) => set(x, i32.add(p.b, i32.load(p.columns, 4 * j)))),
        ...sums.flatMap((pair) => [
          ...pair.map((x, h) => set(x, v128.load(p.from, 16 * h))),
          increase(p.from, p.fromStride),
        ]),
        loop((again) => [
          ...step,
          ...[...left, ...right].map((x) => increase(x, 32)),
          set(p.steps, i32.sub(p.steps, 1)),
          brIf(again, p.steps),
        ]),
        ...sums.flatMap((pair, i) => pair.map((x, h) => v128.store(p.sums, x, 32 * i + 16 * h))),
      ]
    },
  )
}

/** each eight partial sums as one, written or added to its place */
const settle: Func = func(
  "settle",
  {
    ...({ sums: "i32", rows: "i32", columns: "i32", to: "i32" } as const),
    ...({ rowStride: "i32", columnStride: "i32", accumulate: "i32" } as const),
  },
  "void",
  (p, local) => {
    const [i, j, at, v] = [local("i32"), local("i32"), local("i32"), local("v128")]
    const total = f32.add(f32x4.extractLane(0, v), f32x4.extractLane(1, v))
    return [
      forRange(i, 0, p.rows, 1, () => [
        set(at, p.to),
        forRange(j, 0, p.columns, 1, () => [
          set(v, f32x4.add(v128.load(p.sums), v128.load(p.sums, 16))),
          set(v, f32x4.add(v, v128.shuffle32(v, v, [2, 3, 0, 1]))),
          when(p.accumulate, [f32.store(at, f32.add(f32.load(at), total))], [f32.store(at, total)]),
          increase(p.sums, 32),
          increase(at, p.columnStride),
        ]),
        increase(p.to, p.rowStride),
      ]),
    ]
  },
)

/** one thread's share: see `InnerProducts.ts` */
export const innerProducts = ({ wide, relaxed }: { readonly wide: boolean; readonly relaxed: boolean }): Func => {
  const kernels = range(rowsAtOnce(wide)).map((i) =>
    range(columnsAtOnce).map((j) => dotTile(i + 1, j + 1, wide, relaxed)),
  )
  return func(
    "innerProducts",
    {
      ...({ d: "i32", a: "i32", b: "i32", c: "i32", zeros: "i32", work: "i32" } as const),
      ...({ part: "i32", parts: "i32" } as const),
    },
    "void",
    (p, local) => {
      const i = () => local("i32")
      const [z, zEntry, span, spanEntry, segment, entry, tile, firstTile, lastTile] = [
        i(),
        i(),
        i(),
        i(),
        i(),
        i(),
        i(),
        i(),
        i(),
      ]
      const [rowTile, row, rows, column, columns, columnTiles, large] = [i(), i(), i(), i(), i(), i(), i()]
      const f = (name: keyof typeof dotField) => word(p.d, dotField[name])
      const at = (table: keyof typeof dotField, index: Expr<"i32">, words: Readonly<Record<string, number>>) =>
        i32.add(i32.add(p.d, f(table)), i32.mul(index, 4 * Object.keys(words).length))
      return [
        increase(p.work, i32.mul(p.part, f("threadBytes"))),
        set(columnTiles, i32.divU(i32.add(f("columns"), columnsAtOnce - 1), columnsAtOnce)),
        set(large, f("largeRowTiles")),
        set(lastTile, i32.mul(columnTiles, f("rowTiles"))),
        set(firstTile, i32.divU(i32.mul(p.part, lastTile), p.parts)),
        set(lastTile, i32.divU(i32.mul(i32.add(p.part, 1), lastTile), p.parts)),
        forRange(z, 0, f("batches"), 1, () => [
          set(zEntry, at("batchTable", z, dotBatch)),
          forRange(span, 0, f("spans"), 1, () => [
            set(spanEntry, at("spanTable", span, dotSpan)),
            forRange(tile, firstTile, lastTile, 1, () => [
              set(rowTile, i32.divU(tile, columnTiles)),
              set(column, i32.mul(i32.remU(tile, columnTiles), columnsAtOnce)),
              set(columns, i32.sub(f("columns"), column)),
              when(i32.gtS(columns, columnsAtOnce), [set(columns, columnsAtOnce)]),
              // the first tiles have one row more than the others
              set(rows, i32.sub(f("tileRows"), i32.geS(rowTile, large))),
              set(row, i32.mul(rowTile, f("tileRows"))),
              when(i32.gtS(rowTile, large), [set(row, i32.sub(row, i32.sub(rowTile, large)))]),
              forRange(segment, word(spanEntry, dotSpan.first), word(spanEntry, dotSpan.end), 1, () => [
                set(entry, at("segmentTable", segment, dotSegment)),
                block((done) =>
                  kernels.flatMap((line, r) =>
                    line.map((kernel, c) =>
                      when(i32.and(i32.eq(rows, r + 1), i32.eq(columns, c + 1)), [
                        call(
                          kernel,
                          i32.add(i32.add(p.a, word(zEntry, dotBatch.a)), word(entry, dotSegment.a)),
                          i32.add(i32.add(p.d, f("rowTable")), i32.shl(row, 2)),
                          i32.add(i32.add(p.b, word(zEntry, dotBatch.b)), word(entry, dotSegment.b)),
                          i32.add(i32.add(p.d, f("columnTable")), i32.shl(column, 2)),
                          word(entry, dotSegment.steps),
                          choose(i32.eq(segment, word(spanEntry, dotSpan.first)), p.zeros, p.work),
                          choose(i32.eq(segment, word(spanEntry, dotSpan.first)), i32.const(0), i32.const(32)),
                          p.work,
                        ),
                        br(done),
                      ]),
                    ),
                  ),
                ),
              ]),
              call(
                settle,
                p.work,
                rows,
                columns,
                i32.add(
                  i32.add(p.c, word(zEntry, dotBatch.c)),
                  i32.add(i32.mul(row, f("rowStride")), i32.mul(column, f("columnStride"))),
                ),
                f("rowStride"),
                f("columnStride"),
                i32.or(span, f("accumulate")),
              ),
            ]),
          ]),
        ]),
      ]
    },
  )
}
