/** `node compileTime.ts THREADS MODEL BATCH`: how long a training step takes to compile, the first time and again. */
import * as Effect from "effect/Effect"
import { Device } from "../src/gpu/Device.ts"
import { layer } from "../src/gpu/wasm/Wasm.ts"
import { jobs, netOf, trainingProgram } from "./step.ts"

const [threads, model = "", batch] = process.argv.slice(2)
const job = jobs.find((j) => j.training && j.model === model && j.batch === Number(batch))
if (job === undefined) throw new Error(`there is no training of ${model} in batches of ${batch}`)

const compiled = Effect.gen(function* () {
  const net = netOf(job.model)
  const device = yield* Device
  const { program } = yield* trainingProgram(net, job)
  const start = performance.now()
  const plan = yield* (yield* program).plan()
  yield* device.compile(plan)
  return performance.now() - start
}).pipe(Effect.scoped)

const times = await Effect.runPromise(
  Effect.gen(function* () {
    const cold = yield* compiled
    return { cold, warm: yield* compiled }
  }).pipe(Effect.provide(layer({ threads: Number(threads) }))),
)
console.log(JSON.stringify(times))
