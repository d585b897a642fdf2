/** What the operators of kernels mean in float64, the numbers they are tried on, and contractions of every form. */
import { assert } from "@effect/vitest"
import type * as Contraction from "../../../src/gpu/Contraction.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import { erf } from "../../../src/gpu/reference/erf.ts"

export const close = (actual: number, expected: number, relative: number, absolute: number, what: string) => {
  if (Number.isNaN(expected)) return assert.isTrue(Number.isNaN(actual), `${what}: ${actual} is not NaN`)
  if (!Number.isFinite(expected)) return assert.strictEqual(actual, expected, what)
  const error = Math.abs(actual - expected)
  assert.isTrue(error <= absolute + relative * Math.abs(expected), `${what}: ${actual} is not ${expected}`)
}

export const f = Math.fround
export const numbers = Float32Array.from([
  0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  0.001,
  -0.001,
  1e-6,
  0.29,
  0.31,
  0.49,
  0.51,
  1.7,
  -2.3,
  4.9,
  7,
  -7.5,
  12,
  20,
  -20,
  60,
  -60,
  85,
  120,
  -120,
  1e5,
  -1e5,
  1e20,
  -1e20,
  Infinity,
  -Infinity,
  NaN,
])

export const unary: Record<K.UnaryOp, readonly [(v: number) => number, relative: number, absolute: number]> = {
  neg: [(v) => -v, 0, 0],
  abs: [Math.abs, 0, 0],
  exp: [(v) => f(Math.exp(v)), 4e-5, 1e-37],
  log: [Math.log, 2e-6, 2e-6],
  sqrt: [Math.sqrt, 1e-6, 0],
  tanh: [Math.tanh, 2e-6, 1e-7],
  erf: [erf, 2e-6, 1e-7],
  floor: [Math.floor, 0, 0],
}

export const pow = (a: number, b: number) =>
  a === 1 || b === 0 ? 1 : a === -1 && !Number.isFinite(b) && b === b ? 1 : a ** b
export const binary: Record<K.BinaryOp, readonly [(a: number, b: number) => number, relative: number]> = {
  add: [(a, b) => f(a + b), 1e-6],
  sub: [(a, b) => f(a - b), 1e-6],
  mul: [(a, b) => f(a * b), 1e-6],
  div: [(a, b) => f(a / b), 1e-6],
  min: [Math.min, 0],
  max: [Math.max, 0],
  pow: [(a, b) => f(pow(a, b)), 2e-4],
}

export const unaryOf: Record<K.UnaryOp, typeof K.neg> = {
  neg: K.neg,
  abs: K.abs,
  exp: K.exp,
  log: K.log,
  sqrt: K.sqrt,
  tanh: K.tanh,
  erf: K.erf,
  floor: K.floor,
}
export const binaryOf: Record<K.BinaryOp, typeof K.add> = {
  add: K.add,
  sub: K.sub,
  mul: K.mul,
  div: K.div,
  min: K.min,
  max: K.max,
  pow: K.pow,
}

export const compare: Record<K.Comparison, (a: number, b: number) => boolean> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
}

/** below this numbers may be flushed to zero, above it they may overflow to either side */
export const normal = (v: number) => v === 0 || !Number.isFinite(v) || (Math.abs(v) > 1.2e-38 && Math.abs(v) < 3e38)

export const noise = (n: number, seed = 1): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin((i + 1) * 12.9898 * seed) * 1.5))

/** counts, from now on, the buffers made on any device of Dawn's */
export const countGpuBuffers = async (mode: string): Promise<() => number> => {
  if (mode !== "webgpu") return () => 0
  const name: string = "webgpu"
  const { globals } = (await import(name)) as {
    globals: { GPUDevice: { prototype: { createBuffer: (this: object, d: object) => object } } }
  }
  const { prototype } = globals.GPUDevice
  const { createBuffer } = prototype
  let count = 0
  prototype.createBuffer = function (descriptor) {
    count++
    return createBuffer.call(this, descriptor)
  }
  return () => {
    prototype.createBuffer = createBuffer
    return count
  }
}

export const contractions: ReadonlyArray<Contraction.Contraction> = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      [false, true].map((batchedB): Contraction.Contraction => ({
        _tag: "Contraction",
        name: `matmul ${transposeA} ${transposeB} ${batchedB}`,
        form: { _tag: "MatMul", batch: 2, m: 5, n: 7, k: 11, transposeA, transposeB, batchedA: true, batchedB },
        bias: transposeA,
      })),
    ),
  ),
  ...(["forward", "inputGradient", "weightGradient"] as const).flatMap((pass) =>
    [1, 2].flatMap((groups) =>
      [1, 2].map((step): Contraction.Contraction => ({
        _tag: "Contraction",
        name: `conv2d ${pass} groups ${groups} stride and dilation ${step}`,
        form: {
          _tag: "Conv2d",
          pass,
          n: 3,
          c: 4,
          h: 9,
          w: 8,
          o: 6,
          oh: Math.floor((9 + 2 * step - step * 2 - 1) / step) + 1,
          ow: Math.floor((8 + 2 * step - step * 1 - 1) / step) + 1,
          kernel: [3, 2],
          stride: [step, step],
          padding: [step, step],
          dilation: [step, step],
          groups,
        },
        bias: pass === "forward",
      })),
    ),
  ),
]
