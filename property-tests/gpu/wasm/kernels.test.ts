import { afterAll, assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as K from "../../../src/gpu/Kernel.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import { erf } from "../../../src/gpu/reference/erf.ts"
import { encode } from "../../../src/gpu/wasm/Assembler.ts"
import { compileKernel } from "../../../src/gpu/wasm/compileKernel.ts"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import { kernelCase } from "../kernels.ts"
import { runKernel } from "../runKernel.ts"

const reference = ManagedRuntime.make(Reference.layer)
const two = ManagedRuntime.make(Wasm.layer({ threads: 2 }))
const one = ManagedRuntime.make(Wasm.layer({ threads: 1, vectorBits: 128 }))
const apart = ManagedRuntime.make(Wasm.layer({ shared: false }))
afterAll(async () => {
  for (const r of [reference, two, one, apart]) await r.dispose()
})

const bits = (x: Float32Array): ReadonlyArray<number> => [...new Uint32Array(x.buffer, x.byteOffset, x.length)]

const same = (a: Float32Array, b: Float32Array): void => {
  assert.strictEqual(a.length, b.length)
  // the sign of zero is not compared: the interpreter's sums may start at another zero
  a.forEach((v, i) => assert(v === b[i] || (Number.isNaN(v) && Number.isNaN(b[i])), `element ${i}: ${v} and ${b[i]}`))
}

describe("kernels on the WebAssembly device", () => {
  // oxlint-disable-next-line vitest/expect-expect -- `same` asserts
  it("give what the interpreter gives", async () => {
    await fc.assert(
      fc.asyncProperty(kernelCase, async ({ kernel, inputs }) => {
        const expected = await reference.runPromise(runKernel(kernel, inputs))
        const got = await two.runPromise(runKernel(kernel, inputs))
        got.forEach((y, i) => same(y, expected[i] ?? new Float32Array(0)))
      }),
      { numRuns: 400, seed: 20240917 },
    )
  }, 120_000)

  it("give the same bits with one thread, with two, and in a worker's own memory", async () => {
    await fc.assert(
      fc.asyncProperty(kernelCase, async ({ kernel, inputs }) => {
        const all = []
        for (const r of [one, two, apart]) all.push(await r.runPromise(runKernel(kernel, inputs)))
        const [a, b, c] = all.map((ys) => ys.map(bits))
        assert.deepStrictEqual(a, b)
        assert.deepStrictEqual(a, c)
      }),
      { numRuns: 60, seed: 31 },
    )
  }, 120_000)

  // large enough that both threads work, with every way of walking an array
  const n = 40
  const [i, j, k] = [K.axis(0), K.axis(1), K.axis(2)]
  const large: ReadonlyArray<K.Kernel> = [
    { name: "permute", stores: [K.add(K.load(0, [k, i, j]), K.load(0, [i, j, k]))] },
    { name: "broadcast", stores: [K.mul(K.exp(K.load(0, [i, j, k])), K.load(1, [j]))] },
    {
      name: "rows",
      stores: [K.sum([{ axis: 64, extent: n }], K.mul(K.load(0, [i, j, K.axis(64)]), K.load(0, [j, k, K.axis(64)])))],
    },
    { name: "reverse", stores: [K.load(0, [i, j, K.isub(n - 1, k)])] },
    {
      name: "far shift",
      stores: [
        K.select(K.compareIndex("ge", i, n / 2), K.load(0, [K.isub(i, n / 2), j, k]), K.tanh(K.load(0, [i, j, k]))),
      ],
    },
    { name: "upsampled by 2", stores: [K.load(0, [i, j, K.idiv(k, 2)])] },
    {
      name: "upsampled by 3",
      stores: [
        K.load(0, [i, K.idiv(j, 3), K.idiv(k, 3)]),
        K.select(K.compareIndex("eq", K.imod(k, 3), 1), K.load(0, [i, j, k]), 0),
      ],
    },
    { name: "upsampled by 4", stores: [K.max(K.load(0, [i, j, K.idiv(K.iadd(k, 1), 4)]), 0.5)] },
    {
      name: "windows that overlap",
      stores: [
        K.sum(
          [{ axis: 64, extent: 2 }],
          K.select(
            K.and(
              K.compareIndex("ge", K.idiv(k, 2), K.axis(64)),
              K.compare("gt", K.load(1, [K.isub(K.idiv(k, 2), K.axis(64))]), K.toFloat(K.imod(k, 2))),
            ),
            K.load(0, [i, j, K.isub(K.idiv(k, 2), K.axis(64))]),
            0,
          ),
        ),
      ],
    },
    {
      // the largest product has no reciprocal that is exact
      name: "remainders",
      stores: [
        K.toFloat(K.imod(K.imul(K.imod(K.iadd(K.imul(i, 1600), K.iadd(K.imul(j, 40), k)), 4095), 1933), 2039)),
        K.toFloat(K.idiv(K.imul(K.imod(K.iadd(K.imul(i, 1600), K.iadd(K.imul(j, 40), k)), 4095), 1933), 2039)),
      ],
    },
    {
      name: "largest of windows and where",
      stores: [0, 1].map((which) =>
        [K.maximum, K.argmax][which]!(
          [{ axis: 64, extent: 3 }],
          K.select(
            K.compareIndex("lt", K.iadd(k, K.axis(64)), n),
            K.load(0, [i, j, K.iadd(k, K.axis(64))]),
            Number.NEGATIVE_INFINITY,
          ),
        ),
      ),
    },
    { name: "gather", stores: [K.load(0, [i, j, K.imin(K.imax(K.toIndex(K.mul(K.load(1, [k]), 9)), 0), n - 1)])] },
  ].map((x) => ({
    _tag: "Kernel",
    space: [n, n, n],
    inputs: [[n, n, n], [n]],
    ...x,
  }))
  it.each(large)("$name: one thread and two, and near the interpreter", async (kernel) => {
    const inputs = [n * n * n, n].map((m) => Float32Array.from({ length: m }, (_, at) => Math.sin(at * 1.7) * 2))
    const expected = await reference.runPromise(runKernel(kernel, inputs))
    const [a, b] = [await one.runPromise(runKernel(kernel, inputs)), await two.runPromise(runKernel(kernel, inputs))]
    assert.strictEqual(a.map(bits).join(), b.map(bits).join())
    let furthest = 0
    a.forEach((y, s) => y.forEach((v, at) => (furthest = Math.max(furthest, Math.abs(v - (expected[s]?.[at] ?? NaN))))))
    assert.isBelow(furthest, 1e-4)
  })
})

describe("a load that is out of range and not chosen", () => {
  const count = 41
  const label = K.toIndex(K.load(0, [K.axis(0)]))
  const known = K.and(K.compareIndex("ge", label, 0), K.compareIndex("lt", label, 10))
  const far = 400_000_000
  const cases: ReadonlyArray<readonly [string, K.Value, (i: number, label: number) => number]> = [
    [
      "an index from data",
      K.select(known, K.load(1, [K.axis(0), label]), -1),
      (i, l) => (l >= 0 && l < 10 ? i * 10 + Math.floor(l) : -1),
    ],
    [
      "far before the array",
      K.select(
        K.compareIndex("lt", K.axis(0), 0 + count - 1),
        -2,
        K.load(2, [K.imul(K.isub(K.axis(0), count - 1), far)]),
      ),
      (i) => (i < count - 1 ? -2 : 0),
    ],
    [
      "far behind it, side by side",
      K.select(
        K.compareIndex("gt", K.axis(0), 0),
        3,
        K.load(2, [K.iadd(K.imul(K.axis(0), 1), K.imul(K.imin(K.axis(0), 1), far))]),
      ),
      (i) => (i > 0 ? 3 : 0),
    ],
  ]
  it.each(cases)("neither traps nor shows: %s", async (_, store, expected) => {
    const labels = Float32Array.from(
      { length: count },
      (_, i) => [3, -1, 1e9, 9.5, -1e9, NaN, 10, Infinity, 0][i % 9] ?? 0,
    )
    const kernel: K.Kernel = {
      _tag: "Kernel",
      name: "guarded",
      space: [count],
      inputs: [[count], [count, 10], [count]],
      stores: [store],
    }
    const inputs = [
      labels,
      Float32Array.from({ length: count * 10 }, (_, i) => i),
      Float32Array.from({ length: count }, (_, i) => i),
    ]
    for (const r of [two, apart, reference]) {
      const [y] = await r.runPromise(runKernel(kernel, inputs))
      // NaN counts as label 0
      assert.deepStrictEqual(
        [...(y ?? [])],
        [...labels].map((l, i) => expected(i, Number.isNaN(l) ? 0 : l)),
      )
    }
  })
})

/** a kernel of arrays of one length by itself, in an engine without relaxed SIMD */
const runSeparately = (kernel: K.Kernel, inputs: ReadonlyArray<Float32Array>): ReadonlyArray<Float32Array> => {
  const { func, units } = compileKernel(kernel, "kernel", { relaxed: false, wide: false })
  const length = inputs[0]?.length ?? 0
  const guard = 65536
  const address = (i: number) => guard + i * (4 * length + guard)
  const addresses = [...inputs, ...kernel.stores].map((_, i) => address(i))
  const pages = Math.ceil(address(addresses.length) / 65536)
  const memory = new WebAssembly.Memory({ initial: pages })
  inputs.forEach((x, i) => new Float32Array(memory.buffer, address(i), length).set(x))
  const bytes = encode({ memory: { minimum: pages, shared: false, address: "i32" }, exports: [func] })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  const run = exports["kernel"]
  assert(typeof run === "function")
  run(0, units, ...addresses)
  return kernel.stores.map((_, i) => new Float32Array(memory.buffer, address(inputs.length + i), length))
}

describe.each<
  readonly [string, (kernel: K.Kernel, inputs: ReadonlyArray<Float32Array>) => Promise<ReadonlyArray<Float32Array>>]
>([
  ["on the device", (kernel, inputs) => two.runPromise(runKernel(kernel, inputs))],
  ["without fused multiply-add", async (kernel, inputs) => runSeparately(kernel, inputs)],
])("functions, %s", (_, run) => {
  /** distance in units in the last place of float32, of the smallest normal number at least */
  const ulps = (got: number, exact: number): number => {
    if (Object.is(got, exact) || got === Math.fround(exact)) return 0
    if (Number.isNaN(exact) || Number.isNaN(got)) return Number.isNaN(exact) && Number.isNaN(got) ? 0 : Infinity
    const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))))
    return Math.abs(got - exact) / 2 ** (exponent - 23)
  }
  const special = [
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    NaN,
    1e-45,
    -1e-45,
    1e-39,
    1.1754943508222875e-38,
    3.4028234663852886e38,
  ]
  const dense = (from: number, to: number, count: number) =>
    Array.from({ length: count }, (_, at) => from + ((to - from) * at) / (count - 1))
  /** every magnitude and both signs, by stepping through the bits */
  const patterns = [...new Float32Array(Uint32Array.from({ length: 60_000 }, (_, at) => (at * 71_583) >>> 0).buffer)]

  const apply = async (
    op: (...x: ReadonlyArray<K.Value>) => K.Value,
    ...inputs: ReadonlyArray<ReadonlyArray<number>>
  ) => {
    const arrays = inputs.map((x) => Float32Array.from(x))
    const m = arrays[0]?.length ?? 0
    const at = [K.axis(0)]
    const kernel: K.Kernel = {
      _tag: "Kernel",
      name: "function",
      space: [m],
      inputs: arrays.map(() => [m]),
      stores: [op(...arrays.map((_, input) => K.load(input, at)))],
    }
    const [y] = await run(kernel, arrays)
    return { arrays, y: y ?? new Float32Array(0) }
  }

  const unary: ReadonlyArray<readonly [K.UnaryOp, (x: number) => number, number, ReadonlyArray<number>]> = [
    ["exp", Math.exp, 2, [...dense(-104, 89, 150_001), ...dense(-1, 1, 50_000)]],
    ["log", Math.log, 2, [...dense(0, 4, 100_001), ...dense(0.9, 1.1, 50_001), ...dense(0, 1e6, 50_000)]],
    ["tanh", Math.tanh, 3, [...dense(-10, 10, 150_001), ...dense(-1e-3, 1e-3, 10_000)]],
    ["erf", erf, 3, [...dense(-5, 5, 150_001), ...dense(-1e-3, 1e-3, 10_000)]],
    ["sqrt", Math.sqrt, 0.5, dense(0, 100, 10_001)],
    ["floor", Math.floor, 0, dense(-100, 100, 10_001)],
    ["neg", (x) => -x, 0, dense(-3, 3, 1001)],
    ["abs", Math.abs, 0, dense(-3, 3, 1001)],
  ]
  it.each(unary)("%s", async (op, exact, bound, samples) => {
    const { arrays, y } = await apply(
      (a) => ({ _tag: "Unary", op, a: a ?? K.constant(0) }),
      [...samples, ...special, ...patterns],
    )
    let worst = 0
    let where = 0
    arrays[0]?.forEach((x, at) => {
      const error = ulps(y[at] ?? 0, exact(x))
      if (error > worst) [worst, where] = [error, x]
    })
    assert.isAtMost(worst, bound, `${op} at ${where}`)
  })

  const pairs = (() => {
    const values = [
      ...special,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      0.3,
      1.5,
      -2.5,
      10,
      100,
      -100,
      1e10,
      -7,
      7,
      16777217,
      2147483648,
    ]
    const all = values.flatMap((a) => values.map((b) => [a, b] as const))
    const more = dense(0, 1, 60_000).map((t, at): readonly [number, number] => {
      const a = 10 ** ((t - 0.5) * 8)
      return [a, ((at * 0.618034) % 1) * 16 - 8]
    })
    const steep = dense(0.2, 3, 20_000).map((a, at): readonly [number, number] => [a, ((at * 0.7548) % 1) * 120 - 60])
    return [...all, ...more, ...steep]
  })()
  const pow = (a: number, b: number): number => (a === 1 ? 1 : a === -1 && Math.abs(b) === Infinity ? 1 : a ** b)
  const binary: ReadonlyArray<readonly [K.BinaryOp, (a: number, b: number) => number, number]> = [
    ["add", (a, b) => a + b, 0.5],
    ["sub", (a, b) => a - b, 0.5],
    ["mul", (a, b) => a * b, 0.5],
    ["div", (a, b) => a / b, 0.5],
    ["min", Math.min, 0],
    ["max", Math.max, 0],
    ["pow", pow, 3],
  ]
  it.each(binary)("%s", async (op, exact, bound) => {
    const { arrays, y } = await apply(
      (a, b) => ({ _tag: "Binary", op, a: a ?? K.constant(0), b: b ?? K.constant(0) }),
      pairs.map((p) => p[0]),
      pairs.map((p) => p[1]),
    )
    let worst = 0
    let where = ""
    arrays[0]?.forEach((a, at) => {
      const b = arrays[1]?.[at] ?? 0
      const result = exact(a, b)
      const error = Math.abs(result) > 3.4028235677973366e38 && !Number.isFinite(y[at]) ? 0 : ulps(y[at] ?? 0, result)
      if (error > worst) [worst, where] = [error, `${a}, ${b}: ${y[at]} for ${result}`]
    })
    assert.isAtMost(worst, bound, `${op} at ${where}`)
  })
})

describe("reductions", () => {
  const sumOf = (
    extents: ReadonlyArray<number>,
    body: K.Value,
    inputs: ReadonlyArray<ReadonlyArray<number>>,
  ): K.Kernel => ({
    _tag: "Kernel",
    name: "sum",
    space: [],
    inputs,
    stores: [
      K.sum(
        extents.map((extent, a) => ({ axis: 64 + a, extent })),
        body,
      ),
    ],
  })
  it.each([[[4_000_000]], [[2000, 2000]], [[4_000_037]], [[7, 571_429]], [[400_000, 10]]])(
    "sum about four million tenths: %j",
    async (extents) => {
      const count = extents.reduce((a, b) => a * b, 1)
      const kernel = sumOf(
        extents,
        K.load(
          0,
          extents.map((_, a) => K.axis(64 + a)),
        ),
        [extents],
      )
      const [y] = await two.runPromise(runKernel(kernel, [new Float32Array(count).fill(0.1)]))
      const exact = Math.fround(0.1) * count
      assert.isBelow(Math.abs((y?.[0] ?? 0) - exact) / exact, 1e-5)
    },
  )

  it("sum a column of a million elements as well", async () => {
    const kernel: K.Kernel = {
      _tag: "Kernel",
      name: "columns",
      space: [3],
      inputs: [[1_000_003, 3]],
      stores: [K.sum([{ axis: 64, extent: 1_000_003 }], K.load(0, [K.axis(64), K.axis(0)]))],
    }
    const x = new Float32Array(3_000_009).fill(0.1)
    const [y] = await two.runPromise(runKernel(kernel, [x]))
    const exact = Math.fround(0.1) * 1_000_003
    for (const v of y ?? []) assert.isBelow(Math.abs(v - exact) / exact, 1e-5)
    const [z] = await one.runPromise(runKernel(kernel, [x]))
    assert.deepStrictEqual(bits(y ?? new Float32Array(0)), bits(z ?? new Float32Array(0)))
  })

  it("let NaN win a maximum, and the first of equals its place", async () => {
    const width = 37
    for (const transposed of [false, true]) {
      const at = transposed ? [K.axis(64), K.axis(0)] : [K.axis(0), K.axis(64)]
      const r = [{ axis: 64, extent: width }]
      const kernel: K.Kernel = {
        _tag: "Kernel",
        name: "winners",
        space: [4],
        inputs: [transposed ? [width, 4] : [4, width]],
        stores: [K.maximum(r, K.load(0, at)), K.argmax(r, K.load(0, at))],
      }
      const rows = [
        Array.from({ length: width }, (_, c) => (c === 5 || c === 30 ? 9 : c % 7)),
        Array.from({ length: width }, (_, c) => (c === 11 || c === 13 ? NaN : c)),
        Array.from({ length: width }, () => -Infinity),
        Array.from({ length: width }, (_, c) => -c - 1),
      ]
      const x = Float32Array.from({ length: 4 * width }, (_, e) =>
        transposed ? (rows[e % 4]?.[Math.floor(e / 4)] ?? 0) : (rows[Math.floor(e / width)]?.[e % width] ?? 0),
      )
      const [max, place] = await two.runPromise(runKernel(kernel, [x]))
      assert.deepStrictEqual([...(max ?? [])], [9, NaN, -Infinity, -1])
      assert.deepStrictEqual([...(place ?? [])], [5, 11, 0, 0])
    }
  })

  it("of nothing are zero and minus infinity, and an empty space stores nothing", async () => {
    const r = [{ axis: 64, extent: 0 }]
    const x = K.load(0, [K.axis(64)])
    const kernel: K.Kernel = {
      _tag: "Kernel",
      name: "nothing",
      space: [2],
      inputs: [[0]],
      stores: [K.sum(r, x), K.maximum(r, x)],
    }
    const [sum, max] = await two.runPromise(runKernel(kernel, [new Float32Array(0)]))
    assert.deepStrictEqual([...(sum ?? [])], [0, 0])
    assert.deepStrictEqual([...(max ?? [])], [-Infinity, -Infinity])
    const empty: K.Kernel = {
      _tag: "Kernel",
      name: "empty",
      space: [0, 3],
      inputs: [[0, 3]],
      stores: [K.exp(K.load(0, [K.axis(0), K.axis(1)]))],
    }
    const [none] = await Effect.runPromise(
      runKernel(empty, [new Float32Array(0)]).pipe(Effect.provide(Wasm.layer({ threads: 1 }))),
    )
    assert.strictEqual(none?.length, 0)
  })
})
