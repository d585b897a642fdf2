import type { Contraction } from "../Contraction.ts"
import { encode, supportsRelaxed } from "./Assembler.ts"
import { contractionFunctions, planContraction } from "./contraction.ts"

export interface Kernels {
  /** panels of 16 columns, for `planContraction` */
  readonly wide: boolean
  /** whether the kernels use relaxed SIMD's fused multiplication and addition, for `contractionFunctions` */
  readonly relaxed: boolean
}

const [m, n, k] = [48, 64, 256]
const trial: Contraction = {
  _tag: "Contraction",
  name: "trial",
  form: {
    _tag: "MatMul",
    batch: 1,
    m,
    n,
    k,
    transposeA: false,
    transposeB: false,
    batchedA: false,
    batchedB: false,
  },
  bias: false,
}

/**
 * Which contraction kernels suit this engine, in a few milliseconds: the wide ones are taken if they agree with the narrow
 * ones and are faster, which they are where the engine fuses vectors and are not where they spill.
 *
 * Call it in the thread that runs the kernels or in one of the same engine.
 */
export const selectKernels = (): Kernels => {
  const relaxed = supportsRelaxed()
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 })
  const bytes = encode({
    memory: { minimum: 8, maximum: 8, shared: false, address: "i32" },
    exports: contractionFunctions({ wide: true, relaxed }),
  })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  const floats = new Float32Array(memory.buffer)
  const inputs = [0, 4 * m * k]
  const output = 4 * (m * k + k * n)
  const tables = output + 4 * m * n
  // any numbers of both signs, of about the same size
  for (let i = 0; i < output / 4; i++) floats[i] = ((i * 7919) % 1009) / 504 - 1

  const prepared = [true, false].map((wide) => {
    const plan = planContraction(trial, { wide, threads: 1 })
    const workspace = Math.ceil((tables + plan.tables.byteLength) / 128) * 128
    const run = (): void => {
      for (const { fn, args } of plan.phases({ inputs, output, tables, workspace }).flat()) {
        const f = exports[fn]
        if (typeof f === "function") f(...args, 0, 1)
      }
    }
    const load = () => new Int32Array(memory.buffer).set(plan.tables, tables / 4)
    return { run, load }
  })
  const results = prepared.map(({ run, load }) => {
    load()
    run()
    return floats.slice(output / 4, output / 4 + m * n)
  })
  const [wide, narrow] = results as [Float32Array, Float32Array]
  const agree = wide.every((x, i) => Math.abs(x - (narrow[i] ?? Number.NaN)) < 1e-3)

  // the best of several alternating runs: the first ones still run unoptimised code
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const end = performance.now() + 20
  do {
    prepared.forEach(({ run, load }, i) => {
      load()
      const start = performance.now()
      run()
      best[i] = Math.min(best[i] ?? 0, performance.now() - start)
    })
  } while (performance.now() < end)
  return { relaxed, wide: agree && (best[0] ?? 0) < 0.9 * (best[1] ?? 0) }
}
