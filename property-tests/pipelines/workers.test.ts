/** Data read by worker threads: the same bits in the same order, few under way, and nothing left of the workers. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import type { Worker } from "node:worker_threads"
import * as Data from "../../src/pipelines/Data.ts"
import { misnamed, odd, photos, unequal, unsized } from "./workersRecipes.ts"

const live = { now: 0, started: 0 }
const count = (worker: Worker) => {
  live.now++
  live.started++
  worker.once("exit", () => live.now--)
}
beforeAll(() => void process.on("worker", count))
afterAll(() => void process.off("worker", count))

const { pictures }: { readonly pictures: ReadonlyArray<{ readonly file: string; readonly extension: string }> } =
  JSON.parse(readFileSync(new URL("torchvision.json", import.meta.url), "utf8"))
/** 30 PNG and JPEG files of three classes */
const folder = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = yield* fs.makeTempDirectoryScoped()
  for (const name of ["a", "b", "c"]) yield* fs.makeDirectory(`${root}/${name}`)
  for (let i = 0; i < 30; i++) {
    const { file, extension } = pictures[i % pictures.length]!
    yield* fs.writeFile(`${root}/${"abc"[i % 3]}/${i}.${extension}`, Buffer.from(file, "base64"))
  }
  return root
})
const words = () => new Int32Array(new SharedArrayBuffer(12))
const key = { seed: 3, epoch: 2 }

describe("Data.workers", () => {
  it.live("the same batches as without workers, bit for bit, and the workers end with the scope", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const read = (workers: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const before = live.started
            const set = yield* Data.workers(photos(root), workers)
            const raw = yield* unsized(root).pipe(Data.workers(workers))
            assert.strictEqual(live.started - before, 2 * workers)
            assert.strictEqual(live.now, 2 * workers)
            const batches = set.pipe(Data.shuffle, Data.batch(8), Data.prefetch(2))
            const all = [...(yield* Stream.runCollect(batches.epoch(key)))]
            const next = [...(yield* Stream.runCollect(batches.epoch({ ...key, epoch: 3 })))]
            return { all, next, raw: yield* raw.read(raw.order(key), key), labels: Array.from(set.labels!()) }
          }),
        )
      const alone = yield* read(0)
      assert.deepStrictEqual(
        alone.all.map((b) => b.rows),
        [8, 8, 8, 6],
      )
      assert.notDeepEqual(alone.all[0]!.images, alone.next[0]!.images)
      for (const workers of [1, 2]) {
        assert.deepStrictEqual(yield* read(workers), alone)
        assert.strictEqual(live.now, 0)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  )

  it.live("samples stay in order, and no more are under way than each worker's few", () =>
    Effect.gen(function* () {
      const counts = words()
      const set = yield* Data.workers(odd("nothing", counts), 2)
      const order = Uint32Array.from({ length: 20 }, (_, i) => (7 * i) % 20)
      const reads = yield* Effect.forEach([1, 2, 3], () => set.read(order, key), { concurrency: "unbounded" })
      for (const { images } of reads) assert.deepStrictEqual(Array.from(images), Array.from(order))
      // slices of 3 of 20 samples, one for each of 2 workers, whoever reads
      assert.deepStrictEqual(Array.from(counts), [0, 6, 21])
    }).pipe(Effect.scoped),
  )

  it.live("what throws is told with the samples, an error of the data as it is; both leave the workers of use", () =>
    Effect.gen(function* () {
      const all = Uint32Array.from({ length: 20 }, (_, i) => i)
      const thrown = yield* Data.workers(odd("throw", words()), 2)
      const error = yield* Effect.flip(thrown.read(all, key))
      assert.strictEqual(error.reason._tag, "WorkerFailed")
      assert.strictEqual(
        error.message,
        "odd was given up: a worker failed (at sample 3, 4, 5: no such picture); " +
          "mend the recipe's module, or read it with 0 workers",
      )
      assert.deepStrictEqual(Array.from((yield* thrown.read(Uint32Array.of(9, 8), key)).images), [9, 8])
      const failing = yield* Data.workers(odd("fail", words()), 1)
      assert.match((yield* Effect.flip(failing.read(all, key))).message, /^odd is no picture .*\(spoilt\)/)
      const keeping = yield* Data.workers(odd("keep", words()), 1)
      yield* keeping.read(Uint32Array.of(1), key)
      const kept = yield* Effect.flip(keeping.read(Uint32Array.of(1), key))
      assert.match(kept.message, /at sample 1: what it gave cannot be handed over/)
    }).pipe(Effect.scoped),
  )

  it.live("a worker that ends ends the reading, now and later, and none is left", () =>
    Effect.gen(function* () {
      const set = yield* Data.workers(odd("exit", words()), 2)
      for (const sample of [5, 1]) {
        const error = yield* Effect.flip(set.read(Uint32Array.of(sample), key))
        assert.match(error.message, new RegExp(`^odd .*at sample ${sample}: it ended with code 3\\); mend the recipe`))
      }
      return set
    }).pipe(
      Effect.scoped,
      Effect.flatMap((set) => Effect.flip(set.read(Uint32Array.of(1), key))),
      Effect.map((error) => {
        assert.strictEqual(error.reason._tag, "WorkerFailed")
        assert.strictEqual(live.now, 0)
      }),
    ),
  )

  it.live("interrupted while workers read, none is left", () =>
    Effect.gen(function* () {
      const counts = words()
      const reading = Data.workers(odd("wait", counts), 2).pipe(
        Effect.flatMap((set) => Stream.runDrain(set.pipe(Data.batch(10), Data.prefetch(2)).epoch(key))),
        Effect.scoped,
      )
      const fiber = yield* Effect.forkChild(reading)
      while (Atomics.load(counts, 2) < 2) yield* Effect.sleep(10)
      assert.strictEqual(live.now, 2)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(live.now, 0)
    }),
  )

  it.live("an interrupted read leaves the workers to the next", () =>
    Effect.gen(function* () {
      const set = yield* Data.workers(odd("nothing", words()), 2)
      const all = Uint32Array.from({ length: 20 }, (_, i) => i)
      for (let i = 0; i < 10; i++) {
        const fiber = yield* Effect.forkChild(set.read(all, key))
        yield* Effect.sleep(i)
        yield* Fiber.interrupt(fiber)
      }
      assert.deepStrictEqual(Array.from((yield* set.read(all, key)).images), Array.from(all))
    }).pipe(Effect.scoped),
  )

  it.live("a recipe that no worker can use is refused, and leaves none though the scope goes on", () =>
    Effect.gen(function* () {
      for (const [recipe, pattern] of [
        [misnamed(1), /a worker failed \(.*workersRecipes\.ts cannot be used: it exports no wrongName\); mend/],
        [misnamed(() => 1), /a worker failed \(it cannot be started with what wrongName was given: .*cloned/],
        [unequal(words()), /^unequal .*it found 2 samples instead of 1/],
      ] as const) {
        const error = yield* Effect.flip(Data.workers<readonly [number]>(recipe, 2))
        assert.strictEqual(error.reason._tag, "WorkerFailed")
        assert.match(error.message, pattern)
        assert.strictEqual(live.now, 0)
      }
      for (const wrong of [-1, 1.5]) {
        const error = yield* Effect.flip(Data.workers(misnamed(1), wrong))
        assert.match(error.message, /workers = .*, expected a whole number of at least 0/)
      }
      assert.match((yield* Effect.flip(Data.workers(photos("/nowhere"), 2))).message, /\/nowhere not found/)
    }).pipe(Effect.scoped),
  )
})
