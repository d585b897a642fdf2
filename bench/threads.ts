/** Contractions on worker threads over one shared memory: the least that a measurement needs. */
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads"
import { encode } from "../src/gpu/wasm/Assembler.ts"
import { contractionFunctions } from "../src/gpu/wasm/contraction.ts"
import type { Phase } from "../src/gpu/wasm/contraction.ts"

/** words of the control block at the start of the memory */
const [generation, arrived, job] = [0, 32, 64]
export const controlBytes = 1024

interface Started {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly part: number
  readonly parts: number
}
type Message = { readonly _tag: "Job"; readonly phases: ReadonlyArray<Phase> }

const worker = ({ module, memory, part, parts }: Started) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const control = new Int32Array(memory.buffer)
  /** all threads have come here */
  const barrier = (): void => {
    const now = Atomics.load(control, generation)
    if (Atomics.add(control, arrived, 1) === parts - 1) {
      Atomics.store(control, arrived, 0)
      Atomics.add(control, generation, 1)
      Atomics.notify(control, generation)
      return
    }
    for (let spin = 0; spin < 4000; spin++) if (Atomics.load(control, generation) !== now) return
    Atomics.wait(control, generation, now)
  }
  const run = (phases: ReadonlyArray<Phase>): void => {
    for (const phase of phases) {
      for (const { fn, args } of phase) {
        const f = exports[fn]
        if (typeof f === "function") f(...args, part, parts)
      }
      barrier()
    }
  }
  return { barrier, run, control }
}

export interface Threads {
  readonly memory: WebAssembly.Memory
  /** makes a job known to all threads; it is run with `run` */
  readonly add: (phases: ReadonlyArray<Phase>) => Promise<number>
  readonly run: (job: number) => void
  readonly stop: () => Promise<void>
}

export const startThreads = async (
  parts: number,
  pages: number,
  kernels: { readonly wide: boolean; readonly relaxed: boolean },
): Promise<Threads> => {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const exports = contractionFunctions(kernels)
  const module = await WebAssembly.compile(
    encode({ memory: { minimum: 1, maximum: 65536, shared: true, address: "i32" }, exports }),
  )
  const others = Array.from({ length: parts - 1 }, (_, i) => {
    const started: Started = { module, memory, part: i + 1, parts }
    return new Worker(new URL(import.meta.url), { workerData: started })
  })
  const own = worker({ module, memory, part: 0, parts })
  const jobs: Array<ReadonlyArray<Phase>> = []
  const acknowledged = (w: Worker) => new Promise<void>((resolve) => w.once("message", () => resolve()))
  await Promise.all(others.map(acknowledged))
  return {
    memory,
    add: async (phases) => {
      jobs.push(phases)
      const done = Promise.all(others.map(acknowledged))
      const message: Message = { _tag: "Job", phases }
      // leave the wait for the next job, so that messages are read
      own.control[job] = -1
      own.barrier()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      others.forEach((w) => w.postMessage(message))
      await done
      return jobs.length - 1
    },
    run: (index) => {
      own.control[job] = index
      own.barrier()
      own.run(jobs[index] ?? [])
    },
    stop: async () => {
      await Promise.all(others.map((w) => w.terminate()))
    },
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  // only `startThreads` starts this file as a worker
  const own = worker(workerData as Started)
  const jobs: Array<ReadonlyArray<Phase>> = []
  const serve = (): void => {
    for (;;) {
      own.barrier()
      const index = own.control[job] ?? -1
      if (index < 0) return
      own.run(jobs[index] ?? [])
    }
  }
  port.on("message", ({ phases }: Message) => {
    jobs.push(phases)
    port.postMessage("known")
    serve()
  })
  port.postMessage("started")
  serve()
}
