/** The value rules against plain definitions: windows counted one by one, arrays really broadcast, elements counted. */
import * as fc from "fast-check"
import { expect, test } from "vitest"
import * as S from "../../src/shapes/index.ts"

const options = { seed: 7, numRuns: 500 }
const size = fc.integer({ min: 1, max: 6 })
const shape = fc.array(size, { maxLength: 5 })
const count = (s: ReadonlyArray<S.Dim>): number => s.reduce<number>((n, d) => n * Number(d), 1)

/** how many windows there are, found by sliding one */
const slide = (n: number, k: number, s: number, p: number, d: number, ceil: boolean): number => {
  const extent = d * (k - 1) + 1
  const end = n + 2 * p + (ceil ? s - 1 : 0)
  let windows = 0
  for (let start = 0; start + extent <= end; start += s) if (!ceil || start < n + p || start === 0) windows++
  return windows
}

test("window counts the windows that can be slid", () => {
  const nat = fc.integer({ min: 0, max: 4 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), size, size, nat, size, fc.boolean(), (n, k, s, pad, d, ceilMode) => {
      // with more padding than half a kernel, which pooling does not take, PyTorch counts windows without any input
      const p = ceilMode ? Math.min(pad, Math.floor(k / 2)) : pad
      const got = S.window(n, { kernelSize: k, stride: s, padding: p, dilation: d, ceilMode })
      const windows = slide(n, k, s, p, d, ceilMode)
      expect(S.isRefusal(got) ? 0 : got).toBe(windows)
    }),
    options,
  )
})

test("a window of stride 1 with padding D(K - 1) / 2 keeps every size, named or not", () => {
  const name = fc.constantFrom<S.Dim>("N", "H", 1, 2, 17)
  fc.assert(
    fc.property(name, fc.integer({ min: 0, max: 4 }), size, (n, half, dilation) => {
      const kernelSize = 2 * half + 1
      expect(S.window(n, { kernelSize, padding: dilation * half, dilation })).toBe(n)
    }),
    options,
  )
})

/** both shapes from one: some dimensions made 1, some leading ones left out */
const broadcastable = fc
  .tuple(shape, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.nat(5))
  .map(([s, ones, cut]) => ({ whole: s, a: s.map((d, i) => (ones[i] ? 1 : d)), b: s.slice(Math.min(cut, s.length)) }))
test("broadcast gives the larger of each, in both orders, and refuses two sizes that differ", () => {
  fc.assert(
    fc.property(broadcastable, ({ a, b }) => {
      const want = a.map((d, i) => Math.max(d, b[i - (a.length - b.length)] ?? 1))
      expect(S.broadcast(a, b)).toEqual(want)
      expect(S.broadcast(b, a)).toEqual(want)
    }),
    options,
  )
  fc.assert(
    fc.property(shape, size, fc.integer({ min: 2, max: 6 }), (s, d, more) => {
      expect(S.isRefusal(S.broadcast([...s, d + 1], [d + 1 + more - 1]))).toBe(true)
    }),
    options,
  )
})

test("reshape keeps the number of elements, and -1 is what remains", () => {
  fc.assert(
    fc.property(shape, fc.nat(4), (s, at) => {
      expect(S.reshape(s, [count(s)])).toEqual([count(s)])
      const target = s.toReversed()
      expect(S.reshape(s, target)).toEqual(target)
      const hole = s.length > at ? target.with(at, -1) : target
      expect(S.reshape(s, hole)).toEqual(target)
      expect(S.isRefusal(S.reshape(s, [count(s) + 1]))).toBe(true)
    }),
    options,
  )
})

test("flatten keeps the number of elements and what comes before", () => {
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 5 }), fc.nat(4), (s, d) => {
      const at = d % s.length
      expect(S.flatten(s, at)).toEqual([...s.slice(0, at), count(s.slice(at))])
    }),
    options,
  )
})

test("reduce one by one, from the last, is reduce at once; keepDim is the same with ones", () => {
  fc.assert(
    fc.property(shape, fc.uniqueArray(fc.nat(4)), (s, some) => {
      const dims = some.filter((d) => d < s.length)
      const ordered = dims.toSorted((a, b) => b - a)
      const one = ordered.reduce<S.Shape>((t, d) => t.toSpliced(d, 1), s)
      expect(S.reduce(s, dims)).toEqual(one)
      expect(S.reduce(s, dims, true)).toEqual(ordered.reduce<S.Shape>((t, d) => t.with(d, 1), s))
      expect(
        S.reduce(
          s,
          dims.map((d) => d - s.length),
        ),
      ).toEqual(one)
    }),
    options,
  )
})

test("permute there and back is nothing, and keeps the sizes", () => {
  const permuted = shape.chain((s) =>
    fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length, maxLength: s.length })),
  )
  fc.assert(
    fc.property(permuted, ([s, order]) => {
      const there = S.permute(s, order)
      expect(there).toEqual(order.map((i) => s[i]))
      expect(
        S.isRefusal(there) ||
          S.permute(
            there,
            s.map((_, i) => order.indexOf(i)),
          ),
      ).toEqual(s)
    }),
    options,
  )
})

test("concat adds up along its dimension; slices of the whole are the parts", () => {
  fc.assert(
    fc.property(
      fc.array(size, { minLength: 1, maxLength: 4 }),
      fc.nat(3),
      fc.array(size, { minLength: 1 }),
      (s, d, parts) => {
        const dim = d % s.length
        const whole = S.concat(
          parts.map((p) => s.with(dim, p)),
          dim,
        )
        expect(whole).toEqual(
          s.with(
            dim,
            parts.reduce((a, b) => a + b, 0),
          ),
        )
        const first = parts[0] ?? 0
        expect(S.isRefusal(whole) || S.slice(whole, dim, 0, first)).toEqual(s.with(dim, first))
      },
    ),
    options,
  )
})

test("matmul is defined exactly where the inner sizes agree and the batches broadcast", () => {
  fc.assert(
    fc.property(broadcastable, size, size, size, size, ({ a, b }, m, k, k2, n) => {
      const got = S.matmul([...a, m, k], [...b, k2, n])
      const batch = S.broadcast(a, b)
      expect(S.isRefusal(got) ? "refused" : got).toEqual(k !== k2 || S.isRefusal(batch) ? "refused" : [...batch, m, n])
    }),
    options,
  )
})

test("guards say which number and what is allowed", () => {
  expect(S.notSize(3)).toBeNull()
  expect(S.notSize([3, 0])).toBe("0 is not a size: 1, 2, 3, ...")
  expect(S.notSize(2.5)).toBe("2.5 is not a size: 1, 2, 3, ...")
  expect(S.notCount(0)).toBeNull()
  expect(S.notCount(-1)).toBe("-1 is not a count: 0, 1, 2, ...")
  expect(S.notGroups(3, 64, 128)).toBe("3 groups do not divide the 64 input channels")
  expect(S.notGroups(4, 64, 126)).toBe("4 groups do not divide the 126 output channels")
})

test("a mismatch derives its message from its fields", () => {
  const sentence = "matmul: 4×3 times 4×3: the inner sizes differ (3 and 4)"
  const error = new S.ShapeMismatch({
    op: "matmul",
    path: "layer3.fc1",
    shapes: [
      [4, 3],
      [4, 3],
    ],
    sentence,
    remedy: "Transpose one",
  })
  expect(error._tag).toBe("ShapeMismatch")
  expect(error.message).toBe(`layer3.fc1: ${sentence}. Transpose one`)
})
