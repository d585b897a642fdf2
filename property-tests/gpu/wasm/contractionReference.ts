/** Contractions by their definition in float64, the code that is compared with it, and generators of shapes. */
import * as fc from "fast-check"
import { expect } from "vitest"
import type { Contraction, Conv2d, MatMul } from "../../../src/gpu/Contraction.ts"
import { inputShapes, outputShape } from "../../../src/gpu/Contraction.ts"
import { encode, supportsRelaxed } from "../../../src/gpu/wasm/Assembler.ts"
import { contractionFunctions, planContraction } from "../../../src/gpu/wasm/contraction.ts"

// ---------- the definition, in float64; `size` sums the magnitudes, which bound the rounding

interface Expected {
  readonly value: Float64Array
  readonly size: Float64Array
}

export const matMul = (f: MatMul, a: Float32Array, c: Float32Array, bias: Float32Array | undefined): Expected => {
  const [value, size] = [new Float64Array(f.batch * f.m * f.n), new Float64Array(f.batch * f.m * f.n)]
  for (let b = 0; b < f.batch; b++)
    for (let i = 0; i < f.m; i++)
      for (let j = 0; j < f.n; j++) {
        let [sum, all] = [bias?.[j] ?? 0, Math.abs(bias?.[j] ?? 0)]
        for (let k = 0; k < f.k; k++) {
          const left = a[(f.batchedA ? b * f.m * f.k : 0) + (f.transposeA ? k * f.m + i : i * f.k + k)] ?? NaN
          const right = c[(f.batchedB ? b * f.k * f.n : 0) + (f.transposeB ? j * f.k + k : k * f.n + j)] ?? NaN
          sum += left * right
          all += Math.abs(left * right)
        }
        value[(b * f.m + i) * f.n + j] = sum
        size[(b * f.m + i) * f.n + j] = all
      }
  return { value, size }
}

/** every product of the convolution once: `visit(x, weight, y)` with the three flat positions */
const eachProduct = (f: Conv2d, visit: (x: number, weight: number, y: number) => void): void => {
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  for (let n = 0; n < f.n; n++)
    for (let o = 0; o < f.o; o++)
      for (let oy = 0; oy < f.oh; oy++)
        for (let ox = 0; ox < f.ow; ox++)
          for (let c = 0; c < cg; c++)
            for (let v = 0; v < kh; v++)
              for (let u = 0; u < kw; u++) {
                const y = oy * f.stride[0] + v * f.dilation[0] - f.padding[0]
                const x = ox * f.stride[1] + u * f.dilation[1] - f.padding[1]
                if (y < 0 || y >= f.h || x < 0 || x >= f.w) continue
                const channel = Math.floor(o / og) * cg + c
                visit(
                  ((n * f.c + channel) * f.h + y) * f.w + x,
                  ((o * cg + c) * kh + v) * kw + u,
                  ((n * f.o + o) * f.oh + oy) * f.ow + ox,
                )
              }
}

export const conv2d = (f: Conv2d, a: Float32Array, b: Float32Array, bias: Float32Array | undefined): Expected => {
  const count = outputShape({ _tag: "Contraction", name: "", form: f, bias: false }).reduce((n, d) => n * d, 1)
  const [value, size] = [new Float64Array(count), new Float64Array(count)]
  const add = (at: number, product: number) => {
    value[at] = (value[at] ?? 0) + product
    size[at] = (size[at] ?? 0) + Math.abs(product)
  }
  eachProduct(f, (x, weight, y) => {
    if (f.pass === "forward") add(y, (a[x] ?? NaN) * (b[weight] ?? NaN))
    if (f.pass === "inputGradient") add(x, (a[y] ?? NaN) * (b[weight] ?? NaN))
    if (f.pass === "weightGradient") add(weight, (a[x] ?? NaN) * (b[y] ?? NaN))
  })
  if (bias !== undefined) value.forEach((_, i) => add(i, bias[Math.floor(i / (f.oh * f.ow)) % f.o] ?? NaN))
  return { value, size }
}

// ---------- running: the parts of a phase one after the other, which a barrier between phases allows

const memory = new WebAssembly.Memory({ initial: 320, maximum: 320, shared: true })
const instances = new Map<string, WebAssembly.Exports>()
const exportsOf = (relaxed: boolean): WebAssembly.Exports => {
  const key = `${relaxed}`
  const known = instances.get(key)
  if (known !== undefined) return known
  const bytes = encode({
    memory: { minimum: 1, maximum: 65536, shared: true, address: "i32" },
    exports: contractionFunctions({ wide: true, relaxed }),
  })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  instances.set(key, exports)
  return exports
}

interface Variant {
  readonly wide: boolean
  readonly relaxed: boolean
  readonly threads: number
}

export const run = (
  c: Contraction,
  inputs: ReadonlyArray<Float32Array | undefined>,
  { wide, relaxed, threads }: Variant,
): Float32Array => {
  const plan = planContraction(c, { wide, threads })
  const floats = new Float32Array(memory.buffer)
  let next = 1024
  const place = (bytes: number): number => {
    const at = next
    next = Math.ceil((next + bytes) / 128) * 128 + 128
    if (next > memory.buffer.byteLength) throw new Error("the test's memory is too small")
    return at
  }
  const at = {
    inputs: inputs.map((x) => place(x?.byteLength ?? 0)),
    tables: place(plan.tables.byteLength),
    workspace: place(plan.workspaceBytes),
  }
  const count = outputShape(c).reduce((n, d) => n * d, 1)
  const output = place(4 * count)
  // what is not written must show
  floats.fill(NaN, 0, next / 4)
  inputs.forEach((x, i) => floats.set(x ?? [], (at.inputs[i] ?? 0) / 4))
  new Int32Array(memory.buffer).set(plan.tables, at.tables / 4)
  const exports = exportsOf(relaxed)
  for (const phase of plan.phases({ ...at, output }))
    for (let part = threads - 1; part >= 0; part--)
      for (const { fn, args } of phase) {
        const f = exports[fn]
        if (typeof f !== "function") throw new Error(`no function ${fn}`)
        f(...args, part, threads)
      }
  // nothing is written behind an array or the workspace
  for (const end of [output + 4 * count, at.workspace + plan.workspaceBytes]) expect(floats[end / 4]).toBe(NaN)
  return floats.slice(output / 4, output / 4 + count)
}

export const random = (seed: number) => {
  let state = seed >>> 0 || 1
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state >>> 8) / 2 ** 24) * 2 - 1
  }
}

export const inputsOf = (c: Contraction, next: () => number): [Float32Array, Float32Array, Float32Array?] =>
  // two or three, as `inputShapes` says
  inputShapes(c).map((shape) => Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, next)) as [
    Float32Array,
    Float32Array,
    Float32Array?,
  ]

const variants: ReadonlyArray<Variant> = [true, false].flatMap((wide) =>
  (supportsRelaxed() ? [true, false] : [false]).flatMap((relaxed) =>
    [1, 2, 5].map((threads) => ({ wide, relaxed, threads })),
  ),
)

/** what of the results is not as defined, or not the same bits on every kernel and number of threads */
export const faults = (c: Contraction, seed: number): ReadonlyArray<string> => {
  const inputs = inputsOf(c, random(seed))
  const [a, b, bias] = inputs
  const { value, size } = c.form._tag === "MatMul" ? matMul(c.form, a, b, bias) : conv2d(c.form, a, b, bias)
  const results = variants.map((variant) => ({ variant, got: run(c, inputs, variant) }))
  return results.flatMap(({ variant, got }) => {
    const name = JSON.stringify(variant)
    const wrong = value.findIndex((v, i) => !(Math.abs((got[i] ?? NaN) - v) <= 1e-5 * (size[i] ?? 0)))
    const one = results.find((r) => r.variant.relaxed === variant.relaxed)?.got ?? got
    const differs = got.findIndex((x, i) => !Object.is(x, one[i]))
    return [
      ...(wrong < 0 ? [] : [`${name}: element ${wrong} is ${got[wrong]}, not ${value[wrong]}`]),
      ...(differs < 0 ? [] : [`${name}: element ${differs} is ${got[differs]}, elsewhere ${one[differs]}`]),
    ]
  })
}

// ---------- shapes

export const contraction = (form: MatMul | Conv2d, bias = false): Contraction => ({
  _tag: "Contraction",
  name: "test",
  form,
  bias,
})
const size = (max: number) => fc.integer({ min: 1, max })

export const matMuls = fc
  .record({
    batch: size(4),
    m: size(40),
    n: size(40),
    k: fc.oneof(size(40), fc.constant(900)),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    batchedA: fc.boolean(),
    batchedB: fc.boolean(),
  })
  .map((f): MatMul => ({ _tag: "MatMul", ...f }))

const pair = (arbitrary: fc.Arbitrary<number>) => fc.tuple(arbitrary, arbitrary)

export const convolutions = (pass: Conv2d["pass"]) =>
  fc
    .record({
      n: size(4),
      groups: size(3),
      perGroupIn: size(5),
      perGroupOut: size(9),
      out: pair(size(9)),
      kernel: pair(size(4)),
      stride: fc.oneof(fc.constant<[number, number]>([1, 1]), pair(size(3))),
      dilation: pair(size(2)),
      padding: pair(fc.nat(4)),
      rest: pair(fc.nat(2)),
    })
    .map(({ perGroupIn, perGroupOut, out, rest, ...f }): Conv2d => {
      // the image that gives this output, if the window leaves `rest` of it over
      const extent = (d: 0 | 1) =>
        Math.max(
          1,
          (out[d] - 1) * f.stride[d] +
            (f.kernel[d] - 1) * f.dilation[d] +
            1 -
            2 * f.padding[d] +
            Math.min(rest[d], f.stride[d] - 1),
        )
      return {
        _tag: "Conv2d",
        pass,
        ...f,
        c: f.groups * perGroupIn,
        o: f.groups * perGroupOut,
        h: extent(0),
        w: extent(1),
        oh: out[0],
        ow: out[1],
      }
    })

export const square = (x: number): readonly [number, number] => [x, x]

export const conv = (pass: Conv2d["pass"], of: Partial<Conv2d>): Conv2d => ({
  _tag: "Conv2d",
  pass,
  n: 1,
  c: 1,
  h: 1,
  w: 1,
  o: 1,
  oh: 1,
  ow: 1,
  groups: 1,
  kernel: square(1),
  stride: square(1),
  padding: square(0),
  dilation: square(1),
  ...of,
})

export const square2 = <const K extends string>(a: K, b: K, x: number) => ({ [a]: x, [b]: x })
