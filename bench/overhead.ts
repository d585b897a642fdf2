/**
 * What is spent outside kernels: compiling, a step with nothing to do, memory, starting, and bytes to load. All are given as
 * rates, so that higher is better here as well: times as how often a second, bytes as a share of what must be.
 */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipBytesLoaded } from "../scripts/browser.ts"
import { Device } from "../src/gpu/Device.ts"
import { parameters } from "../src/models/StateDict.ts"
import { summary } from "../src/models/summary.ts"
import type { AnyNet } from "../src/models/zoo.ts"
import * as Ops from "../src/ops/Ops.ts"
import * as Program from "../src/ops/Program.ts"
import * as State from "../src/ops/State.ts"
import * as T from "../src/ops/Tensor.ts"
import { alternate } from "./measure.ts"
import type { Bench } from "./main.ts"
import type { StepJob } from "./peers.ts"
import { type Measured, type Result, results } from "./Result.ts"
import { jobs, netOf, optimizerOf, training } from "./step.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const execute = promisify(execFile)
const suite = "overhead"

const once = (
  about: Omit<Parameters<typeof results>[0], "suite">,
  ours: Measured,
  peers: ReadonlyArray<Measured> = [],
) => results({ suite, ...about }, ours, peers)

/** compiling a whole training step, in processes of their own */
const compiling = async (bench: Bench): Promise<ReadonlyArray<Result>> => {
  const times: Array<{ readonly cold: number; readonly warm: number }> = []
  for (let i = 0; i < (bench.options.quick ? 2 : 5); i++) {
    const file = join(root, "bench/compileTime.ts")
    const { stdout } = await execute(process.execPath, [file, String(bench.options.threads), "alexnet", "16"])
    times.push(JSON.parse(stdout))
  }
  return (["cold", "warm"] as const).flatMap((which) =>
    once(
      { name: `compile alexnet training, ${which}`, shape: "batch 16", unit: "1/s" },
      { name: "ours", rates: times.map((t) => 1000 / t[which]) },
    ),
  )
}

/** a step that adds one to one number: all of it is overhead */
const stepping = async (bench: Bench): Promise<ReadonlyArray<Result>> => {
  const { value, drop } = await bench.ours.make(
    Effect.gen(function* () {
      let state = yield* State.make({ x: { shape: [1], data: Float32Array.of(0) } })
      const program = yield* Program.compile({ state, by: T.input() }, ({ state, by }) => {
        const x = Ops.add(state.x, by)
        return { state: { x }, sum: Ops.sum(x) }
      })
      let last = 0
      let taken = 0
      return {
        steps: (n: number) =>
          Effect.gen(function* () {
            for (let i = 0; i < n; i++) {
              const next = yield* program.run({ state, by: 1 })
              state = next.state
              last = next.sum
            }
            taken += n
          }),
        wrong: () => last !== taken,
      }
    }),
  )
  const contender = {
    name: "ours",
    work: 1,
    run: async (n: number) => {
      const start = performance.now()
      await bench.ours.run(value.steps(n))
      return performance.now() - start
    },
  }
  const [rates = []] = await alternate([contender], bench.effort)
  const wrong = value.wrong()
  await drop()
  return once(
    { name: "near-empty step", shape: "1 number", unit: "1/s" },
    { name: "ours", rates: wrong ? "wrong" : rates },
  )
}

/** layers whose results a training step keeps: what the others give is a view, or made in place */
const kept = /^(conv|linear|batchNorm|groupNorm|layerNorm|maxPool|avgPool|adaptive)/

/** bytes that a training step cannot do without: parameters, gradients, the optimiser's state, activations, the batch */
export const leastBytes = (net: AnyNet, job: StepJob): number => {
  const all = parameters(net)
  const count = (of: ReadonlyArray<{ readonly shape: ReadonlyArray<number> }>) =>
    of.reduce((n, { shape }) => n + shape.reduce((m, d) => m * d, 1), 0)
  const trained = count(all.filter((p) => p.requiresGrad))
  const slots = optimizerOf(job).slots.length
  const activations = summary(net)
    .rows.filter((row) => kept.test(row.kind))
    .reduce((n, { output }) => n + output.slice(1).reduce<number>((m, d) => m * Number(d), 1), 0)
  const batch = job.sample.reduce((m, d) => m * d, 1)
  return 4 * (count(all) + trained * (1 + slots) + job.batch * (activations + batch))
}

const memory = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  for (const job of jobs.filter((j) => j.training && j.model.includes(bench.options.quick ? "net" : ""))) {
    const net = netOf(job.model)
    const { value: steps, drop } = await bench.ours.make(training(net, job))
    // compiles
    await bench.ours.run(steps(1))
    const { bytes } = await bench.ours.run(Effect.flatMap(Device, (d) => d.live))
    await drop()
    const least = leastBytes(net, job)
    yield once(
      {
        name: `memory of ${job.model} training`,
        shape: `batch ${job.batch}: ${mib(bytes)} MiB, at least ${mib(least)}`,
        unit: "least/used",
      },
      { name: "ours", rates: [least / bytes] },
    )
  }
}
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

/** the time until a library is imported, from the start of the process */
const starting = async (bench: Bench): Promise<ReadonlyArray<Result>> => {
  // the library as it is installed: built, beside its packages
  const built = join(root, ".cache/bench")
  await rm(built, { recursive: true, force: true })
  await mkdir(built, { recursive: true })
  await execute(process.execPath, [join(root, "scripts/bundle.ts"), "--outdir", built])
  const measure = async (module: string, cwd: string): Promise<number> => {
    const code = `await import(${JSON.stringify(module)}); console.log(performance.now())`
    const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", code], { cwd })
    return Number(stdout.trim().split("\n").at(-1))
  }
  const own = join(built, "node/index.js")
  const libraries = [
    { name: "ours", module: own, cwd: root, here: true },
    ...[
      { name: "tfjs-wasm", module: "@tensorflow/tfjs" },
      { name: "jax-wasm", module: "@jax-js/jax" },
    ].map((l) => ({ ...l, cwd: join(root, "bench"), here: bench.peers.some((p) => p.name === l.name) })),
  ].filter((l) => l.here)
  const rates = libraries.map((): Array<number> => [])
  for (let round = -1; round < (bench.options.quick ? 3 : 9); round++)
    for (const [i, l] of libraries.entries()) {
      const ms = await measure(l.module, l.cwd)
      // the first round reads the files into the system's cache
      if (round >= 0) rates[i]?.push(1000 / ms)
    }
  await rm(built, { recursive: true, force: true })
  const [ours = { name: "ours", rates: [] }, ...peers] = libraries.map(({ name }, i) => ({
    name,
    rates: rates[i] ?? [],
  }))
  return once({ name: "start-up in Node", shape: "import", unit: "1/s" }, ours, peers)
}

/** the kilobytes of a page that trains a LeNet; gpu.js lies in a file of its own */
const bundling = async (): Promise<ReadonlyArray<Result>> => {
  const bytes = await gzipBytesLoaded(join(root, "property-tests/browser/pages/lenet.ts"), ["gpu.js"])
  return once(
    { name: "bundle that trains lenet", shape: `${(bytes / 1000).toFixed(1)} kB of gzip`, unit: "1/MB" },
    { name: "ours", rates: [1e6 / bytes] },
  )
}

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  const wanted = (name: string): boolean => name.includes(bench.options.only)
  if (wanted("compile")) yield await compiling(bench)
  if (wanted("step")) yield await stepping(bench)
  if (wanted("memory")) yield* memory(bench)
  if (wanted("start-up")) yield await starting(bench)
  if (wanted("bundle")) yield await bundling()
}
