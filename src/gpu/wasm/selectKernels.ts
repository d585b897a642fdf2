import type { Contraction } from "../Contraction.ts"
import { encode, supportsRelaxed } from "./Assembler.ts"
import { contractionFunctions, planContraction } from "./contraction.ts"

export interface Kernels {
  /** panels of 16 columns, for `planContraction` */
  readonly wide: boolean
  /** whether the kernels use relaxed SIMD's fused multiplication and addition, for `contractionFunctions` */
  readonly relaxed: boolean
  /** these kernels, for a memory as it was asked for */
  readonly module: WebAssembly.Module
}

/** the contraction kernels as a module, for a memory that is shared or not */
const compiled = (options: { readonly wide: boolean; readonly relaxed: boolean }, shared: boolean) => {
  const memory = { minimum: 1, shared, address: "i32" } as const
  const exports = contractionFunctions(options)
  return new WebAssembly.Module(encode({ memory: shared ? { ...memory, maximum: 65536 } : memory, exports }))
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

/** rounds without a gain after which the fastest code is taken to run: more than unoptimised code gets through in vain */
const patience = 30
/** milliseconds after which it is decided anyway */
const longest = 20

/**
 * Which contraction kernels suit this engine, in a few milliseconds: the wide ones are taken if they agree with the narrow
 * ones and are faster, which they are where the engine fuses vectors and are not where they spill. Without `auto`, the narrow ones.
 *
 * Call it in the thread that runs the kernels or in one of the same engine.
 */
export const selectKernels = ({ auto, shared }: { readonly auto: boolean; readonly shared: boolean }): Kernels => {
  const relaxed = supportsRelaxed()
  const module = compiled({ wide: auto, relaxed }, shared)
  if (auto && suitsWide(module, shared)) return { wide: true, relaxed, module }
  return { wide: false, relaxed, module: auto ? compiled({ wide: false, relaxed }, shared) : module }
}

const suitsWide = (module: WebAssembly.Module, shared: boolean): boolean => {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 8, shared })
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
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

  if (!agree) return false

  // the best of several alternating runs: the first ones still run unoptimised code
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const end = performance.now() + longest
  for (let idle = 0; idle < patience && performance.now() < end; idle++)
    prepared.forEach(({ run, load }, i) => {
      load()
      const start = performance.now()
      run()
      const time = performance.now() - start
      if (time < 0.95 * (best[i] ?? 0)) idle = 0
      best[i] = Math.min(best[i] ?? 0, time)
    })
  return (best[0] ?? 0) < 0.9 * (best[1] ?? 0)
}
