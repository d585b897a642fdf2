/** Time and memory of LeNet's training step against the batch and the threads, and how straight their lines are. */
import * as Effect from "effect/Effect"
import { Device } from "../src/gpu/Device.ts"
import { alternate, type Contender } from "./measure.ts"
import type { Bench } from "./main.ts"
import { startOurs } from "./ours.ts"
import { median, type Result, results } from "./Result.ts"
import { jobs, netOf, training } from "./step.ts"

export const batches: ReadonlyArray<number> = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** the share of what varies in `ys` that a straight line over `xs` tells */
export const straightness = (xs: ReadonlyArray<number>, ys: ReadonlyArray<number>): number => {
  const mean = (of: ReadonlyArray<number>) => of.reduce((a, b) => a + b, 0) / of.length
  const [x0, y0] = [mean(xs), mean(ys)]
  const product = (a: ReadonlyArray<number>, a0: number, b: ReadonlyArray<number>, b0: number) =>
    a.reduce((sum, v, i) => sum + (v - a0) * ((b[i] ?? b0) - b0), 0)
  return product(xs, x0, ys, y0) ** 2 / (product(xs, x0, xs, x0) * product(ys, y0, ys, y0))
}

const suite = "scale"

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  const job = jobs.find((j) => j.training && j.model === "lenet")
  if (job === undefined || !"lenet training".includes(bench.options.only)) return
  for (let threads = 1; threads <= bench.options.threads; threads++) {
    const said = threads === 1 ? "1 thread" : `${threads} threads`
    const ours = threads === bench.options.threads ? bench.ours : await startOurs({ ...bench.options, threads })
    const [drops, used]: [Array<() => Promise<void>>, Array<number>] = [[], []]
    const contenders: Array<Contender> = []
    for (const batch of batches) {
      const before = await ours.run(Effect.flatMap(Device, (d) => d.live))
      const { value: steps, drop } = await ours.make(training(netOf(job.model), { ...job, batch }))
      await ours.run(steps(1))
      const after = await ours.run(Effect.flatMap(Device, (d) => d.live))
      drops.push(drop)
      used.push(after.bytes - before.bytes)
      const run = async (n: number): Promise<number> => {
        const start = performance.now()
        await ours.run(steps(n))
        return performance.now() - start
      }
      contenders.push({ name: `${batch}`, work: batch, run })
    }
    const rates = await alternate(contenders, bench.effort)
    for (const drop of drops) await drop()
    if (ours !== bench.ours) await ours.stop()
    for (const [i, batch] of batches.entries()) {
      const about = { suite, name: `lenet training, ${said}`, shape: `batch ${batch}`, unit: "images/s" }
      yield results(about, { name: "ours", rates: rates[i] ?? [] }, [])
    }
    for (const [i, batch] of batches.entries()) {
      const about = { suite, name: `memory of lenet training, ${said}`, shape: `batch ${batch}`, unit: "images/MB" }
      yield results(about, { name: "ours", rates: [(batch * 1e6) / (used[i] ?? Number.NaN)] }, [])
    }
    const times = batches.map((batch, i) => batch / median(rates[i] ?? []))
    for (const [what, ys] of [
      ["time", times],
      ["memory", used],
    ] as const) {
      const about = { suite, name: `${what} is linear in the batch, ${said}`, shape: "batch 1…256", unit: "R²" }
      yield results(about, { name: "ours", rates: [straightness(batches, ys)] }, [])
    }
  }
}
