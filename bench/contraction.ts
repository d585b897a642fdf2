/** GFLOP/s of the WebAssembly device's contractions; every timed result is checked in float64 at random positions. */
import type { Contraction, Conv2d, MatMul } from "../src/gpu/Contraction.ts"
import { flops, inputShapes, outputShape } from "../src/gpu/Contraction.ts"
import { planContraction } from "../src/gpu/wasm/contraction.ts"
import { enableRevectorization } from "../src/gpu/wasm/revectorize.ts"
import { selectKernels } from "../src/gpu/wasm/selectKernels.ts"
import { median } from "./Result.ts"
import type { Result } from "./Result.ts"
import { controlBytes, startThreads } from "./threads.ts"

const matMul = (name: string, m: number, n: number, k: number, more: Partial<MatMul> = {}): Contraction => ({
  _tag: "Contraction",
  name,
  bias: false,
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
    ...more,
  },
})

/** `[out, in]` weights as linear layers have them: forward, input gradient, weight gradient */
const linear = (name: string, batch: number, from: number, to: number): ReadonlyArray<Contraction> => [
  matMul(`${name} forward`, batch, to, from, { transposeB: true }),
  matMul(`${name} inputGradient`, batch, from, to),
  matMul(`${name} weightGradient`, to, from, batch, { transposeA: true }),
]

const square = (x: number): readonly [number, number] => [x, x]

const conv = (
  name: string,
  n: number,
  c: number,
  size: number,
  o: number,
  k: number,
  { padding = 0, stride = 1, groups = 1 } = {},
): ReadonlyArray<Contraction> => {
  const out = Math.floor((size + 2 * padding - k) / stride) + 1
  const form = (pass: Conv2d["pass"]): Conv2d => ({
    _tag: "Conv2d",
    pass,
    n,
    c,
    h: size,
    w: size,
    o,
    oh: out,
    ow: out,
    groups,
    kernel: square(k),
    stride: square(stride),
    padding: square(padding),
    dilation: square(1),
  })
  return (["forward", "inputGradient", "weightGradient"] as const).map((pass) => ({
    _tag: "Contraction",
    name: `${name} ${pass}`,
    form: form(pass),
    bias: false,
  }))
}

export const contractions: ReadonlyArray<Contraction> = [
  matMul("matmul", 1024, 1024, 1024),
  matMul("matmul in cache", 96, 64, 400),
  ...conv("conv2d", 8, 64, 27, 192, 5, { padding: 2 }),
  ...conv("lenet conv1", 64, 1, 28, 6, 3, { padding: 1 }),
  ...conv("lenet conv2", 64, 6, 14, 16, 5),
  ...[linear("lenet fc1", 64, 400, 120), linear("lenet fc2", 64, 120, 84), linear("lenet fc3", 64, 84, 10)].flat(),
  ...conv("tinyvgg conv1", 32, 3, 28, 10, 3, { padding: 1 }),
  ...conv("tinyvgg conv2", 32, 10, 28, 10, 3, { padding: 1 }),
  ...conv("tinyvgg conv3", 32, 10, 14, 10, 3, { padding: 1 }),
  ...linear("tinyvgg fc", 32, 490, 10),
  ...conv("strided", 8, 64, 28, 128, 3, { padding: 1, stride: 2 }),
  ...conv("depthwise", 8, 64, 28, 64, 3, { padding: 1, groups: 64 }),
]

const shapeOf = (c: Contraction): string => {
  const f = c.form
  if (f._tag === "MatMul") return `${f.m}×${f.k} · ${f.k}×${f.n}`
  const extra = [
    `k${f.kernel[0]}`,
    `p${f.padding[0]}`,
    f.stride[0] > 1 ? `s${f.stride[0]}` : "",
    f.groups > 1 ? `g${f.groups}` : "",
  ]
  return `${f.n}×${f.c}×${f.h}×${f.w} → ${f.o}×${f.oh}×${f.ow} ${extra.filter((s) => s !== "").join(" ")}`
}

// ---------- one element of the result, by the definition

const element = (
  c: Contraction,
  at: number,
  a: Float32Array,
  b: Float32Array,
): readonly [sum: number, size: number] => {
  let [sum, size] = [0, 0]
  const add = (x: number, y: number): void => {
    const product = (a[x] ?? Number.NaN) * (b[y] ?? Number.NaN)
    sum += product
    size += Math.abs(product)
  }
  const f = c.form
  if (f._tag === "MatMul") {
    const [i, j] = [Math.floor(at / f.n), at % f.n]
    for (let k = 0; k < f.k; k++)
      add(f.transposeA ? k * f.m + i : i * f.k + k, f.transposeB ? j * f.k + k : k * f.n + j)
    return [sum, size]
  }
  const [cg, og] = [f.c / f.groups, f.o / f.groups]
  const [kh, kw] = f.kernel
  /** the product of output `o`, channel `c` and so on, where it is of the sum */
  const visit = (n: number, o: number, oy: number, ox: number, c: number, v: number, u: number): void => {
    const [y, x] = [oy * f.stride[0] + v - f.padding[0], ox * f.stride[1] + u - f.padding[1]]
    if (y < 0 || y >= f.h || x < 0 || x >= f.w || oy < 0 || oy >= f.oh || ox < 0 || ox >= f.ow) return
    const image = ((n * f.c + Math.floor(o / og) * cg + c) * f.h + y) * f.w + x
    const weight = ((o * cg + c) * kh + v) * kw + u
    const output = ((n * f.o + o) * f.oh + oy) * f.ow + ox
    if (f.pass === "forward") add(image, weight)
    else if (f.pass === "inputGradient") add(output, weight)
    else add(image, output)
  }
  const digits = (n: number, ...extents: ReadonlyArray<number>): Array<number> => {
    const reversed: Array<number> = []
    let rest = n
    for (const e of extents.toReversed()) {
      reversed.push(rest % e)
      rest = Math.floor(rest / e)
    }
    return reversed.toReversed()
  }
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0] = digits(at, ...outputShape(c))
  if (f.pass === "weightGradient") {
    for (let n = 0; n < f.n; n++)
      for (let oy = 0; oy < f.oh; oy++) for (let ox = 0; ox < f.ow; ox++) visit(n, d0, oy, ox, d1, d2, d3)
    return [sum, size]
  }
  for (let v = 0; v < kh; v++)
    for (let u = 0; u < kw; u++) {
      if (f.pass === "forward") for (let ch = 0; ch < cg; ch++) visit(d0, d1, d2, d3, ch, v, u)
      else {
        const [ty, tx] = [d2 + f.padding[0] - v, d3 + f.padding[1] - u]
        if (ty % f.stride[0] !== 0 || tx % f.stride[1] !== 0) continue
        const group = Math.floor(d1 / cg)
        for (let o = 0; o < og; o++) visit(d0, group * og + o, ty / f.stride[0], tx / f.stride[1], d1 % cg, v, u)
      }
    }
  return [sum, size]
}

// ---------- measuring

const option = (name: string): string | undefined =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3)
const [rounds, leastMs, threads] = [7, 15, Number(option("threads") ?? 2)]

export const run = async (): Promise<ReadonlyArray<Result>> => {
  if (!process.argv.includes("--narrow")) enableRevectorization()
  const kernels = selectKernels()
  const pool = await startThreads(threads, 4096, kernels)
  console.error(`${threads} threads, ${kernels.wide ? "wide" : "narrow"}${kernels.relaxed ? ", fused" : ""}`)
  const floats = new Float32Array(pool.memory.buffer)
  let next = controlBytes
  const place = (bytes: number): number => {
    const at = next
    next = Math.ceil((next + bytes) / 128) * 128
    if (next > pool.memory.buffer.byteLength) throw new Error(`the benchmark's memory is too small: ${next} bytes`)
    return at
  }
  const count = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)
  const only = option("only") ?? ""
  const chosen = contractions.filter((c) => c.name.includes(only))

  const jobs: Array<{
    readonly c: Contraction
    readonly job: number
    readonly repeat: number
    readonly wrong: () => boolean
  }> = []
  const reset = next
  for (const c of chosen) {
    next = Math.max(next, reset)
    const plan = planContraction(c, { threads, wide: kernels.wide })
    const inputs = inputShapes(c).map((shape) => place(4 * count(shape)))
    const outputs = count(outputShape(c))
    const output = place(4 * outputs)
    const tables = place(plan.tables.byteLength)
    const workspace = place(plan.workspaceBytes)
    const views = inputShapes(c).map((shape, i) =>
      floats.subarray((inputs[i] ?? 0) / 4, (inputs[i] ?? 0) / 4 + count(shape)),
    )
    for (const view of views) for (let i = 0; i < view.length; i++) view[i] = Math.random() * 2 - 1
    new Int32Array(pool.memory.buffer).set(plan.tables, tables / 4)
    const job = await pool.add(plan.phases({ inputs, output, tables, workspace }))
    /** whether the result of the last run is wrong */
    const wrong = (): boolean =>
      Array.from({ length: 16 }, () => Math.floor(Math.random() * outputs)).some((at) => {
        const [sum, size] = element(c, at, ...(views as [Float32Array, Float32Array]))
        return !(Math.abs((floats[output / 4 + at] ?? Number.NaN) - sum) <= 1e-5 * size)
      })
    const start = performance.now()
    let repeat = 0
    while (performance.now() - start < leastMs * 4) {
      pool.run(job)
      repeat++
    }
    jobs.push({ c, job, repeat: Math.max(1, Math.round(repeat / 4)), wrong })
  }

  const rates = jobs.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    jobs.forEach(({ c, job, repeat }, i) => {
      const start = performance.now()
      for (let r = 0; r < repeat; r++) pool.run(job)
      rates[i]?.push((flops(c) * repeat) / (performance.now() - start) / 1e6)
    })
  }
  const checked = jobs.map(({ c, wrong }, i) => ({
    suite: "contraction",
    name: c.name,
    shape: shapeOf(c),
    unit: "GFLOP/s",
    ours: wrong() ? ("wrong" as const) : median(rates[i] ?? []),
    peer: null,
    theirs: null,
    ratio: null,
    spread: [Math.min(...(rates[i] ?? [])), Math.max(...(rates[i] ?? []))] as const,
  }))
  await pool.stop()
  return checked
}
