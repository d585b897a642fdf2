import { assert, describe, it } from "@effect/vitest"
import type * as Contraction from "../../../src/gpu/Contraction.ts"
import { dialectOf, fold, type Mode, modes } from "../../../src/gpu/gpujs/dialect.ts"
import { lower, type Lowered, type Refusal } from "../../../src/gpu/gpujs/lower.ts"
import { print, type Printed } from "../../../src/gpu/gpujs/print.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import { planOf } from "../runKernel.ts"

const printed = (
  mode: Mode,
  space: ReadonlyArray<number>,
  inputs: ReadonlyArray<ReadonlyArray<number>>,
  value: K.Value,
) => {
  const text = print({ name: "test", space, inputs, value }, dialectOf(mode))
  if ("_tag" in text) throw new Error(text.reason)
  return text
}
const lines = (p: Printed) => p.source.split("\n").map((l) => l.trim())
const lowered = (mode: Mode, kernel: K.Kernel | Contraction.Contraction): Lowered => {
  const result: Lowered | Refusal = lower(planOf(kernel), dialectOf(mode), false)
  if ("_tag" in result) throw new Error(result.reason)
  return result
}
const kernel = (
  space: ReadonlyArray<number>,
  inputs: ReadonlyArray<ReadonlyArray<number>>,
  ...stores: ReadonlyArray<K.Value>
): K.Kernel => ({
  _tag: "Kernel",
  name: "test",
  space,
  inputs,
  stores,
})
const x = K.load(0, [K.axis(0)])

describe("the printed source", () => {
  it("is one function of arrays, in which nothing is computed twice", () => {
    const e = K.exp(x)
    assert.deepStrictEqual(lines(printed("cpu", [8], [[8]], K.add(K.mul(e, e), K.exp(x)))), [
      "function (x0) {",
      "let t0 = this.thread.x;",
      "let v1 = x0[t0];",
      "let v2 = Math.exp(v1);",
      "let v3 = (v2 * v2);",
      "return (v3 + v2);",
      "}",
    ])
  })

  it("takes minima and maxima of indices between names and literals, which are floats", () => {
    const folded = K.imax(K.isub(K.axis(0), 3), K.isub(3, K.axis(0)))
    const text = printed("webgpu", [8], [[4], [8]], K.add(K.load(0, [folded]), K.load(1, [K.isub(7, folded)])))
    const calls = [...text.source.matchAll(/Math\.(?:min|max)\(([^()]*(?:\([^()]*\))?[^()]*)\)/g)].map((m) => m[1])
    assert.isAbove(calls.length, 1)
    for (const call of calls) assert.match(call ?? "", /^(\w+, \w+|0, Math\.min\(\w+, \d+\))$/)
  })

  it("loops between literals and moves out what the loop does not change", () => {
    const r = [{ axis: 64, extent: 5 }]
    const row = K.imul(K.idiv(K.axis(0), 2), 3)
    const text = printed("cpu", [8], [[20, 5]], K.sum(r, K.load(0, [K.iadd(row, 1), K.axis(64)])))
    const at = (part: string) => lines(text).findIndex((l) => l.includes(part))
    assert.isAbove(at("for (let k"), at("Math.floor(t0 / 2)"))
    assert.isTrue(lines(text).some((l) => /^for \(let k\d+ = 0; k\d+ < 5; k\d+\+\+\) \{$/.test(l)))
  })

  it("evaluates only the chosen side of a select: `if`, never `?:`", () => {
    const value = K.select(K.compareIndex("ge", K.axis(0), 1), K.load(0, [K.isub(K.axis(0), 1)]), 7)
    for (const mode of modes) {
      const text = printed(mode, [4], [[4]], value)
      assert.notInclude(text.source, "?")
      assert.match(text.source, /if \(t0 >= 1\) \{\n\s+v\d+ = x0\[i\d+\];\n\s+\} else/)
    }
  })

  it("clamps a load that no condition guards and no bound proves", () => {
    const value = K.load(0, [K.toIndex(K.load(1, [K.axis(0)]))])
    assert.include(printed("webasm", [4], [[9], [4]], value).source, "Math.max(0, Math.min(i")
    assert.notInclude(printed("webasm", [4], [[9], [4]], K.load(0, [K.iadd(K.axis(0), 5)])).source, "Math.max")
  })

  it("divides integers exactly: half a unit on top, and the remainder looked at where that is not enough", () => {
    const small = printed("webgpu", [4, 5], [], K.toFloat(K.idiv(K.axis(1), 2)))
    assert.include(small.source, "Math.floor((t2 + 0.5) / 2)")
    const large = printed("webgpu", [2 ** 22], [], K.toFloat(K.idiv(K.axis(0), 7)))
    assert.match(large.source, /if \(t0 - q\d+ \* 7 < 0\) \{/)
    assert.match(large.source, /if \(t0 - q\d+ \* 7 >= 7\) \{/)
    // what lies within one multiple is not divided at all
    assert.notInclude(printed("webgpu", [6], [], K.toFloat(K.idiv(K.axis(0), 6))).source, "/")
  })

  it("asks shaders for NaN by magnitude, others by inequality with itself", () => {
    const value = K.select(K.isNaN(x), 1, 0)
    assert.include(
      printed("webgl", [4], [[4]], value).source,
      "(!(Math.abs(v1) <= 3.4e38) && !(Math.abs(1 / v1) <= 3.4e38))",
    )
    assert.include(printed("cpu", [4], [[4]], value).source, "(v1 !== v1)")
    for (const mode of ["webgpu", "webgl2", "webgl"] as const) {
      assert.notMatch(
        printed(mode, [4], [[4]], K.select(K.compare("ne", x, 1), K.tanh(x), K.pow(x, x))).source,
        /!==|tanh/,
      )
    }
  })

  it("passes infinities and NaN as arguments, since no shading language spells them", () => {
    const text = printed("webgpu", [4], [[4]], K.max(K.add(x, -Infinity), NaN))
    assert.deepStrictEqual(text.scalars, ["inf", "nan"])
    assert.match(text.source, /^function \(x0, inf, nan\)/)
    assert.notMatch(text.source, /Infinity|NaN/)
  })

  it("rounds constants to float32", () => {
    assert.include(printed("cpu", [4], [[4]], K.mul(x, 0.1)).source, "0.10000000149011612")
  })

  it("sums more than 1024 elements in parts of at most 64, and fewer in one", () => {
    const sum = (extent: number) =>
      printed("webasm", [], [[extent]], K.sum([{ axis: 64, extent }], K.load(0, [K.axis(64)]))).source
    const loops = (text: string) => [...text.matchAll(/k\d+ < (\d+);/g)].map((m) => Number(m[1]))
    assert.deepStrictEqual(loops(sum(1024)), [1024])
    for (const extent of [1025, 4096, 4_000_000, 1_000_003]) {
      const sizes = loops(sum(extent))
      assert.isTrue(
        sizes.every((s) => s <= 64),
        `${extent}: ${sizes}`,
      )
      assert.isAtLeast(
        sizes.reduce((a, b) => a * b, 1),
        extent,
      )
    }
  })

  it("folds an input into at most three dimensions, and multiplies only what is folded", () => {
    const at = K.point([2, 3, 4, 5])
    const text = printed("cpu", [2, 3, 4, 5], [[2, 3, 4, 5]], K.neg(K.load(0, at)))
    assert.deepStrictEqual(text.arrays, [{ name: "x0", dimensions: [5, 4, 6] }])
    assert.match(text.source, /x0\[\(a1 \* 3 \+ a3\)\]\[a5\]\[t6\]/)
  })

  it("gives an output of more than 2^24 elements three dimensions where the mode can, and refuses where not", () => {
    const big = { name: "big", space: [5000, 5000], inputs: [[5000, 5000]], value: K.load(0, [K.axis(1), K.axis(0)]) }
    const wide = print(big, dialectOf("webgpu"))
    assert.deepStrictEqual("_tag" in wide ? wide : wide.output, [5000, 5000, 1])
    const cpu = print(big, dialectOf("cpu"))
    assert.deepStrictEqual("_tag" in cpu ? cpu : cpu.output, [25_000_000])
    const gl = print(big, dialectOf("webgl"))
    assert.match(
      "_tag" in gl ? gl.reason : "",
      /input 0 of shape \[5000,5000\] has more elements .* webgl mode can count/,
    )
    assert.deepStrictEqual(fold([70000, 2, 3], [4, 524280, 65535]), [[2], [0, 1], []])
    assert.isUndefined(fold([70000, 70000], [4, 100, 65535]))
  })
})

describe("the lowering", () => {
  it("gives each store a kernel of its own, which takes only what it loads", () => {
    const { groups } = lowered("cpu", kernel([4], [[4], [4]], x, K.load(1, [K.axis(0)])))
    assert.deepStrictEqual(
      groups[0]?.actions.map((a) => a.inputs),
      [[0], [1]],
    )
  })

  it("cuts a kernel of too many inputs into kernels of at most seven", () => {
    const loads = Array.from({ length: 20 }, (_, i) => K.load(i, [K.axis(0)]))
    const sum = loads.reduce<K.Value>((a, b) => K.add(a, b), K.constant(0))
    const { groups } = lowered(
      "webgpu",
      kernel(
        [4],
        loads.map(() => [4]),
        sum,
      ),
    )
    const counts = groups[0]?.actions.map((a) => a.inputs.length) ?? []
    assert.isTrue(counts.length > 1 && counts.every((n) => n <= 7), `${counts}`)
    assert.strictEqual(
      lowered(
        "webasm",
        kernel(
          [4],
          loads.map(() => [4]),
          sum,
        ),
      ).groups[0]?.actions.length,
      1,
    )
  })

  it("lets many threads take part in a long reduction with few results, by shape alone", () => {
    const sum = kernel([], [[4_000_000]], K.sum([{ axis: 64, extent: 4_000_000 }], K.load(0, [K.axis(64)])))
    const spaces = lowered("webgpu", sum).groups[0]?.actions.map((a) => (a._tag === "Kernel" ? a.kernel.space : []))
    assert.deepStrictEqual(spaces, [[2000, 45], [2000], [45], []])
    assert.strictEqual(lowered("webasm", sum).groups[0]?.actions.length, 1)
  })

  it("makes what is element-wise one-dimensional", () => {
    const at = K.point([2, 3, 4])
    const { groups } = lowered("webgpu", kernel([2, 3, 4], [[2, 3, 4]], K.abs(K.load(0, at))))
    const [action] = groups[0]?.actions ?? []
    assert.deepStrictEqual(action?._tag === "Kernel" ? action.kernel.space : [], [24])
  })

  it("prints every form of contraction in every mode", () => {
    const form = {
      n: 2,
      c: 4,
      h: 6,
      w: 6,
      o: 4,
      oh: 6,
      ow: 6,
      kernel: [3, 3],
      stride: [1, 1],
      padding: [1, 1],
    } as const
    const texts: Array<Printed | Refusal> = []
    for (const mode of modes) {
      for (const pass of ["forward", "inputGradient", "weightGradient"] as const) {
        const conv: Contraction.Contraction = {
          _tag: "Contraction",
          name: pass,
          bias: false,
          form: { _tag: "Conv2d", pass, ...form, dilation: [1, 1], groups: 2 },
        }
        for (const { actions } of lowered(mode, conv).groups) {
          for (const a of actions) {
            if (a._tag === "Kernel") texts.push(print(a.kernel, dialectOf(mode)))
          }
        }
      }
    }
    assert.isAbove(texts.length, 17)
    for (const text of texts) assert.notProperty(text, "_tag")
  })
})
