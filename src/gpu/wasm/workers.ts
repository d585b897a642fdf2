/** Workers over one memory, and what is said to them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DeviceError } from "../Device.ts"
import { workerSource } from "./workerSource.ts"

/** one call of an exported function; with `units`, they are shared out among the workers */
export interface WorkerCall {
  readonly module: number
  readonly fn: string
  readonly args: ReadonlyArray<number>
  readonly units?: number
}

/**
 * Calls that no barrier separates. Those of a phase that is `alone` are made by the first worker, unshared; before one
 * with a `barrier` all wait until everything earlier is done.
 */
export interface WorkerPhase {
  readonly step: number
  readonly alone: boolean
  readonly barrier: boolean
  readonly calls: ReadonlyArray<WorkerCall>
}

type Message =
  | { readonly type: "grow"; readonly pages: number }
  | { readonly type: "module"; readonly id: number; readonly module: WebAssembly.Module }
  | { readonly type: "schedule"; readonly id: number; readonly phases: ReadonlyArray<WorkerPhase> }
  | { readonly type: "dropModule" | "dropSchedule"; readonly id: number }
  | { readonly type: "write"; readonly address: number; readonly data: Float32Array }
  | { readonly type: "zero"; readonly address: number; readonly bytes: number }

type Request =
  | { readonly type: "start"; readonly pages: number; readonly maximum: number }
  | { readonly type: "read"; readonly address: number; readonly length: number }
  | { readonly type: "run"; readonly id: number }

interface Reply {
  readonly request: number
  readonly result: unknown
  readonly broken: string | undefined
}

/** what Node's workers and a browser's have in common */
interface Thread {
  readonly post: (message: unknown) => void
  readonly end: () => void
  /** in Node, whether the process waits for it */
  readonly hold: (on: boolean) => void
}

export interface Workers {
  readonly threads: number
  /** whether the host sees the workers' memory */
  readonly shared: boolean
  readonly maximumPages: number
  readonly grow: (pages: number) => boolean
  /** tells every worker, in order with everything else told; fails silently: the next request says so */
  readonly tell: (message: Message) => void
  readonly write: (address: number, data: Float32Array) => void
  readonly zero: (address: number, bytes: number) => void
  readonly read: (address: number, length: number) => Effect.Effect<Float32Array, string>
  /** runs a schedule on all; gives the first failure of a step */
  readonly run: (id: number) => Effect.Effect<{ readonly step: number; readonly message: string } | undefined, string>
}

const inNode = (): boolean => typeof process !== "undefined" && typeof process.getBuiltinModule === "function"

/** whether this place lets workers share memory */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer !== "undefined" && (inNode() || globalThis.crossOriginIsolated === true)

/** the processors there are, at least one */
export const processors = (): number => {
  if (inNode()) return process.getBuiltinModule("node:os").availableParallelism()
  return globalThis.navigator?.hardwareConcurrency ?? 1
}

const startThread = (receive: (reply: Reply) => void, fail: (reason: string) => void): Thread => {
  if (inNode()) {
    // not an import: a bundler for browsers has nothing to resolve
    const { Worker } = process.getBuiltinModule("node:worker_threads")
    const worker = new Worker(workerSource, { eval: true, execArgv: [], name: "effect-nn" })
    worker.on("message", receive)
    worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)))
    worker.on("exit", (code) => fail(`a worker ended with code ${code}`))
    worker.unref()
    return {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      post: (message) => worker.postMessage(message),
      end: () => void worker.terminate(),
      hold: (on) => (on ? worker.ref() : worker.unref()),
    }
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }))
  const worker = new Worker(url, { name: "effect-nn" })
  worker.addEventListener("message", (event) => receive(event.data))
  worker.addEventListener("error", (event) => fail(event.message || "the page's policy forbids workers from blobs"))
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    post: (message) => worker.postMessage(message),
    end: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
    hold: () => {},
  }
}

const sharedMemory = (): { readonly memory: WebAssembly.Memory; readonly maximum: number } | undefined => {
  // an engine may refuse to set aside as many addresses as there are
  for (const maximum of [65536, 32768, 16384, 4096]) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 16, maximum, shared: true }), maximum }
    } catch {
      continue
    }
  }
  return undefined
}

const isFailure = (x: unknown): x is { readonly step: number; readonly message: string } =>
  typeof x === "object" && x !== null && "step" in x && "message" in x

/** Starts workers that end with the scope. Without shared memory there is one, with a memory of its own. */
export const startWorkers = (
  device: string,
  wanted: { readonly threads: number; readonly shared: boolean },
): Effect.Effect<Workers, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const common = wanted.shared ? sharedMemory() : undefined
    const parts = common === undefined ? 1 : wanted.threads
    const maximum = common?.maximum ?? 65536
    const control = common === undefined ? undefined : new SharedArrayBuffer(64)
    const flags = control === undefined ? undefined : new Int32Array(control)

    let broken: string | undefined
    let requests = 0
    let ended = false
    const waiting = new Map<number, (reply: Reply | string) => void>()
    const fail = (reason: string) => {
      if (ended || broken !== undefined) return
      broken = reason
      // an answer takes itself out of the map, which its iterator allows
      for (const answer of waiting.values()) answer(reason)
    }
    const receive = (reply: Reply) => waiting.get(reply.request)?.(reply)

    const threads = yield* Effect.acquireRelease(
      Effect.try({
        try: () => Array.from({ length: parts }, () => startThread(receive, fail)),
        catch: (cause) =>
          new DeviceError({ device, action: "start", reason: "workers could not be started here", cause }),
      }),
      (all) =>
        Effect.sync(() => {
          ended = true
          for (const t of all) t.end()
        }),
    )

    const ask = (
      to: ReadonlyArray<Thread>,
      message: (i: number) => Request,
    ): Effect.Effect<ReadonlyArray<unknown>, string> =>
      Effect.callback((resume) => {
        if (broken !== undefined) return resume(Effect.fail(broken))
        const request = requests++
        const results: Array<unknown> = []
        const finish = (outcome: Effect.Effect<ReadonlyArray<unknown>, string>) => {
          waiting.delete(request)
          if (waiting.size === 0) for (const t of threads) t.hold(false)
          resume(outcome)
        }
        waiting.set(request, (reply) => {
          if (typeof reply === "string") return finish(Effect.fail(reply))
          if (reply.broken !== undefined) {
            broken = reply.broken
            return finish(Effect.fail(reply.broken))
          }
          results.push(reply.result)
          if (results.length === to.length) finish(Effect.succeed(results))
        })
        for (const t of threads) t.hold(true)
        to.forEach((t, i) => t.post({ ...message(i), request }))
      })

    const start = (part: number) => ({
      type: "start" as const,
      pages: 16,
      maximum,
      part,
      parts,
      ...(common === undefined ? {} : { memory: common.memory, control }),
    })
    yield* ask(threads, start).pipe(Effect.mapError((reason) => new DeviceError({ device, action: "start", reason })))

    const tell = (message: Message) => {
      if (broken === undefined) for (const t of threads) t.post(message)
    }
    const view = (address: number, length: number): Float32Array | undefined =>
      common && new Float32Array(common.memory.buffer, address, length)

    return {
      threads: parts,
      shared: common !== undefined,
      maximumPages: maximum,
      grow: (pages) => {
        if (common === undefined) {
          tell({ type: "grow", pages })
          return true
        }
        const now = common.memory.buffer.byteLength / 65536
        try {
          if (now < pages) common.memory.grow(pages - now)
          return true
        } catch {
          return false
        }
      },
      tell,
      write: (address, data) => {
        const here = view(address, data.length)
        // a view is sent with all that lies behind it, so it is cut out first
        const whole = data.byteLength === data.buffer.byteLength
        if (here === undefined) tell({ type: "write", address, data: whole ? data : data.slice() })
        else here.set(data)
      },
      zero: (address, bytes) => {
        if (common === undefined) tell({ type: "zero", address, bytes })
        else new Uint8Array(common.memory.buffer, address, bytes).fill(0)
      },
      read: (address, length) => {
        const here = view(address, length)
        // a copy in memory of its own: what is shared cannot be given to everything that takes arrays
        if (here !== undefined) return Effect.sync(() => new Float32Array(here))
        return Effect.map(
          ask(threads, () => ({ type: "read", address, length })),
          ([array]) => (array instanceof Float32Array ? array : new Float32Array(0)),
        )
      },
      run: (id) =>
        Effect.suspend(() => {
          if (flags !== undefined) Atomics.store(flags, 2, 0)
          return Effect.map(
            ask(threads, () => ({ type: "run", id })),
            (results) => results.find(isFailure),
          )
        }),
    }
  })
