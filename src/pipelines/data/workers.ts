import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type { Shape } from "../../shapes/Shape.ts"
import { DataError } from "../DataError.ts"
import type { Dataset, EpochKey, Samples } from "./Dataset.ts"
import { joined } from "./joined.ts"
import type { Answer, Recipe, Wanted } from "./recipe.ts"

/** What a worker runs, as text, so that no bundler has to know of it: the recipe's module brings the library along. */
const source = `
"use strict"
const { parentPort, workerData: { url, name, given } } = require("node:worker_threads")
import(url)
  .then((exports) => {
    if (typeof exports[name] !== "function") throw new Error("it exports no " + name)
    exports[name](...given).serve(parentPort)
  })
  .catch((error) => parentPort.postMessage({ broken: url + " cannot be used: " + ((error && error.message) || error) }))
`

/** slices of a batch for each worker: small enough that none waits long for the slowest */
const slicesEach = 4

/** a worker, and who waits for its answer: it has one thing to do at a time */
interface Member {
  readonly post: (wanted: Wanted) => void
  task: Deferred.Deferred<Answer, string>
}

const start = Effect.fnUntraced(function* <S extends Shape>(recipe: Recipe<S>, set: Dataset<S>, count: number) {
  const fail = (detail: string) => new DataError({ source: set.name, reason: { _tag: "WorkerFailed", detail } })
  const idle = yield* Queue.unbounded<Member, string>()
  const members: Array<Member> = []
  let broken: string | undefined
  const end = (detail: string): void => {
    if (broken !== undefined) return
    broken = detail
    for (const member of members) Deferred.doneUnsafe(member.task, Effect.fail(detail))
    Queue.failCauseUnsafe(idle, Cause.fail(detail))
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => end("the scope of the workers has closed")))

  const startOne = Effect.gen(function* () {
    const thread = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          // not an import: a bundler for browsers has nothing to resolve
          const { Worker } = process.getBuiltinModule("node:worker_threads")
          const { url, name, given } = recipe
          return new Worker(source, {
            eval: true,
            execArgv: [],
            name: "effect-nn data",
            workerData: { url, name, given },
          })
        },
        catch: (cause) => `it cannot be started with what ${recipe.name} was given: ${String(cause)}`,
      }),
      (worker) => Effect.ignore(Effect.promise(() => worker.terminate())),
    )
    const member: Member = {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      post: (wanted) => thread.postMessage(wanted),
      task: Deferred.makeUnsafe(),
    }
    members.push(member)
    thread.on("message", (answer: Answer) => {
      Deferred.doneUnsafe(member.task, Effect.succeed(answer))
      Queue.offerUnsafe(idle, member)
    })
    thread.on("error", (error) => end(error instanceof Error ? error.message : String(error)))
    thread.on("exit", (code) => end(`it ended with code ${code}`))
    return yield* Deferred.await(member.task)
  })
  const given = (answer: Answer, at: string): Effect.Effect<Answer, DataError> => {
    if ("error" in answer) return Effect.fail(new DataError(answer.error))
    return "broken" in answer ? Effect.fail(fail(at + answer.broken)) : Effect.succeed(answer)
  }
  yield* Effect.forEach(
    Array.from({ length: count }),
    () =>
      startOne.pipe(
        Effect.mapError(fail),
        Effect.flatMap((answer) => given(answer, "")),
        Effect.flatMap((answer) =>
          "opened" in answer && answer.opened !== set.length
            ? Effect.fail(fail(`it found ${answer.opened} samples instead of ${set.length}`))
            : Effect.void,
        ),
      ),
    { concurrency: count, discard: true },
  )

  /** an interrupted reader leaves its worker at work: the answer, which nobody awaits, makes that one idle again */
  const ask = (samples: Uint32Array, key: EpochKey): Effect.Effect<Samples, DataError> => {
    const at = `at sample ${samples.join(", ")}: `
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(Queue.take(idle)), (member) => {
        // a worker may have ended since this one became idle, and then nobody tells the new task
        if (broken !== undefined) return Effect.fail(broken)
        member.task = Deferred.makeUnsafe()
        member.post({ samples, key })
        return restore(Deferred.await(member.task))
      }),
    ).pipe(
      Effect.mapError((detail) => fail(at + detail)),
      Effect.flatMap((answer) => given(answer, at)),
      Effect.flatMap((answer) =>
        "read" in answer ? Effect.succeed(answer.read) : Effect.die(new Error("a worker gave no samples")),
      ),
    )
  }

  return {
    ...set,
    read: (samples: Uint32Array, { seed, epoch }: EpochKey) => {
      const size = Math.max(1, Math.ceil(samples.length / (slicesEach * count)))
      const slices = Array.from({ length: Math.ceil(samples.length / size) }, (_, i) =>
        samples.slice(i * size, (i + 1) * size),
      )
      return Effect.map(
        Effect.forEach(slices, (slice) => ask(slice, { seed, epoch }), { concurrency: count }),
        (parts): Samples => {
          const shapes = parts.flatMap((part) => part.shapes ?? [])
          return {
            images: joined(parts.map((part) => part.images)),
            labels: joined(parts.map((part) => part.labels)),
            ...(shapes.length > 0 ? { shapes } : {}),
          }
        },
      )
    },
  } satisfies Dataset<S>
})

/**
 * The data set of a recipe, read by `count` worker threads, which end with the scope; with 0 by this thread. The same
 * bits in the same order: PyTorch's `num_workers`, with workers that persist.
 *
 * A read (of a batch, say) is shared out among the workers, of which each reads a few samples at a time, so that no more
 * are under way; `prefetch` lets them work while a step is taken. Their arrays are handed over, not copied: a source made
 * with `Data.make` has to give arrays that it does not keep. What is done to the set afterwards happens in this thread; a
 * `cache` in the recipe is one for each worker.
 *
 * Node only. Fails with `DataError`: `BadOption`, what opening the set fails with, `WorkerFailed` where a worker cannot
 * use the recipe; reading fails with what reading the set fails with, and with `WorkerFailed` where a worker ends, or
 * what it runs throws.
 *
 * @example
 * const photos = yield* Data.workers(recipe("photos/train"), 4)
 * photos.pipe(Data.shuffle, Data.batch(32), Data.prefetch(2))
 */
export const workers: {
  (count: number): <S extends Shape>(self: Recipe<S>) => Effect.Effect<Dataset<S>, DataError, Scope.Scope>
  <S extends Shape>(self: Recipe<S>, count: number): Effect.Effect<Dataset<S>, DataError, Scope.Scope>
} = dual(
  2,
  Effect.fnUntraced(function* <S extends Shape>(self: Recipe<S>, count: number) {
    const refused = (expected: string) =>
      new DataError({ source: self.name, reason: { _tag: "BadOption", option: "workers", found: count, expected } })
    if (!Number.isInteger(count) || count < 0) return yield* refused("a whole number of at least 0")
    const inNode = typeof process !== "undefined" && typeof process.getBuiltinModule === "function"
    if (count > 0 && !inNode) return yield* refused("0: only Node has these worker threads")
    const set = yield* self.open
    // one that was refused says so when it is read
    if (count === 0 || set.refusal !== undefined) return set
    // a start that fails leaves no worker, though the scope goes on
    const scope = yield* Scope.fork(yield* Effect.scope)
    return yield* start(self, set, count).pipe(
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void)),
    )
  }),
)
