import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as W from "../../../src/gpu/wasm/Assembler.ts"

const { f32, f32x4, f64, i32, i32x4, i64, v128 } = W

const load = (exports: ReadonlyArray<W.Func>, imports: WebAssembly.ModuleImports = {}) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const bytes = W.encode({ memory: { minimum: 1, maximum: 1, shared: true, address: "i32" }, exports })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, ...imports } })
  const call = (name: string, ...values: ReadonlyArray<number>): number => {
    const f = instance.exports[name]
    if (typeof f !== "function") throw new Error(`no function ${name}`)
    return Number(f(...values))
  }
  return { call, floats: new Float32Array(memory.buffer), ints: new Int32Array(memory.buffer) }
}
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const float = fc.float({ noNaN: true })
const fixed = { seed: 1 }

describe("scalars", () => {
  type Row = readonly [
    name: string,
    of: (a: W.Expr<"i32">, b: W.Expr<"i32">) => W.Expr<"i32">,
    js: (a: number, b: number) => number,
  ]
  const rows: ReadonlyArray<Row> = [
    ["add", i32.add, (a, b) => (a + b) | 0],
    ["sub", i32.sub, (a, b) => (a - b) | 0],
    ["mul", i32.mul, Math.imul],
    ["and", i32.and, (a, b) => a & b],
    ["or", i32.or, (a, b) => a | b],
    ["xor", i32.xor, (a, b) => a ^ b],
    ["shl", i32.shl, (a, b) => a << b],
    ["shrS", i32.shrS, (a, b) => a >> b],
    ["shrU", i32.shrU, (a, b) => (a >>> b) | 0],
    ["ltS", i32.ltS, (a, b) => Number(a < b)],
    ["ltU", i32.ltU, (a, b) => Number(a >>> 0 < b >>> 0)],
    ["leS", i32.leS, (a, b) => Number(a <= b)],
    ["gtS", i32.gtS, (a, b) => Number(a > b)],
    ["geU", i32.geU, (a, b) => Number(a >>> 0 >= b >>> 0)],
    ["eq", i32.eq, (a, b) => Number(a === b)],
    ["select", (a, b) => W.select(i32.ltS(a, b), a, b), Math.min],
    ["choose", (a, b) => W.choose(i32.gtS(a, b), a, b), Math.max],
    [
      "i64",
      (a, b) => i32.wrapI64(i64.shrU(i64.mul(i64.extendI32U(a), i64.extendI32U(b)), i64.const(32n))),
      (a, b) => Number(BigInt.asIntN(32, (BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n)),
    ],
  ]
  const module = load(rows.map(([name, of]) => W.func(name, { a: "i32", b: "i32" }, "i32", ({ a, b }) => [of(a, b)])))
  it.each(rows)("i32 %s", (name, _, js) => {
    fc.assert(
      fc.property(int, int, (a, b) => {
        expect(module.call(name, a, b)).toBe(js(a, b))
      }),
      fixed,
    )
  })

  it("constants of every size, as operands", () => {
    fc.assert(
      fc.property(int, float, (n, x) => {
        const { call } = load([
          W.func("n", {}, "i32", () => [i32.add(0, n)]),
          W.func("x", {}, "f32", () => [f32.mul(1, x)]),
        ])
        expect(call("n")).toBe(n)
        expect(call("x")).toBe(x)
      }),
      { ...fixed, numRuns: 50 },
    )
  })

  it("floats", () => {
    const { call } = load([
      W.func("hypotenuse", { a: "f32", b: "f32" }, "f32", ({ a, b }) => [
        f32.sqrt(f32.add(f32.mul(a, a), f32.mul(b, b))),
      ]),
      W.func("exact", { a: "f32", b: "f32" }, "f32", ({ a, b }) => [
        f32.demoteF64(f64.add(f64.promoteF32(a), f64.promoteF32(b))),
      ]),
      W.func("whole", { a: "f32" }, "i32", ({ a }) => [i32.truncSatF32S(a)]),
    ])
    expect(call("hypotenuse", 3, 4)).toBe(5)
    expect(call("exact", 0.5, 0.25)).toBe(0.75)
    expect(call("whole", -3.7)).toBe(-3)
    expect(call("whole", Number.NaN)).toBe(0)
  })
})

describe("vectors", () => {
  const lanes = fc.tuple(float, float, float, float)
  type Row = readonly [
    name: string,
    of: (a: W.Expr<"v128">, b: W.Expr<"v128">) => W.Expr<"v128">,
    js: (a: number, b: number, lane: number) => number,
  ]
  const rows: ReadonlyArray<Row> = [
    ["add", f32x4.add, (a, b) => Math.fround(a + b)],
    ["sub", f32x4.sub, (a, b) => Math.fround(a - b)],
    ["mul", f32x4.mul, (a, b) => Math.fround(a * b)],
    ["div", f32x4.div, (a, b) => Math.fround(a / b)],
    ["min", f32x4.min, (a, b) => Math.min(a, b)],
    ["max", f32x4.max, (a, b) => Math.max(a, b)],
    ["pmin", f32x4.pmin, (a, b) => (b < a ? b : a)],
    ["pmax", f32x4.pmax, (a, b) => (a < b ? b : a)],
    ["bitselect of lt", (a, b) => v128.bitselect(a, b, f32x4.lt(a, b)), (a, b) => (a < b ? a : b)],
    ["floor", (a) => f32x4.floor(a), (a) => Math.floor(a)],
    ["lane 2 replaced", (a) => f32x4.replaceLane(2, a, 7), (a, _, lane) => (lane === 2 ? 7 : a)],
    ["const", (a) => f32x4.add(v128.xor(a, a), f32x4.const(1, 2, 3, 4)), (_, __, lane) => lane + 1],
    [
      "convert",
      (a) => v128.or(v128.andnot(a, a), f32x4.convertI32x4S(i32x4.shl(i32x4.const(1, 2, 3, 4), 3))),
      (_, __, lane) => 8 * (lane + 1),
    ],
  ]
  const module = load(
    rows.map(([name, of]) =>
      W.func(name, { a: "i32", b: "i32", to: "i32" }, "void", ({ a, b, to }) => [
        v128.store(to, of(v128.load(a), v128.load(b))),
      ]),
    ),
  )
  it.each(rows)("f32x4 %s", (name, _, js) => {
    fc.assert(
      fc.property(lanes, lanes, (a, b) => {
        module.floats.set(a, 0)
        module.floats.set(b, 4)
        module.call(name, 0, 16, 32)
        a.forEach((x, lane) => expect(module.floats[8 + lane]).toBe(js(x, b[lane] ?? 0, lane)))
      }),
      fixed,
    )
  })

  it.skipIf(!W.supportsRelaxed())(
    "relaxedMadd, where the engine has it, is the sum of a product, rounded once or twice",
    () => {
      const { call } = load([
        W.func("f", { a: "f32", b: "f32", c: "f32" }, "f32", ({ a, b, c }) => [
          f32x4.extractLane(0, f32x4.relaxedMadd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c))),
        ]),
      ])
      expect(call("f", 3, 4, 5)).toBe(17)
    },
  )

  it("shuffles and single lanes", () => {
    const { call, floats } = load([
      W.func("f", {}, "void", () => [
        v128.store(32, v128.shuffle32(v128.load(0), v128.load(16), [0, 4, 3, 7])),
        v128.store(48, v128.load32Splat(4)),
        v128.store32Lane(1, 64, v128.load(0)),
        v128.store(80, v128.load32Lane(3, 0, v128.load64Zero(16))),
        v128.store64(96, v128.load(8)),
      ]),
    ])
    floats.set([1, 2, 3, 4, 5, 6, 7, 8])
    call("f")
    expect(Array.from(floats.slice(8, 17))).toEqual([1, 5, 4, 8, 2, 2, 2, 2, 2])
    expect(Array.from(floats.slice(20, 26))).toEqual([5, 6, 0, 1, 3, 4])
  })
})

describe("control", () => {
  it("loops, nested branches and locals: primes counted two ways", () => {
    const primes = W.func("primes", { n: "i32" }, "i32", ({ n }, local) => {
      const [i, d, count] = [local("i32"), local("i32"), local("i32")]
      return [
        W.forRange(i, 2, n, 1, () => [
          W.block((composite) => [
            W.forRange(d, 2, i, 1, () => [W.when(i32.eqz(i32.remU(i, d)), [W.br(composite)])]),
            W.increase(count, 1),
          ]),
        ]),
        count,
      ]
    })
    const collatz = W.func("collatz", { n: "i32" }, "i32", ({ n }, local) => {
      const steps = local("i32")
      return [
        W.whileLoop(i32.ne(n, 1), () => [
          W.when(i32.and(n, 1), [W.set(n, i32.add(i32.mul(n, 3), 1))], [W.set(n, i32.shrU(n, 1))]),
          W.increase(steps, 1),
        ]),
        steps,
      ]
    })
    const { call } = load([primes, collatz])
    expect(call("primes", 100)).toBe(25)
    expect(call("primes", 2)).toBe(0)
    expect(call("collatz", 27)).toBe(111)
  })

  it("calls bring what they call, imported or not", () => {
    const twice = W.func("twice", { x: "f32" }, "f32", ({ x }) => [f32.mul(x, 2)])
    const host = W.importFunc("env", "host", ["f32"], "f32")
    const f = W.func("f", { x: "f32" }, "f32", ({ x }) => [W.callFor("f32", twice, W.callFor("f32", host, x))])
    expect(load([f], { host: (x: number) => x + 1 }).call("f", 4)).toBe(10)
  })

  it("an early return, and a value dropped", () => {
    const f = W.func("f", { x: "i32" }, "i32", ({ x }) => [
      W.drop(i32.add(x, 1)),
      W.when(i32.ltS(x, 0), [W.ret(i32.const(-1))]),
      W.within([W.set(x, 5)], x),
    ])
    expect(load([f]).call("f", -3)).toBe(-1)
    expect(load([f]).call("f", 3)).toBe(5)
  })
})

describe("memory and threads", () => {
  it("copies, fills, atomics", () => {
    const { call, ints } = load([
      W.func("f", {}, "void", () => [W.fillBytes(0, 1, 8), W.copyBytes(16, 0, 8), i32.store(32, 40, 4)]),
      W.func("add", {}, "i32", () => [i32.atomicAdd(0, 2)]),
      W.func("exchange", {}, "i32", () => [i32.atomicCompareExchange(0, 0x01010103, 9)]),
      W.func("load", {}, "i32", () => [i32.atomicLoad(0)]),
      W.func("notify", {}, "i32", () => [W.notify(0, 1)]),
      W.func("wait", {}, "i32", () => [W.wait32(0, 8, i64.const(-1n))]),
    ])
    call("f")
    expect(ints[5]).toBe(0x01010101)
    expect(ints[9]).toBe(40)
    expect(call("add")).toBe(0x01010101)
    expect(call("exchange")).toBe(0x01010103)
    expect(call("load")).toBe(9)
    expect(call("notify")).toBe(0)
    expect(call("wait")).toBe(1)
  })

  it.skipIf(Number(process.versions.node.split(".")[0]) < 24)(
    "a memory of 64-bit addresses is declared and addressed",
    () => {
      const f = W.func("f", { at: "i64" }, "f32", ({ at }) => [f32.load(i64.add(at, i64.const(8n)))])
      const bytes = W.encode({ memory: { minimum: 1, maximum: 1, shared: false, address: "i64" }, exports: [f] })
      expect(WebAssembly.validate(bytes)).toBe(true)
    },
  )
})
