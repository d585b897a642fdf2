import { expect, test } from "vitest"
import * as Shapes from "../../src/shapes/index.ts"
import type {
  AdaptivePool2d,
  Broadcast,
  Concat,
  Conv2d,
  Flatten,
  Linear,
  Matmul,
  Pad,
  Permute,
  Pool2d,
  Reduce,
  Reshape,
  Slice,
  Window,
} from "../../src/shapes/index.ts"
import { given, typesAgree, type Equal, type Verdict } from "./agree.ts"

const check = <R extends { readonly gives: unknown }>(
  name: string,
  rows: ReadonlyArray<R>,
  rule: (row: R) => unknown,
): void => {
  test.each(rows.map((row) => [name, JSON.stringify(row), row] as const))("%s %s", (_name, _text, row) => {
    expect(given(rule(row))).toEqual(row.gives)
  })
}

// ---------- window: kernel, stride, padding, dilation, ceilMode

const windows = [
  { n: 224, w: [11, 4, 2, 1, false], gives: 55 },
  { n: 224, w: [3, 1, 1, 1, false], gives: 224 },
  { n: "H", w: [3, 1, 1, 1, false], gives: "H" },
  { n: "H", w: [5, 1, 4, 2, false], gives: "H" },
  { n: "H", w: [3, 2, 1, 1, false], gives: "?" },
  { n: 7, w: [3, 2, 0, 1, false], gives: 3 },
  { n: 8, w: [3, 2, 0, 1, false], gives: 3 },
  { n: 8, w: [3, 2, 0, 1, true], gives: 4 },
  { n: 7, w: [3, 2, 0, 1, true], gives: 3 },
  { n: 5, w: [2, 2, 1, 1, true], gives: 3 },
  { n: 4, w: [1, 3, 0, 1, true], gives: 2 },
  { n: 3, w: [2, 3, 1, 1, true], gives: 2 },
  { n: 2, w: [3, 2, 0, 1, true], gives: 1 },
  { n: 10, w: [3, 1, 0, 4, false], gives: 2 },
  { n: 4, w: [5, 1, 0, 1, false], gives: "has a 5 window that is larger than its 4 input" },
  { n: 4, w: [3, 2, 1, 3, false], gives: "has a 3 window with dilation 3 that is larger than its 4 input padded by 1" },
] as const
type WindowRow = {
  readonly n: Shapes.Dim
  readonly w: readonly [number, number, number, number, boolean]
  readonly gives: unknown
}
type WindowVerdicts<R extends ReadonlyArray<WindowRow>> = {
  [I in keyof R]: Equal<
    Sentence<Window<R[I]["n"], R[I]["w"][0], R[I]["w"][1], R[I]["w"][2], R[I]["w"][3], R[I]["w"][4]>>,
    R[I]["gives"] extends "?" ? number : R[I]["gives"]
  >
}
type Sentence<O> = O extends Shapes.Refusal<infer M> ? M : O
typesAgree<WindowVerdicts<typeof windows>>()
check("window", windows, ({ n, w: [kernelSize, stride, padding, dilation, ceilMode] }) =>
  Shapes.window(n, { kernelSize, stride, padding, dilation, ceilMode }),
)

// ---------- conv2d: channels in and out, kernel, stride, padding, dilation

const convs = [
  { s: ["N", 3, 224, 224], o: [3, 64, 11, 4, 2, 1], gives: ["N", 64, 55, 55] },
  { s: [8, 64, 27, 27], o: [64, 192, 5, 1, 2, 1], gives: [8, 192, 27, 27] },
  { s: [3, 32, 20], o: [3, 8, [3, 5], [1, 2], [0, 1], 1], gives: [8, 30, 9] },
  { s: [3, "H", "W"], o: [3, 8, 3, 1, 1, 1], gives: [8, "H", "W"] },
  { s: [3, "H", "W"], o: [3, 8, 3, 2, 1, 1], gives: [8, "?", "?"] },
  { s: ["N", 3, 17, 17], o: [3, 8, 4, 1, "same", 2], gives: ["N", 8, 17, 17] },
  { s: ["N", 3, 17, 17], o: [3, 8, [4, 3], [2, 1], "valid", [2, 1]], gives: ["N", 8, 6, 15] },
  { s: ["N", 3, 17, 17], o: [3, 8, 3, 2, "same", 1], gives: 'has padding "same", which needs stride 1' },
  { s: ["N", 4, 17, 17], o: [3, 8, 3, 1, 0, 1], gives: "expects 3 input channels but the input gives 4" },
  { s: ["N", "C", 17, 17], o: [3, 8, 3, 1, 0, 1], gives: "expects 3 input channels but the input gives C" },
  { s: ["N", 10], o: [3, 8, 3, 1, 0, 1], gives: "expects [N, C, H, W] or [C, H, W] but the input gives N×10" },
  { s: [], o: [3, 8, 3, 1, 0, 1], gives: "expects [N, C, H, W] or [C, H, W] but the input gives a scalar" },
  {
    s: [1, 2, 3, 4, 5],
    o: [3, 8, 3, 1, 0, 1],
    gives: "expects [N, C, H, W] or [C, H, W] but the input gives 1×2×3×4×5",
  },
  {
    s: ["N", 3, 4, 9],
    o: [3, 8, [7, 3], 1, [1, 0], [1, 2]],
    gives: "has a 7×3 window with dilation 1×2 that is larger than its 4×9 input padded by 1×0",
  },
] as const
type Convs<
  R extends ReadonlyArray<{
    readonly s: Shapes.Shape
    readonly o: readonly [number, number, Shapes.Pair, Shapes.Pair, Shapes.Padding, Shapes.Pair]
    readonly gives: unknown
  }>,
> = {
  [I in keyof R]: Verdict<
    Conv2d<R[I]["s"], R[I]["o"][0], R[I]["o"][1], R[I]["o"][2], R[I]["o"][3], R[I]["o"][4], R[I]["o"][5]>,
    R[I]["gives"]
  >
}
typesAgree<Convs<typeof convs>>()
check("conv2d", convs, ({ s, o: [inChannels, outChannels, kernelSize, stride, padding, dilation] }) =>
  Shapes.conv2d(s, { inChannels, outChannels, kernelSize, stride, padding, dilation }),
)

// ---------- pooling: kernel, stride, padding, dilation, ceilMode

const pools = [
  { s: ["N", 6, 28, 28], o: [2, 2, 0, 1, false], gives: ["N", 6, 14, 14] },
  { s: [480, 28, 28], o: [3, 2, 0, 1, true], gives: [480, 14, 14] },
  { s: ["N", 480, 28, 28], o: [3, 2, 0, 1, false], gives: ["N", 480, 13, 13] },
  { s: ["N", "C", 9, 8], o: [[3, 2], [3, 2], [1, 0], [2, 1], false], gives: ["N", "C", 3, 4] },
  { s: ["N", 10], o: [2, 2, 0, 1, false], gives: "expects [N, C, H, W] or [C, H, W] but the input gives N×10" },
  { s: [1, 3, 3], o: [4, 4, 0, 1, false], gives: "has a 4×4 window that is larger than its 3×3 input" },
] as const
type Pools<
  R extends ReadonlyArray<{
    readonly s: Shapes.Shape
    readonly o: readonly [Shapes.Pair, Shapes.Pair, Shapes.Pair, Shapes.Pair, boolean]
    readonly gives: unknown
  }>,
> = {
  [I in keyof R]: Verdict<
    Pool2d<R[I]["s"], R[I]["o"][0], R[I]["o"][1], R[I]["o"][2], R[I]["o"][3], R[I]["o"][4]>,
    R[I]["gives"]
  >
}
typesAgree<Pools<typeof pools>>()
check("pool2d", pools, ({ s, o: [kernelSize, stride, padding, dilation, ceilMode] }) =>
  Shapes.pool2d(s, { kernelSize, stride, padding, dilation, ceilMode }),
)

const adaptives = [
  { s: ["N", 256, 13, 13], o: 6, gives: ["N", 256, 6, 6] },
  { s: [256, "H", "W"], o: [1, 2], gives: [256, 1, 2] },
  { s: [256, "H", 7], o: [null, 2], gives: [256, "H", 2] },
  { s: [256, "H", 7], o: [3, null], gives: [256, 3, 7] },
  { s: [256], o: 1, gives: "expects [N, C, H, W] or [C, H, W] but the input gives 256" },
] as const
type Adaptives<
  R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly o: Shapes.OutputSize; readonly gives: unknown }>,
> = {
  [I in keyof R]: Verdict<AdaptivePool2d<R[I]["s"], R[I]["o"]>, R[I]["gives"]>
}
typesAgree<Adaptives<typeof adaptives>>()
check("adaptivePool2d", adaptives, ({ s, o }) => Shapes.adaptivePool2d(s, o))

// ---------- flatten, linear

const flattens = [
  { s: ["N", 256, 6, 6], d: 1, gives: ["N", 9216] },
  { s: [2, 3, 4], d: 0, gives: [24] },
  { s: ["N", 3, 4], d: -2, gives: ["N", 12] },
  { s: ["N", "C", 4, 4], d: 1, gives: ["N", "?"] },
  { s: ["N", "C", 1, 1], d: 1, gives: ["N", "C"] },
  { s: ["N", 3, 4], d: 2, gives: ["N", 3, 4] },
  { s: [10], d: 1, gives: "there is no dimension 1 in 10" },
  { s: [], d: 0, gives: [1] },
] as const
type Flattens<R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly d: number; readonly gives: unknown }>> = {
  [I in keyof R]: Verdict<Flatten<R[I]["s"], R[I]["d"]>, R[I]["gives"]>
}
typesAgree<Flattens<typeof flattens>>()
check("flatten", flattens, ({ s, d }) => Shapes.flatten(s, d))

const parts = [
  { s: ["N", 2, 3, 4], d: [1, 2], gives: ["N", 6, 4] },
  { s: [2, 3, 4], d: [0, 1], gives: [6, 4] },
  { s: [2, 3, 4], d: [-3, -2], gives: [6, 4] },
  { s: [2, 3, 4], d: [1, 1], gives: [2, 3, 4] },
  { s: ["N", 3, 4], d: [0, 1], gives: ["?", 4] },
  { s: [2, 3, 4], d: [2, 1], gives: "dimension 2 comes after dimension 1 in 2×3×4" },
  { s: [2, 3, 4], d: [0, 3], gives: "there is no dimension 3 in 2×3×4" },
  { s: [], d: [0, 1], gives: "there is no dimension 1 in a scalar" },
] as const
type Parts<
  R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly d: readonly [number, number]; readonly gives: unknown }>,
> = { [I in keyof R]: Verdict<Flatten<R[I]["s"], R[I]["d"][0], R[I]["d"][1]>, R[I]["gives"]> }
typesAgree<Parts<typeof parts>>()
check("flatten", parts, ({ s, d: [from, to] }) => Shapes.flatten(s, from, to))

const linears = [
  { s: ["N", 9216], o: [9216, 4096], gives: ["N", 4096] },
  { s: [4, 5, 6], o: [6, 7], gives: [4, 5, 7] },
  { s: [6], o: [6, 7], gives: [7] },
  { s: ["N", 9216], o: [9217, 4096], gives: "expects 9217 input features but the input gives 9216" },
  { s: ["N", "F"], o: [10, 2], gives: "expects 10 input features but the input gives F" },
  {
    s: ["N", 256, 6, 6],
    o: [9216, 4096],
    gives: "expects 9216 input features but the input gives 6 (of 256×6×6: a flatten() is missing)",
  },
  { s: [], o: [6, 7], gives: "expects at least one dimension but the input gives a scalar" },
] as const
type Linears<
  R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly o: readonly [number, number]; readonly gives: unknown }>,
> = {
  [I in keyof R]: Verdict<Linear<R[I]["s"], R[I]["o"][0], R[I]["o"][1]>, R[I]["gives"]>
}
typesAgree<Linears<typeof linears>>()
check("linear", linears, ({ s, o: [i, o] }) => Shapes.linear(s, i, o))

// ---------- matmul, broadcast

const products = [
  { a: [4, 3], b: [3, 5], gives: [4, 5] },
  { a: ["N", 3], b: [3, "M"], gives: ["N", "M"] },
  { a: [2, 4, 3], b: [3, 5], gives: [2, 4, 5] },
  { a: [7, 1, 4, 3], b: [2, 3, 5], gives: [7, 2, 4, 5] },
  { a: [4, 3], b: [4, 3], gives: "4×3 times 4×3: the inner sizes differ (3 and 4)" },
  { a: [4, "K"], b: [3, 5], gives: "4×K times 3×5: the inner sizes differ (K and 3)" },
  { a: [2, 4, 3], b: [3, 3, 5], gives: "2×4×3 times 3×3×5: the batches do not broadcast (2 and 3)" },
  { a: [3], b: [3, 5], gives: [5] },
  { a: [3], b: ["N", 3, 5], gives: ["N", 5] },
  { a: [2, 4, 3], b: [3], gives: [2, 4] },
  { a: ["K"], b: ["K"], gives: [] },
  { a: [3], b: [4], gives: "3 times 4: the inner sizes differ (3 and 4)" },
  { a: [3], b: [2, 4, 5], gives: "3 times 2×4×5: the inner sizes differ (3 and 4)" },
  { a: [2, 4, 3], b: [4], gives: "2×4×3 times 4: the inner sizes differ (3 and 4)" },
  { a: [3], b: [], gives: "3 times a scalar: both need at least 1 dimension" },
  { a: [], b: [3], gives: "a scalar times 3: both need at least 1 dimension" },
] as const
type Products<
  R extends ReadonlyArray<{ readonly a: Shapes.Shape; readonly b: Shapes.Shape; readonly gives: unknown }>,
> = { [I in keyof R]: Verdict<Matmul<R[I]["a"], R[I]["b"]>, R[I]["gives"]> }
typesAgree<Products<typeof products>>()
check("matmul", products, ({ a, b }) => Shapes.matmul(a, b))

const broadcasts = [
  { a: [4, 3], b: [4, 3], gives: [4, 3] },
  { a: [4, 3], b: [], gives: [4, 3] },
  { a: [], b: [], gives: [] },
  { a: [1, 3], b: [4, 1], gives: [4, 3] },
  { a: ["N", 64, 1, 1], b: [64, 8, 8], gives: ["N", 64, 8, 8] },
  { a: ["N", 1], b: [1, "M"], gives: ["N", "M"] },
  { a: [0, 3], b: [1, 3], gives: [0, 3] },
  { a: ["N", 3], b: ["M", 3], gives: "N×3 and M×3 do not broadcast: N and M differ" },
  { a: ["N", 3], b: [8, 3], gives: "N×3 and 8×3 do not broadcast: N and 8 differ" },
  { a: [4, 3], b: [2, 3], gives: "4×3 and 2×3 do not broadcast: 4 and 2 differ" },
] as const
type Broadcasts<
  R extends ReadonlyArray<{ readonly a: Shapes.Shape; readonly b: Shapes.Shape; readonly gives: unknown }>,
> = {
  [I in keyof R]: Verdict<Broadcast<R[I]["a"], R[I]["b"]>, R[I]["gives"]>
}
typesAgree<Broadcasts<typeof broadcasts>>()
check("broadcast", broadcasts, ({ a, b }) => Shapes.broadcast(a, b))

// ---------- reduce, reshape

const reductions = [
  { s: ["N", 3, 4], d: [1], keep: false, gives: ["N", 4] },
  { s: ["N", 3, 4], d: [1, -1], keep: true, gives: ["N", 1, 1] },
  { s: ["N", 3, 4], d: 0, keep: false, gives: [3, 4] },
  { s: ["N", 3, 4], d: "all", keep: false, gives: [] },
  { s: ["N", 3, 4], d: "all", keep: true, gives: [1, 1, 1] },
  { s: ["N", 3, 4], d: [], keep: false, gives: ["N", 3, 4] },
  { s: [5, 3], d: [2], keep: false, gives: "there is no dimension 2 in 5×3" },
  { s: [5, 3], d: -3, keep: false, gives: "there is no dimension -3 in 5×3" },
  { s: [5, 3], d: [1, -1], keep: false, gives: "dimension -1 of 5×3 is named twice" },
] as const
type Reductions<
  R extends ReadonlyArray<{
    readonly s: Shapes.Shape
    readonly d: Shapes.Dims
    readonly keep: boolean
    readonly gives: unknown
  }>,
> = {
  [I in keyof R]: Verdict<Reduce<R[I]["s"], R[I]["d"], R[I]["keep"]>, R[I]["gives"]>
}
typesAgree<Reductions<typeof reductions>>()
check("reduce", reductions, ({ s, d, keep }) => Shapes.reduce(s, d, keep))

const reshapes = [
  { s: [4, 6], t: [2, 12], gives: [2, 12] },
  { s: [4, 6], t: [3, -1], gives: [3, 8] },
  { s: [4, 6], t: [-1], gives: [24] },
  { s: [], t: [1, 1], gives: [1, 1] },
  { s: [6], t: [6, 1, 1], gives: [6, 1, 1] },
  { s: ["N", 28, 28], t: ["N", 784], gives: ["N", 784] },
  { s: ["N", 28, 28], t: ["N", -1], gives: ["N", 784] },
  { s: ["N", 784], t: [-1, 784], gives: ["?", 784] },
  { s: ["N", 1], t: [-1], gives: ["N"] },
  { s: ["N", "M", 4], t: ["M", 4, "N"], gives: ["M", 4, "N"] },
  { s: [4, 6], t: [5, 5], gives: "4×6 does not fit 5×5: 24 elements are not 25" },
  { s: ["N", 6], t: ["N", 7], gives: "N×6 does not fit N×7: 6 elements are not 7" },
  { s: ["N"], t: ["M"], gives: "N does not fit M: N elements are not M" },
  { s: [4, 6], t: [5, -1], gives: "4×6 does not fit 5×-1: 24 elements do not divide by 5" },
  { s: [4, 6], t: [-1, -1], gives: "4×6 does not fit -1×-1: only one -1 can be filled in" },
  { s: [4, 6], t: [0, -1], gives: "4×6 does not fit 0×-1: 24 elements do not divide by 0" },
] as const
type Reshapes<
  R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly t: Shapes.Shape; readonly gives: unknown }>,
> = { [I in keyof R]: Verdict<Reshape<R[I]["s"], R[I]["t"]>, R[I]["gives"]> }
typesAgree<Reshapes<typeof reshapes>>()
check("reshape", reshapes, ({ s, t }) => Shapes.reshape(s, t))

// ---------- concat, permute, pad, slice

const joins = [
  {
    l: [
      ["N", 64, 8, 8],
      ["N", 128, 8, 8],
      ["N", 32, 8, 8],
    ],
    d: 1,
    gives: ["N", 224, 8, 8],
  },
  { l: [[2, 3]], d: -1, gives: [2, 3] },
  {
    l: [
      ["N", 3],
      ["N", 3],
    ],
    d: 0,
    gives: ["?", 3],
  },
  {
    l: [
      ["N", 3],
      ["M", 3],
    ],
    d: 0,
    gives: ["?", 3],
  },
  {
    l: [
      ["N", 64, 28, 28],
      ["N", 128, 27, 28],
    ],
    d: 1,
    gives: "N×128×27×28 does not join N×64×28×28 along dimension 1",
  },
  { l: [[2, 3], [3]], d: 1, gives: "3 does not join 2×3 along dimension 1" },
  { l: [[2, 3]], d: 2, gives: "there is no dimension 2 in 2×3" },
  { l: [], d: 0, gives: "there is nothing to join" },
] as const
type Joins<
  R extends ReadonlyArray<{ readonly l: ReadonlyArray<Shapes.Shape>; readonly d: number; readonly gives: unknown }>,
> = { [I in keyof R]: Verdict<Concat<R[I]["l"], R[I]["d"]>, R[I]["gives"]> }
typesAgree<Joins<typeof joins>>()
check("concat", joins, ({ l, d }) => Shapes.concat(l, d))

const orders = [
  { s: ["N", 3, 4], d: [2, 0, 1], gives: [4, "N", 3] },
  { s: ["N", 3], d: [-1, -2], gives: [3, "N"] },
  { s: [], d: [], gives: [] },
  { s: ["N", 3, 4], d: [0, 0, 1], gives: "[0, 0, 1] is no order of the dimensions of N×3×4" },
  { s: ["N", 3, 4], d: [1, 0], gives: "[1, 0] is no order of the dimensions of N×3×4" },
  { s: ["N", 3], d: [0, 2], gives: "[0, 2] is no order of the dimensions of N×3" },
] as const
type Orders<
  R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly d: ReadonlyArray<number>; readonly gives: unknown }>,
> = { [I in keyof R]: Verdict<Permute<R[I]["s"], R[I]["d"]>, R[I]["gives"]> }
typesAgree<Orders<typeof orders>>()
check("permute", orders, ({ s, d }) => Shapes.permute(s, d))

const pads = [
  {
    s: ["N", 3, 4],
    p: [
      [0, 0],
      [1, 0],
      [2, 2],
    ],
    gives: ["N", 4, 8],
  },
  { s: ["N"], p: [[1, 0]], gives: ["?"] },
  { s: [3, 4], p: [[1, 1]], gives: "1 pairs of pads do not fit the 2 dimensions of 3×4" },
] as const
type PadRows<R extends ReadonlyArray<{ readonly s: Shapes.Shape; readonly p: Shapes.Pads; readonly gives: unknown }>> =
  { [I in keyof R]: Verdict<Pad<R[I]["s"], R[I]["p"]>, R[I]["gives"]> }
typesAgree<PadRows<typeof pads>>()
check("pad", pads, ({ s, p }) => Shapes.pad(s, p))

const slices = [
  { s: ["N", 10], at: [1, 2, 7, 1], gives: ["N", 5] },
  { s: ["N", 10], at: [-1, 3, 3, 1], gives: ["N", 0] },
  { s: ["N", 10], at: [0, 0, 4, 1], gives: ["?", 10] },
  { s: ["N", 10], at: [0, 0, null, 1], gives: ["N", 10] },
  { s: ["N", 10], at: [1, 2, 11, 1], gives: ["N", 8] },
  { s: ["N", 10], at: [1, 3, 2, 1], gives: ["N", 0] },
  { s: ["N", 10], at: [1, -4, -1, 1], gives: ["N", 3] },
  { s: ["N", 10], at: [1, -40, -4, 1], gives: ["N", 6] },
  { s: ["N", 10], at: [1, 1, null, 4], gives: ["N", 3] },
  { s: ["N", 10], at: [1, 0, 9, 3], gives: ["N", 3] },
  { s: ["N", 10], at: [1, 12, null, 2], gives: ["N", 0] },
  { s: ["N", 10], at: [2, 0, 1, 1], gives: "there is no dimension 2 in N×10" },
  { s: ["N", 10], at: [1, 0, 9, 0], gives: "0 is no step of a slice: 1, 2, 3, ..." },
  { s: ["N", 10], at: [1, 0, 9, -1], gives: "-1 is no step of a slice: 1, 2, 3, ..." },
] as const
type Slices<
  R extends ReadonlyArray<{
    readonly s: Shapes.Shape
    readonly at: readonly [number, number, number | null, number]
    readonly gives: unknown
  }>,
> = {
  [I in keyof R]: Verdict<Slice<R[I]["s"], R[I]["at"][0], R[I]["at"][1], R[I]["at"][2], R[I]["at"][3]>, R[I]["gives"]>
}
typesAgree<Slices<typeof slices>>()
check("slice", slices, ({ s, at: [d, from, to, step] }) => Shapes.slice(s, d, from, to, step))

// ---------- what is only a type: sizes that are known at run time, and ranks that are not known

test("number and unknown ranks stay open", () => {
  typesAgree<
    [
      Equal<Conv2d<[number, number, number, 32], 3, 64, 3, 1, 1>, [number, 64, number, 32]>,
      Equal<Conv2d<Shapes.Shape, 3, 64, 3>, [...Shapes.Dim[], 64, number, number]>,
      Equal<Conv2d<[...Shapes.Dim[], 64, number, number], 64, 8, 3>, [...Shapes.Dim[], 8, number, number]>,
      Equal<
        Conv2d<[...Shapes.Dim[], 64, number, number], 32, 8, 3>,
        Shapes.Refuse<"expects 32 input channels but the input gives 64">
      >,
      Equal<Linear<["N", number], 10, 2>, ["N", 2]>,
      Equal<
        Linear<["N", 784 | 128], 784, 2>,
        Shapes.Refuse<
          "expects 784 input features but the input gives 784" | "expects 784 input features but the input gives 128"
        >
      >,
      Equal<Flatten<Shapes.Shape>, [number, number]>,
      Equal<Broadcast<[number, 3], [8, 3]>, [8, 3]>,
      Equal<Broadcast<[number, 3], [1, 3]>, [number, 3]>,
      Equal<Shapes.Fits<number, 4>, true>,
      Equal<Shapes.Fits<"N", "M">, false>,
      Equal<Shapes.Fits<"N", 4>, false>,
      Equal<Shapes.Fits<784, 784 | 128>, false>,
      Equal<Shapes.Show<["N", 64, number]>, "N×64×?">,
      Equal<Window<7 | 9, 3, 2>, 3 | 4>,
    ]
  >()
  expect(Shapes.fits("N", "M")).toBe(false)
  expect(Shapes.fits("N", 4)).toBe(false)
  expect(Shapes.fits("N", "N")).toBe(true)
  expect(Shapes.fits(Shapes.unknownDim, 4)).toBe(true)
})
