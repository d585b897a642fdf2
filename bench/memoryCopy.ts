/** What memory gives: `memory.copy` of WebAssembly, on as many threads as the device has. */
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads"
import { copyBytes, encode, func } from "../src/gpu/wasm/Assembler.ts"

interface Started {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly part: number
  readonly parts: number
}

const page = 65536

/** the bytes of one array, in pages, for an array of so many elements */
const pagesOf = (elements: number): number => Math.ceil((elements * 4) / page)

export interface MemoryCopy {
  /** copies an array of the size so many times, and gives the milliseconds */
  readonly run: (times: number) => Promise<number>
  /** whether what was copied is not what it was copied from */
  readonly wrong: () => Promise<boolean>
  readonly stop: () => Promise<void>
}

export const startMemoryCopy = async (elements: number, parts: number): Promise<MemoryCopy> => {
  const pages = pagesOf(elements)
  const memory = new WebAssembly.Memory({ initial: 2 * pages, maximum: 2 * pages, shared: true })
  const copy = func("copy", { to: "i32", from: "i32", bytes: "i32" }, "void", ({ to, from, bytes }) => [
    copyBytes(to, from, bytes),
  ])
  const bytes = encode({ memory: { minimum: 1, maximum: 65536, shared: true, address: "i32" }, exports: [copy] })
  const module = await WebAssembly.compile(bytes)
  const floats = new Float32Array(memory.buffer)
  for (let i = 0; i < elements; i++) floats[i] = i % 1000
  const workers = Array.from(
    { length: parts },
    (_, part) =>
      new Worker(new URL(import.meta.url), { workerData: { module, memory, part, parts } satisfies Started }),
  )
  const answer = (w: Worker) => new Promise<number>((resolve) => w.once("message", resolve))
  await Promise.all(workers.map(answer))
  return {
    // the longest of the threads: they start at the same time, and a message takes a hundredth of a copy
    run: async (times) => {
      const start = performance.now()
      const answers = workers.map(answer)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      for (const w of workers) w.postMessage(times)
      await Promise.all(answers)
      return performance.now() - start
    },
    wrong: async () => {
      const offset = (pages * page) / 4
      return Array.from({ length: 16 }, () => Math.floor(Math.random() * elements)).some(
        (i) => floats[offset + i] !== i % 1000,
      )
    },
    stop: async () => {
      await Promise.all(workers.map((w) => w.terminate()))
    },
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  // only `startMemoryCopy` starts this file as a worker
  const { module, memory, part, parts } = workerData as Started
  const { copy } = new WebAssembly.Instance(module, { env: { memory } }).exports
  const half = memory.buffer.byteLength / 2
  const from = Math.floor((half / 64 / parts) * part) * 64
  const to = part === parts - 1 ? half : Math.floor((half / 64 / parts) * (part + 1)) * 64
  port.on("message", (times: number) => {
    for (let i = 0; i < times; i++) if (typeof copy === "function") copy(half + from, from, to - from)
    port.postMessage(0)
  })
  port.postMessage(0)
}
