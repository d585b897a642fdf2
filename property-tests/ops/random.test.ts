import { expect, test } from "vitest"
import * as K from "../../src/gpu/Kernel.ts"
import { javascript } from "../../src/gpu/reference/javascript.ts"
import * as Random from "../../src/ops/random.ts"

const draw = (seed: number, step: number, name: string, n: number, from = 0): Float64Array => {
  const u = Random.uniform(Random.key(seed, step), Random.stream(name))
  return Float64Array.from({ length: n }, (_, i) => u(i + from))
}

/** how far the counts of equally likely cells are from even, in standard deviations */
const chiSquare = (counts: ArrayLike<number>): number => {
  const all = Array.from(counts)
  const expected = all.reduce((a, b) => a + b) / all.length
  const chi = all.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0)
  return (chi - (all.length - 1)) / Math.sqrt(2 * (all.length - 1))
}
const correlation = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - 0.5) * ((b[i] ?? 0) - 0.5)
  return (sum / a.length) * 12 * Math.sqrt(a.length)
}

test("the expression and the function give the same bits", () => {
  const n = 5000
  const s = Random.stream("layer1.0.dropout")
  for (const base of [0, 2 ** 22 - 100]) {
    const limbs = Array.from({ length: Random.keyLimbs }, (_, i) => K.toIndex(K.load(0, [K.int(i)])))
    const kernel: K.Kernel = {
      _tag: "Kernel",
      name: "uniform",
      space: [n],
      inputs: [[Random.keyLimbs]],
      stores: [Random.uniformValue(limbs, s, K.iadd(K.axis(0), base))],
    }
    const y = new Float32Array(n)
    const key = Random.key(42, 17)
    new Function("x0", "y0", "toIndex", javascript(kernel))(key, y, Math.floor)
    const u = Random.uniform(key, s)
    expect(y).toEqual(Float32Array.from({ length: n }, (_, i) => u(i + base)))
  }
})

/** the largest whole number that appears anywhere while the expression is computed with bounds instead of numbers */
const bound = (i: K.Index, seen: { max: number }): number => {
  const up = (n: number): number => {
    seen.max = Math.max(seen.max, n)
    return n
  }
  if (i._tag === "Int") return up(i.value)
  if (i._tag === "Axis") return up(2 ** 22 - 1)
  if (i._tag === "ToIndex") return up(2047)
  const [a, b] = [bound(i.a, seen), bound(i.b, seen)]
  return up(i.op === "add" ? a + b : i.op === "mul" ? a * b : i.op === "mod" ? b - 1 : Math.floor(a / b))
}
test("every product and sum stays below 2^23", () => {
  const limbs = Array.from({ length: Random.keyLimbs }, () => K.toIndex(K.load(0, [])))
  const value = Random.uniformValue(limbs, Random.stream("x"), K.axis(0))
  const seen = { max: 0 }
  if (value._tag === "Binary" && value.a._tag === "ToFloat") bound(value.a.index, seen)
  expect(seen.max).toBeGreaterThan(2 ** 20)
  expect(seen.max).toBeLessThan(2 ** 23)
})

const n = 1 << 20
test.each([
  [0, 0, "weight"],
  [1, 0, "weight"],
  [1, 1, "layer1.conv1.weight"],
  [123456789, 99999, "classifier.1.bias"],
  [2 ** 40 + 3, 5, ""],
])("seed %d, step %d, stream %s: even, and neighbours do not know each other", (seed, step, name) => {
  const u = draw(seed, step, name, n)
  const cells = 256
  const singles = new Uint32Array(cells)
  for (const x of u) singles[Math.floor(x * cells)]!++
  expect(Math.abs(chiSquare(singles))).toBeLessThan(5)
  // low bits too
  const lows = new Uint32Array(cells)
  for (const x of u) lows[(x * 2 ** 22) % cells]!++
  expect(Math.abs(chiSquare(lows))).toBeLessThan(5)
  // any whole window of elements, not only the full permutation
  for (const from of [0, 100_000]) {
    const window = new Uint32Array(64)
    for (const x of u.subarray(from, from + 20_000)) window[Math.floor(x * 64)]!++
    expect(Math.abs(chiSquare(window))).toBeLessThan(5)
  }
  for (const lag of [1, 2, 3, 5, 25, 64, 128, 1024, 2047, 2048, 2049, 4096, 65536]) {
    const pairs = new Uint32Array(256)
    for (let i = 0; i + lag < n; i++) pairs[Math.floor(u[i]! * 16) * 16 + Math.floor(u[i + lag]! * 16)]!++
    expect(Math.abs(chiSquare(pairs)), `pairs at lag ${lag}`).toBeLessThan(6)
    expect(Math.abs(correlation(u.subarray(0, n - lag), u.subarray(lag))), `lag ${lag}`).toBeLessThan(5)
  }
})

test("other streams, steps and seeds give other numbers, and know nothing of each other", () => {
  const base = draw(3, 4, "a.weight", n)
  const others = [
    draw(3, 4, "a.bias", n),
    draw(3, 4, "b.weight", n),
    draw(3, 5, "a.weight", n),
    draw(4, 4, "a.weight", n),
  ]
  others.push(draw(3, 4, "a.weight", n, 2 ** 22))
  for (const other of others) {
    expect(Math.abs(correlation(base, other))).toBeLessThan(5)
    const pairs = new Uint32Array(256)
    for (let i = 0; i < n; i++) pairs[Math.floor(base[i]! * 16) * 16 + Math.floor(other[i]! * 16)]!++
    expect(Math.abs(chiSquare(pairs))).toBeLessThan(6)
  }
})

test("the numbers of a seed never change", () => {
  expect([...Random.key(42, 7)]).toMatchInlineSnapshot(`
    [
      862,
      449,
      90,
      1909,
    ]
  `)
  expect([...draw(42, 7, "layer1.conv1.weight", 4)]).toMatchInlineSnapshot(`
    [
      0.31890153884887695,
      0.7617087364196777,
      0.5316116809844971,
      0.33311939239501953,
    ]
  `)
})
