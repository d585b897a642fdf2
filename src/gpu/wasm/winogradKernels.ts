/**
 * Convolutions of 3×3 with a stride of 1 by Winograd's minimal filtering F(2×2, 3×3): four neighbouring outputs cost 16
 * multiplications for each channel where the definition has 36. (Lavin and Gray, Fast Algorithms for Convolutional Neural
 * Networks, 2016.)
 *
 * `U = G g Gᵀ` for each filter, `V = Bᵀ d B` for each 4×4 piece of the image, at each of the 16 frequencies a matrix
 * product `M = U V`, then `y = Aᵀ M A`. Each thread takes rows of pieces, some at a time, in memory of its own: what it
 * computes does not depend on how many threads there are.
 */
import { br, brIf, block, call, f32x4, forRange, func, i32, increase, loop, seq, set, v128, when } from "./Assembler.ts"
import { choose, whileLoop } from "./Assembler.ts"
import type { Expr, Func, Local, Statement } from "./Assembler.ts"
import { maxRows, wordsNamed } from "./productKernels.ts"
import type { TileKernels } from "./productKernels.ts"

/** the words of a Winograd convolution's descriptor; lengths and distances are in bytes unless said */
export const winogradField = wordsNamed(
  // counts: rows of pieces in all and of an image, pieces in a row, rows of pieces at a time, channels and filters
  ...(["pieceRows", "imagePieceRows", "pieces", "rowsAtOnce", "channels", "filters"] as const),
  // counts: the image's extents and what stands before it, the output's extents
  ...(["height", "width", "top", "left", "outputHeight", "outputWidth"] as const),
  ...(["imageStride", "imagePlane", "outputStride", "outputPlane"] as const),
  // of U, V and M: from frequency to frequency; of V and M: from channel to channel
  ...(["weightFrequency", "imageFrequency", "productFrequency", "channelStride"] as const),
  // a thread's memory: how much, and where in it M and the lines of the image begin
  ...(["threadBytes", "products", "lines", "lineBytes"] as const),
  // tables, from the descriptor's start: row offsets in U; offsets in U and V by channel; zeros
  ...(["filterTable", "channelTable", "zeroTable", "longestBlock"] as const),
)

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)
type Vector = Expr<"v128">
const at = <T>(list: ReadonlyArray<T>, i: number): T => list[i] as T // indices are of lists of known length

/** `Bᵀ` applied to four numbers */
const imageTransform = (d: ReadonlyArray<Vector>): ReadonlyArray<Vector> => [
  f32x4.sub(at(d, 0), at(d, 2)),
  f32x4.add(at(d, 1), at(d, 2)),
  f32x4.sub(at(d, 2), at(d, 1)),
  f32x4.sub(at(d, 1), at(d, 3)),
]

/**
 * `U` of a thread's share of the filters: `to[frequency][filter][channel]`. `flipped` turns each filter around, as the
 * gradient of the image has it. The number of channels is a multiple of four.
 */
const weightTransform = (flipped: boolean): Func =>
  func(
    flipped ? "winogradWeightsFlipped" : "winogradWeights",
    {
      ...({ from: "i32", to: "i32", filters: "i32", channels: "i32" } as const),
      ...({ filterStride: "i32", channelStride: "i32", frequency: "i32", part: "i32", parts: "i32" } as const),
    },
    "void",
    (p, local) => {
      const [filter, last, channel, source, target] = range(5).map(() => local("i32")) as [
        Local<"i32">,
        Local<"i32">,
        Local<"i32">,
        Local<"i32">,
        Local<"i32">,
      ]
      const lanes = range(4).map(() => local("i32"))
      const taps = range(9).map(() => local("v128"))
      const middle = range(12).map(() => local("v128"))
      const half = f32x4.const(0.5)
      const [sum, difference] = [local("v128"), local("v128")]
      /** `G` applied to three numbers */
      const transformed = (g: ReadonlyArray<Vector>, put: (i: number, x: Vector) => Statement): Statement =>
        seq(
          put(0, at(g, 0)),
          set(sum, f32x4.mul(half, f32x4.add(at(g, 0), at(g, 2)))),
          set(difference, f32x4.mul(half, at(g, 1))),
          put(1, f32x4.add(sum, difference)),
          put(2, f32x4.sub(sum, difference)),
          put(3, at(g, 2)),
        )
      return [
        set(filter, i32.divU(i32.mul(p.part, p.filters), p.parts)),
        set(last, i32.divU(i32.mul(i32.add(p.part, 1), p.filters), p.parts)),
        forRange(filter, filter, last, 1, () => [
          set(source, i32.add(p.from, i32.mul(filter, p.filterStride))),
          set(target, i32.add(p.to, i32.shl(i32.mul(filter, p.channels), 2))),
          forRange(channel, 0, p.channels, 4, () => [
            ...lanes.flatMap((lane) => [set(lane, source), increase(source, p.channelStride)]),
            ...taps.map((tap, k) =>
              set(
                tap,
                lanes
                  .slice(1)
                  .reduce<Vector>(
                    (x, lane, i) => v128.load32Lane((i + 1) as 1 | 2 | 3, lane, x, 4 * (flipped ? 8 - k : k)),
                    v128.load32Zero(at(lanes, 0), 4 * (flipped ? 8 - k : k)),
                  ),
              ),
            ),
            // down the columns, then along the rows
            ...range(3).map((x) =>
              transformed([at(taps, x), at(taps, 3 + x), at(taps, 6 + x)], (i, v) => set(at(middle, 3 * i + x), v)),
            ),
            ...range(4).flatMap((i) => [
              transformed(middle.slice(3 * i, 3 * i + 3), (j, v) =>
                v128.store(i32.add(target, i32.mul(p.frequency, 4 * i + j)), v),
              ),
            ]),
            increase(target, 16),
          ]),
        ]),
      ]
    },
  )

export const winogradWeights: ReadonlyArray<Func> = [weightTransform(false), weightTransform(true)]

/** a row of the image with zeros around: those before it, `width` floats, and zeros up to `lineBytes` */
const fillLine: Func = func(
  "winogradLine",
  {
    ...({ to: "i32", from: "i32", row: "i32", height: "i32", width: "i32", left: "i32", lineBytes: "i32" } as const),
  },
  "void",
  (p, local) => {
    const [end, target] = [local("i32"), local("i32")]
    const zero = f32x4.const(0)
    const zeros = whileLoop(i32.ltU(target, end), () => [v128.store(target, zero), increase(target, 16)])
    // what is written goes up to a vector further than what is asked for
    const lineEnd = i32.sub(i32.add(p.to, p.lineBytes), 16)
    return [
      set(target, p.to),
      set(end, lineEnd),
      // as an unsigned number a row before the first is behind the last
      when(
        i32.geU(p.row, p.height),
        [zeros],
        [
          v128.store(target, zero),
          increase(target, i32.shl(p.left, 2)),
          increase(p.from, i32.shl(i32.mul(p.row, p.width), 2)),
          set(end, i32.add(target, i32.shl(p.width, 2))),
          whileLoop(i32.ltU(target, end), () => [
            v128.store(target, v128.load(p.from)),
            increase(target, 16),
            increase(p.from, 16),
          ]),
          set(target, end),
          set(end, lineEnd),
          zeros,
        ],
      ),
    ]
  },
)

/** `V` of a row of pieces of one channel: four lines in, 16 frequencies out */
const transformPieces: Func = func(
  "winogradPieces",
  { above: "i32", below: "i32", lineBytes: "i32", to: "i32", frequency: "i32", pieces: "i32" },
  "void",
  (p, local) => {
    const [t, offset, target] = [local("i32"), local("i32"), local("i32")]
    const lines = range(4).map(() => local("i32"))
    const raw = range(4).map(() => local("v128"))
    const split = range(4).map(() => local("v128"))
    const one = (i: number): ReadonlyArray<Statement> => {
      const line = (k: number, j: number) => v128.load(at(lines, k), [0, 16, 8, 24][j] ?? 0)
      return [
        // first down the columns, where what lies side by side may stay so
        ...raw.map((r, j) => set(r, at(imageTransform(range(4).map((k) => line(k, j))), i))),
        ...split.map((s, j) => {
          const [x, y] = j === 0 || j === 1 ? [at(raw, 0), at(raw, 1)] : [at(raw, 2), at(raw, 3)]
          return set(s, v128.shuffle32(x, y, j % 2 === 0 ? [0, 2, 4, 6] : [1, 3, 5, 7]))
        }),
        ...imageTransform(split).flatMap((v) => [v128.store(target, v), increase(target, p.frequency)]),
      ]
    }
    return [
      set(t, 0),
      block((done) => [
        loop((again) => [
          set(offset, i32.shl(t, 3)),
          set(at(lines, 0), i32.add(p.above, offset)),
          set(at(lines, 1), i32.add(at(lines, 0), p.lineBytes)),
          set(at(lines, 2), i32.add(p.below, offset)),
          set(at(lines, 3), i32.add(at(lines, 2), p.lineBytes)),
          set(target, i32.add(p.to, i32.shl(t, 2))),
          ...range(4).flatMap(one),
          brIf(done, i32.eq(t, i32.sub(p.pieces, 4))),
          increase(t, 4),
          // the last four begin before the end: some are computed twice
          when(i32.gtS(t, i32.sub(p.pieces, 4)), [set(t, i32.sub(p.pieces, 4))]),
          br(again),
        ]),
      ]),
    ]
  },
)

/** two rows of the output from a row of pieces; the second is there only where `both` */
const untransformPieces: Func = func(
  "winogradOutputs",
  { from: "i32", frequency: "i32", pieces: "i32", to: "i32", width: "i32", both: "i32", bias: "i32" },
  "void",
  (p, local) => {
    const [t, source, target, remaining] = [local("i32"), local("i32"), local("i32"), local("i32")]
    const upper = range(4).map(() => local("v128"))
    const lower = range(4).map(() => local("v128"))
    const m = range(4).map(() => local("v128"))
    const [bias, even, odd, first, second] = range(5).map(() => local("v128")) as [
      Local<"v128">,
      Local<"v128">,
      Local<"v128">,
      Local<"v128">,
      Local<"v128">,
    ]
    const row = (s: ReadonlyArray<Vector>): ReadonlyArray<Statement> => [
      set(even, f32x4.add(f32x4.add(bias, at(s, 0)), f32x4.add(at(s, 1), at(s, 2)))),
      set(odd, f32x4.sub(f32x4.add(bias, f32x4.sub(at(s, 1), at(s, 2))), at(s, 3))),
      set(first, v128.shuffle32(even, odd, [0, 4, 1, 5])),
      set(second, v128.shuffle32(even, odd, [2, 6, 3, 7])),
      v128.store(target, first),
      when(
        i32.geS(remaining, 8),
        [v128.store(target, second, 16)],
        [v128.store64(target, second, 16), v128.store32Lane(2, target, second, 24)],
      ),
    ]
    return [
      set(t, 0),
      set(bias, v128.load32Splat(p.bias)),
      block((done) => [
        loop((again) => [
          set(source, i32.add(p.from, i32.shl(t, 2))),
          set(target, i32.add(p.to, i32.shl(t, 3))),
          set(remaining, i32.sub(p.width, i32.shl(t, 1))),
          ...range(4).flatMap((j) => [
            ...m.map((x, i) => set(x, v128.load(i32.add(source, i32.mul(p.frequency, 4 * i + j))))),
            set(at(upper, j), f32x4.add(at(m, 0), f32x4.add(at(m, 1), at(m, 2)))),
            set(at(lower, j), f32x4.sub(f32x4.sub(at(m, 1), at(m, 2)), at(m, 3))),
          ]),
          ...row(upper),
          when(p.both, [increase(target, i32.shl(p.width, 2)), ...row(lower)]),
          brIf(done, i32.eq(t, i32.sub(p.pieces, 4))),
          increase(t, 4),
          when(i32.gtS(t, i32.sub(p.pieces, 4)), [set(t, i32.sub(p.pieces, 4))]),
          br(again),
        ]),
      ]),
    ]
  },
)

/** one thread's share of a convolution */
export const winograd = (columns: 8 | 16, { inPlace }: TileKernels): Func =>
  func(
    `winograd${columns}`,
    {
      ...({ d: "i32", image: "i32", weights: "i32", output: "i32", bias: "i32", work: "i32" } as const),
      ...({ part: "i32", parts: "i32" } as const),
    },
    "void",
    (p, local) => {
      const i = () => local("i32")
      const f = (name: keyof typeof winogradField) => i32.load(p.d, 4 * winogradField[name])
      const table = (name: "filterTable" | "channelTable" | "zeroTable") => i32.add(p.d, f(name))
      const [first, last, rows, row, channel, line, next, above, below] = [i(), i(), i(), i(), i(), i(), i(), i(), i()]
      const [image, y, source, target, fresh, count, frequency, start] = [i(), i(), i(), i(), i(), i(), i(), i()]
      const [panel, panels, tile, tileCount, from, to, length, products] = [i(), i(), i(), i(), i(), i(), i(), i()]
      const [fromStride, filter, swapped, left] = [i(), i(), i(), i()]

      const where: ReadonlyArray<Statement> = [
        set(image, i32.divU(i32.add(first, row), f("imagePieceRows"))),
        set(y, i32.shl(i32.remU(i32.add(first, row), f("imagePieceRows")), 1)),
      ]
      const fillTwo = (to: Local<"i32">, offset: number): ReadonlyArray<Statement> =>
        [0, 1].map((k) =>
          call(
            fillLine,
            k === 0 ? to : i32.add(to, f("lineBytes")),
            source,
            i32.add(i32.sub(y, f("top")), offset + k),
            f("height"),
            f("width"),
            f("left"),
            f("lineBytes"),
          ),
        )
      const imageToFrequencies: Statement = forRange(channel, 0, f("channels"), 1, () => [
        set(above, line),
        set(below, i32.add(line, i32.shl(f("lineBytes"), 1))),
        set(fresh, 1),
        forRange(row, 0, rows, 1, () => [
          ...where,
          set(source, i32.add(i32.add(p.image, i32.mul(image, f("imageStride"))), i32.mul(channel, f("imagePlane")))),
          // the two lines below the last piece are above the next, but for another image
          when(i32.or(fresh, i32.eqz(y)), [...fillTwo(above, 0), set(fresh, 0)]),
          ...fillTwo(below, 2),
          call(
            transformPieces,
            above,
            below,
            f("lineBytes"),
            i32.add(i32.add(p.work, i32.mul(channel, f("channelStride"))), i32.shl(i32.mul(row, f("pieces")), 2)),
            f("imageFrequency"),
            f("pieces"),
          ),
          set(swapped, above),
          set(above, below),
          set(below, swapped),
        ]),
      ])
      const multiply: Statement = forRange(frequency, 0, 16, 1, () => [
        forRange(start, 0, f("channels"), f("longestBlock"), () => [
          set(left, i32.sub(f("channels"), start)),
          set(length, choose(i32.ltS(left, f("longestBlock")), left, f("longestBlock"))),
          forRange(panel, 0, panels, 1, () => [
            forRange(tile, 0, tileCount, 1, () => [
              set(filter, i32.divU(i32.mul(tile, f("filters")), tileCount)),
              set(count, i32.sub(i32.divU(i32.mul(i32.add(tile, 1), f("filters")), tileCount), filter)),
              set(
                to,
                i32.add(
                  i32.add(products, i32.mul(frequency, f("productFrequency"))),
                  i32.add(i32.mul(filter, f("channelStride")), i32.mul(panel, 4 * columns)),
                ),
              ),
              // sums begin with zero and go on where the last block ended
              set(from, choose(start, to, table("zeroTable"))),
              set(fromStride, choose(start, f("channelStride"), i32.const(0))),
              block((done) =>
                inPlace.map((kernel, index) =>
                  when(i32.eq(count, index + 1), [
                    call(
                      kernel,
                      i32.add(p.weights, i32.mul(frequency, f("weightFrequency"))),
                      i32.add(table("filterTable"), i32.shl(filter, 2)),
                      i32.add(table("channelTable"), i32.shl(start, 3)),
                      i32.add(i32.add(p.work, i32.mul(frequency, f("imageFrequency"))), i32.mul(panel, 4 * columns)),
                      length,
                      from,
                      fromStride,
                      to,
                      f("channelStride"),
                    ),
                    br(done),
                  ]),
                ),
              ),
            ]),
          ]),
        ]),
      ])
      const frequenciesToOutput: Statement = forRange(filter, 0, f("filters"), 1, () => [
        forRange(row, 0, rows, 1, () => [
          ...where,
          set(
            target,
            i32.add(
              i32.add(p.output, i32.mul(image, f("outputStride"))),
              i32.add(i32.mul(filter, f("outputPlane")), i32.shl(i32.mul(y, f("outputWidth")), 2)),
            ),
          ),
          call(
            untransformPieces,
            i32.add(i32.add(products, i32.mul(filter, f("channelStride"))), i32.shl(i32.mul(row, f("pieces")), 2)),
            f("productFrequency"),
            f("pieces"),
            target,
            f("outputWidth"),
            i32.ltS(i32.add(y, 1), f("outputHeight")),
            i32.add(p.bias, i32.shl(filter, 2)),
          ),
        ]),
      ])
      return [
        increase(p.work, i32.mul(p.part, f("threadBytes"))),
        set(products, i32.add(p.work, f("products"))),
        set(line, i32.add(p.work, f("lines"))),
        set(tileCount, i32.divU(i32.add(f("filters"), maxRows - 1), maxRows)),
        set(first, i32.divU(i32.mul(p.part, f("pieceRows")), p.parts)),
        set(last, i32.divU(i32.mul(i32.add(p.part, 1), f("pieceRows")), p.parts)),
        set(next, first),
        whileLoop(i32.ltS(next, last), () => [
          set(first, next),
          set(rows, i32.sub(last, first)),
          when(i32.gtS(rows, f("rowsAtOnce")), [set(rows, f("rowsAtOnce"))]),
          set(panels, i32.divU(i32.add(i32.mul(rows, f("pieces")), columns - 1), columns)),
          imageToFrequencies,
          multiply,
          frequenciesToOutput,
          set(next, i32.add(first, rows)),
        ]),
      ]
    },
  )
