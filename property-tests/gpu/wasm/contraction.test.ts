import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Contraction, Conv2d, MatMul } from "../../../src/gpu/Contraction.ts"
import { supportsRelaxed } from "../../../src/gpu/wasm/Assembler.ts"
import { selectKernels } from "../../../src/gpu/wasm/selectKernels.ts"
import { suits } from "../../../src/gpu/wasm/Winograd.ts"
import {
  faults,
  contraction,
  conv,
  conv2d,
  convolutions,
  inputsOf,
  matMul,
  matMuls,
  random,
  run,
  square,
  square2,
} from "./contractionReference.ts"

const runs = { seed: 20, numRuns: 60 }

describe("contractions against their definition, on every kernel and number of threads", () => {
  it("matrix products", () => {
    fc.assert(
      fc.property(matMuls, fc.boolean(), fc.nat(), (f, bias, seed) => {
        expect(faults(contraction(f, bias), seed)).toEqual([])
      }),
      runs,
    )
  }, 60_000)

  it.each(["forward", "inputGradient", "weightGradient"] as const)(
    "conv2d %s",
    (pass) => {
      fc.assert(
        fc.property(convolutions(pass), fc.boolean(), fc.nat(), (f, bias, seed) => {
          expect(faults(contraction(f, bias && pass === "forward"), seed)).toEqual([])
        }),
        runs,
      )
    },
    60_000,
  )
})

describe("minimal filtering", () => {
  const even = (from: number, to: number) => fc.integer({ min: from / 4, max: to / 4 }).map((n) => 4 * n)
  const sizes = fc.record({
    n: fc.integer({ min: 2, max: 5 }),
    c: even(24, 40),
    o: even(24, 40),
    out: fc.tuple(fc.integer({ min: 6, max: 15 }), fc.integer({ min: 7, max: 23 })),
    padding: fc.tuple(fc.nat(2), fc.nat(2)),
  })
  const of = (
    pass: Conv2d["pass"],
    { n, c, o, out: [oh, ow], padding }: typeof sizes extends fc.Arbitrary<infer T> ? T : never,
  ) =>
    conv(pass, { n, c, o, oh, ow, h: oh + 2 - 2 * padding[0], w: ow + 2 - 2 * padding[1], padding, kernel: square(3) })

  it.each(["forward", "inputGradient"] as const)(
    "%s",
    (pass) => {
      let taken = 0
      fc.assert(
        fc.property(sizes, fc.boolean(), fc.nat(), (s, bias, seed) => {
          const f = of(pass, s)
          fc.pre(f.h > 0 && f.w > 0 && suits(f))
          taken++
          expect(faults(contraction(f, bias && pass === "forward"), seed)).toEqual([])
        }),
        { seed: 21, numRuns: 8 },
      )
      expect(taken).toBeGreaterThanOrEqual(8)
    },
    60_000,
  )

  it("is taken for what it pays, and for nothing that it would get wrong", () => {
    const wide = { n: 4, c: 64, o: 64, ...square2("h", "w", 28), ...square2("oh", "ow", 28), kernel: square(3) }
    const padding = square(1)
    expect(suits(conv("forward", { ...wide, padding }))).toBe(true)
    expect(suits(conv("inputGradient", { ...wide, padding }))).toBe(true)
    expect(suits(conv("forward", { ...wide, padding, stride: square(2), h: 55, w: 55 }))).toBe(false)
    expect(suits(conv("forward", { ...wide, padding: square(2), dilation: square(2) }))).toBe(false)
    expect(suits(conv("forward", { ...wide, padding, groups: 2 }))).toBe(false)
    expect(suits(conv("forward", { ...wide, padding, c: 1, o: 1 }))).toBe(false)
    expect(suits(conv("forward", { ...wide, n: 1, ...square2("h", "w", 4), ...square2("oh", "ow", 4), padding }))).toBe(
      false,
    )
  })

  it("goes over several blocks of channels and several rounds of pieces", () => {
    const f = {
      n: 2,
      c: 260,
      o: 20,
      ...square2("h", "w", 14),
      ...square2("oh", "ow", 14),
      kernel: square(3),
      padding: square(1),
    }
    for (const pass of ["forward", "inputGradient"] as const) {
      expect(suits(conv(pass, f))).toBe(true)
      expect(faults(contraction(conv(pass, f)), 8)).toEqual([])
    }
  }, 60_000)
})

describe("inner products of few rows", () => {
  it.each([
    [1, 37, 64, false],
    [1, 37, 64, true],
    [3, 10, 4104, true],
    [6, 5, 8, true],
    [17, 3, 2048, true],
  ] as const)("%i×%i over %i, bias: %s", (m, n, k, bias) => {
    const f: MatMul = {
      _tag: "MatMul",
      batch: 1,
      m,
      n,
      k,
      transposeA: false,
      transposeB: true,
      batchedA: false,
      batchedB: false,
    }
    expect(faults(contraction(f, bias), 9)).toEqual([])
    expect(faults(contraction({ ...f, batch: 3, batchedA: true, batchedB: true }, bias), 9)).toEqual([])
  })
})

describe("sizes at which the code goes another way", () => {
  const shapes: ReadonlyArray<readonly [name: string, of: Partial<Conv2d>]> = [
    [
      "several blocks of taps",
      { n: 2, c: 50, o: 7, ...square2("h", "w", 6), ...square2("oh", "ow", 6), kernel: square(3), padding: square(1) },
    ],
    [
      "rows longer than a panel",
      { n: 2, c: 3, o: 5, h: 4, w: 37, oh: 4, ow: 37, kernel: square(3), padding: square(1) },
    ],
    [
      "an image longer than a block",
      { n: 3, c: 2, o: 20, ...square2("h", "w", 23), ...square2("oh", "ow", 21), kernel: square(3) },
    ],
    [
      "several spans of inner products",
      {
        n: 20,
        c: 2,
        o: 4,
        ...square2("h", "w", 20),
        ...square2("oh", "ow", 20),
        kernel: square(3),
        padding: square(1),
      },
    ],
    [
      "inner products of a few images at a time",
      {
        n: 39,
        c: 2,
        o: 4,
        ...square2("h", "w", 40),
        ...square2("oh", "ow", 40),
        kernel: square(3),
        padding: square(1),
      },
    ],
    [
      "images in several chunks",
      { n: 11, c: 1, o: 2, ...square2("h", "w", 32), ...square2("oh", "ow", 32), kernel: square(1) },
    ],
    [
      "depthwise",
      {
        n: 2,
        c: 9,
        o: 18,
        groups: 9,
        ...square2("h", "w", 12),
        ...square2("oh", "ow", 12),
        kernel: square(3),
        padding: square(1),
      },
    ],
    [
      "a stride that leaves positions without taps",
      { n: 2, c: 4, o: 6, ...square2("h", "w", 11), ...square2("oh", "ow", 4), stride: square(3), kernel: square(2) },
    ],
    [
      "more padding than the kernel reaches",
      { n: 1, c: 2, o: 2, ...square2("h", "w", 3), ...square2("oh", "ow", 9), kernel: square(1), padding: square(3) },
    ],
  ]
  const passes = ["forward", "inputGradient", "weightGradient"] as const
  it.each(shapes.flatMap(([name, of]) => passes.map((pass) => [name, pass, of] as const)))("%s, %s", (_, pass, of) => {
    expect(faults(contraction(conv(pass, of), pass === "forward"), 7)).toEqual([])
  })
})

describe("accuracy", () => {
  /** the largest relative error on numbers of one sign, where rounding adds up */
  const worst = (c: Contraction): number => {
    const next = random(3)
    const inputs = inputsOf(c, () => (next() + 1) / 2)
    const [a, b] = inputs
    const { value } = c.form._tag === "MatMul" ? matMul(c.form, a, b, undefined) : conv2d(c.form, a, b, undefined)
    const got = run(c, inputs, { wide: true, relaxed: supportsRelaxed(), threads: 1 })
    return Math.max(...Array.from(value, (v, i) => Math.abs((got[i] ?? NaN) / v - 1)))
  }
  it("sums of 200 000 terms of one sign keep six digits", () => {
    const f: MatMul = {
      _tag: "MatMul",
      batch: 1,
      m: 2,
      n: 3,
      k: 2e5,
      transposeA: false,
      transposeB: true,
      batchedA: false,
      batchedB: false,
    }
    expect(worst(contraction(f))).toBeLessThan(3e-6)
    const shape = { n: 64, ...square2("h", "w", 56), ...square2("oh", "ow", 56), kernel: square(3), padding: square(1) }
    expect(worst(contraction(conv("weightGradient", { ...shape, c: 1, o: 1 })))).toBeLessThan(3e-6)
  })
})

describe("selectKernels", () => {
  it("gives kernels that this engine has", () => {
    const { wide, relaxed, module } = selectKernels({ auto: true, shared: false })
    expect(relaxed).toBe(supportsRelaxed())
    const has = (name: string) => WebAssembly.Module.exports(module).some((e) => e.name === name)
    expect([has("product16"), has("product8")]).toEqual([wide, true])
  })
})
