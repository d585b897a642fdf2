import { afterAll, assert, describe, it } from "@effect/vitest"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as K from "../../../src/gpu/Kernel.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import { runKernel } from "../runKernel.ts"

const reference = ManagedRuntime.make(Reference.layer)
const wasm = ManagedRuntime.make(Wasm.layer({ threads: 2 }))
afterAll(async () => {
  for (const r of [reference, wasm]) await r.dispose()
})

const [plane, y, x] = [K.axis(0), K.axis(1), K.axis(2)]
const [row, column] = [K.reductionAxis(0), K.reductionAxis(1)]

interface Window {
  readonly kernel: readonly [number, number]
  readonly padding: number
  readonly size: readonly [number, number]
  readonly stride: number
}

/** what is taken of each window, and what is done to its elements before */
const windows = (
  w: Window,
  take: (axes: ReadonlyArray<K.ReduceAxis>, body: K.Value) => ReadonlyArray<K.Value>,
  each: (v: K.Value) => K.Value,
): K.Kernel => {
  const [height, width] = w.size
  const out = (size: number, kernel: number) => Math.floor((size + 2 * w.padding - kernel) / w.stride) + 1
  const at = (o: K.Index, tap: number) => K.isub(K.iadd(K.imul(o, w.stride), K.axis(tap)), w.padding)
  const [v, u] = [at(y, row), at(x, column)]
  const inside = (i: K.Index, size: number) => K.and(K.compareIndex("ge", i, 0), K.compareIndex("lt", i, size))
  const element = each(K.load(0, [plane, v, u]))
  const body =
    w.padding === 0 ? element : K.select(K.and(inside(v, height), inside(u, width)), element, Number.NEGATIVE_INFINITY)
  const axes = [
    { axis: row, extent: w.kernel[0] },
    { axis: column, extent: w.kernel[1] },
  ]
  return {
    _tag: "Kernel",
    name: "windows",
    space: [3, out(height, w.kernel[0]), out(width, w.kernel[1])],
    inputs: [[3, height, width]],
    stores: take(axes, body),
  }
}

/** whole numbers, whose sums are exact in any order, and a NaN here and there */
const numbers = (w: Window, nan: boolean): Float32Array =>
  Float32Array.from({ length: 3 * w.size[0] * w.size[1] }, (_, i) =>
    nan && i % 97 === 13 ? Number.NaN : ((i * 7919) % 1009) - 504,
  )

const maximum = (axes: ReadonlyArray<K.ReduceAxis>, body: K.Value) => [K.maximum(axes, body)]
const total = (axes: ReadonlyArray<K.ReduceAxis>, body: K.Value) => [K.sum(axes, body)]
const withPlace = (axes: ReadonlyArray<K.ReduceAxis>, body: K.Value) => [K.maximum(axes, body), K.argmax(axes, body)]
const same = (v: K.Value) => v
const relu = (v: K.Value) => K.max(v, K.constant(0))
const affine = (v: K.Value) => K.add(K.mul(v, K.constant(2)), K.load(0, [plane, K.int(0), K.int(0)]))

describe("windows that move by two", () => {
  const sizes = [
    [21, 37],
    [16, 64],
    [9, 130],
    [5, 7],
  ] as const
  const kernels = [
    [1, 1],
    [1, 2],
    [2, 2],
    [3, 3],
    [2, 5],
    [4, 4],
    [3, 1],
  ] as const
  const taken = { maximum, total, withPlace }
  const done = { same, relu, affine }
  const cases = Object.keys(taken).flatMap((t) => Object.keys(done).map((d) => [t, d] as const))
  it.each(cases)("%s of %s", async (takeName, eachName) => {
    const take = taken[takeName as keyof typeof taken] // from its own keys
    const each = done[eachName as keyof typeof done] // from its own keys
    for (const size of sizes)
      for (const kernel of kernels)
        for (const padding of takeName === "total" ? [0] : [0, 1].filter((p) => 2 * p <= Math.min(...kernel)))
          for (const stride of [2, 1, 3]) {
            const w = { kernel, padding, size, stride }
            const code = windows(w, take, each)
            const given = [numbers(w, takeName !== "total")]
            const [expected, got] = [
              await reference.runPromise(runKernel(code, given)),
              await wasm.runPromise(runKernel(code, given)),
            ]
            assert.deepStrictEqual(got, expected, JSON.stringify(w))
          }
  })
})
