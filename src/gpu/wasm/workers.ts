/** Workers over one memory, and what is said to them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DeviceError } from "../Device.ts"
import { control as words, leastSpin } from "./control.ts"
import { type Failure, finished, makeHost, mayBlock, type Wait } from "./host.ts"
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
  | { readonly type: "failure" }

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
  /**
   * Runs a schedule on all; gives the first failure of a step. Where this thread may block and is to join, it takes the
   * place of one of the workers.
   */
  readonly run: (id: number, join?: boolean) => Effect.Effect<Failure | undefined, string>
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

/** in TypeScript's library from ES2024 on, and not in every browser */
interface WaitAsync {
  (words: Int32Array, index: number, value: number): { readonly value: string | Promise<string> }
}
const waitAsync = (): WaitAsync | undefined => {
  const found: unknown = Reflect.get(Atomics, "waitAsync")
  return typeof found === "function" ? (...given) => Reflect.apply(found, Atomics, given) : undefined
}

const isFailure = (x: unknown): x is Failure => typeof x === "object" && x !== null && "step" in x && "message" in x

/** for how many milliseconds threads spin at a barrier: hardly, where they take each other's processor */
const barrierSpin = (parts: number): number => (parts > processors() ? leastSpin : 0.05)

/** Starts workers that end with the scope. Without shared memory there is one, with a memory of its own. */
export const startWorkers = (
  device: string,
  wanted: {
    readonly threads: number
    readonly shared: boolean
    /** `false`: every run is a message to the workers, as where the engine has no `Atomics.waitAsync` */
    readonly park?: boolean
  },
): Effect.Effect<Workers, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const common = wanted.shared ? sharedMemory() : undefined
    const parts = common === undefined ? 1 : wanted.threads
    const maximum = common?.maximum ?? 65536
    const control = common === undefined ? undefined : new SharedArrayBuffer(4 * words.words(parts))
    const flags = control === undefined ? undefined : new Int32Array(control)
    const later = wanted.park === false ? undefined : waitAsync()
    const parked = flags === undefined || later === undefined ? undefined : { flags, later }
    const host =
      common !== undefined && parked !== undefined && mayBlock()
        ? makeHost(common.memory, parked.flags, parts, barrierSpin(parts))
        : undefined

    let broken: string | undefined
    let requests = 0
    let runs = 0
    const waiting = new Map<number, (reply: Reply | string) => void>()
    const fail = (reason: string) => {
      if (broken !== undefined) return
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
          fail("the scope of the device has closed")
          for (const t of all) t.end()
        }),
    )
    const hold = (on: boolean) => {
      for (const t of threads) t.hold(on)
    }

    const wake = (part: number) => {
      if (parked === undefined) return
      Atomics.add(parked.flags, words.worker(part), 1)
      Atomics.notify(parked.flags, words.worker(part))
    }
    const post = (message: (part: number) => { readonly type: string }) => {
      // a parked worker goes back to its messages when it is told that there are more than it has seen
      if (parked !== undefined) Atomics.add(parked.flags, words.posted, 1)
      threads.forEach((t, i) => {
        t.post(message(i))
        wake(i)
      })
    }

    /**
     * Something that ends with an answer or with the workers, while the process stays alive; `begin` gives what is to be
     * done with replies.
     */
    const awaiting = <A>(
      begin: (request: number, finish: (outcome: Effect.Effect<A, string>) => void) => (reply: Reply | string) => void,
    ): Effect.Effect<A, string> =>
      Effect.callback((resume) => {
        if (broken !== undefined) return resume(Effect.fail(broken))
        const request = requests++
        let over = false
        const answer = begin(request, (outcome) => {
          over = true
          waiting.delete(request)
          if (waiting.size === 0) hold(false)
          resume(outcome)
        })
        if (over) return
        waiting.set(request, answer)
        hold(true)
      })

    const ask = (message: (part: number) => Request): Effect.Effect<ReadonlyArray<unknown>, string> =>
      awaiting((request, finish) => {
        const results: Array<unknown> = []
        post((i) => ({ ...message(i), request }))
        return (reply) => {
          if (typeof reply === "string") return finish(Effect.fail(reply))
          if (reply.broken !== undefined) {
            broken = reply.broken
            return finish(Effect.fail(reply.broken))
          }
          results.push(reply.result)
          if (results.length === parts) finish(Effect.succeed(results))
        }
      })

    const start = (part: number) => ({
      type: "start" as const,
      pages: 16,
      maximum,
      part,
      parts,
      parks: parked !== undefined,
      own: words.worker(part),
      barrierSpin: barrierSpin(parts),
      ...(common === undefined ? {} : { memory: common.memory, control }),
    })
    yield* ask(start).pipe(Effect.mapError((reason) => new DeviceError({ device, action: "start", reason })))

    /** the schedules in which the first part does everything */
    const alone = new Set<number>()
    const tell = (message: Message) => {
      if (message.type === "module") host?.module(message.id, message.module)
      else if (message.type === "dropModule") host?.dropModule(message.id)
      else if (message.type === "schedule") {
        if (message.phases.every((phase) => phase.alone && !phase.barrier)) alone.add(message.id)
        host?.schedule(message.id, message.phases)
      } else if (message.type === "dropSchedule") {
        alone.delete(message.id)
        host?.dropSchedule(message.id)
      }
      if (broken === undefined) post(() => message)
    }
    const view = (address: number, length: number): Float32Array | undefined =>
      common && new Float32Array(common.memory.buffer, address, length)

    const failures = (own: Failure | undefined): Effect.Effect<Failure | undefined, string> =>
      Effect.map(
        ask(() => ({ type: "failure" })),
        (results) => own ?? results.find(isFailure),
      )
    const runParked = ({ flags, later }: NonNullable<typeof parked>, id: number, join: boolean) =>
      Effect.suspend((): Effect.Effect<Failure | undefined, string> => {
        if (broken !== undefined) return Effect.fail(broken)
        const joined = join ? host : undefined
        const to = alone.has(id) ? 1 : parts
        const from = joined === undefined ? 0 : 1
        const number = (runs = (runs + 1) & 0x7fffffff)
        Atomics.store(flags, words.failed, 0)
        Atomics.store(flags, words.done, 0)
        Atomics.store(flags, words.schedule, id)
        Atomics.store(flags, words.crew, to - from)
        for (let part = from; part < to; part++) {
          Atomics.store(flags, words.worker(part) + 1, number)
          wake(part)
        }
        const walk = joined === undefined ? finished(flags, number) : joined.walk(id, number, from < to)
        const end = (failure: Failure | undefined) =>
          Atomics.load(flags, words.failed) === 0 ? Effect.undefined : failures(failure)
        const first = walk.next()
        if (first.done === true) return end(first.value)
        return awaiting((_, finish) => {
          let over = false
          const next = (step: IteratorResult<Wait, Failure | undefined>): void => {
            if (step.done === true) return finish(end(step.value))
            const { value } = later(flags, step.value.word, step.value.value)
            const resume = () => (over ? undefined : next(walk.next()))
            if (typeof value === "string") resume()
            else value.then(resume, resume)
          }
          next(first)
          return (reply) => {
            over = true
            finish(Effect.fail(String(reply)))
          }
        })
      })

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
          ask(() => ({ type: "read", address, length })),
          ([array]) => (array instanceof Float32Array ? array : new Float32Array(0)),
        )
      },
      run: (id, join = false) => {
        if (parked !== undefined) return runParked(parked, id, join)
        return Effect.suspend(() => {
          if (flags !== undefined) Atomics.store(flags, words.failed, 0)
          return Effect.map(
            ask(() => ({ type: "run", id })),
            (results) => results.find(isFailure),
          )
        })
      },
    }
  })
