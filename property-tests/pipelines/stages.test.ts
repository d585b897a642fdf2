/**
 * Every stage from a file to a report, interrupted in its middle: afterwards nothing lives on the device that did not before,
 * no file is open, no timer runs and no connection waits.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import sharp from "sharp"
import { Device } from "../../src/gpu/Device.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Data from "../../src/pipelines/Data.ts"
import { download } from "../../src/pipelines/data/download.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Predict from "../../src/pipelines/Predict.ts"
import * as Train from "../../src/pipelines/Train.ts"
import * as Transforms from "../../src/pipelines/Transforms.ts"
import * as Nn from "../../src/models/index.ts"
import { net, samples } from "./everything.ts"

type Needs = Device | FileSystem.FileSystem | Path.Path | Scope.Scope

/** work without an end, or a long one, that says when it is in its middle */
type Stage = (begun: Effect.Effect<unknown>, folder: string) => Effect.Effect<unknown, unknown, Needs>

/** a set whose reading says so, and takes its time */
const slowly = (begun: Effect.Effect<unknown>, pause = 1) =>
  Data.make({
    ...samples,
    read: (numbers, key) => Effect.andThen(begun, Effect.andThen(Effect.sleep(pause), samples.read(numbers, key))),
  })
const key = { seed: 1, epoch: 1 }
/** epoch after epoch of batches */
const consumed = (batches: Data.Batches<ReadonlyArray<number>>) =>
  Effect.forever(Stream.runForEach(batches.epoch(key), () => Effect.sleep(1)))

const pictures = Effect.fnUntraced(function* (folder: string) {
  const of = join(folder, "pictures", "one")
  mkdirSync(of, { recursive: true })
  for (let i = 0; i < 24; i++) {
    const raw = { width: 400, height: 300, channels: 3 as const }
    const pixels = Buffer.alloc(400 * 300 * 3, i)
    yield* Effect.promise(() =>
      sharp(pixels, { raw })
        .jpeg()
        .toFile(join(of, `${i}.jpg`)),
    )
  }
  return join(folder, "pictures")
})

const fit = (data: Data.Batches<readonly [1, 6, 6]>) =>
  Train.fit({ model: net, loss: Loss.crossEntropy(), optimizer: Optim.adam(), data, epochs: 100_000, seed: 1 })
const batches = samples.pipe(Data.shuffle, Data.batch(16))
/** until a step in the middle */
const step =
  (begun: Effect.Effect<unknown>) =>
  <E, R>(self: Stream.Stream<Train.TrainEvent, E, R>) =>
    Stream.tap(self, (e) => (e._tag === "Step" && e.totalSteps >= 3 ? begun : Effect.void))

const parameters = Nn.init(net, { seed: 2 })

const stages: Readonly<Record<string, Stage>> = {
  download: (begun, folder) =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const made = createServer((_, response) => {
            response.writeHead(200, { "content-length": 1_000_000 })
            const send = () => {
              if (response.destroyed) return
              response.write(Buffer.alloc(1000))
              setTimeout(send, 2)
            }
            send()
          }).listen(0, "127.0.0.1")
          await once(made, "listening")
          return made
        }),
        (made) =>
          Effect.promise(async () => {
            made.closeAllConnections()
            made.close()
            await once(made, "close")
          }),
      )
      // the server's own address
      const { port } = server.address() as AddressInfo
      const to = join(folder, "data.bin")
      const part = () => readdirSync(folder).some((f) => f.endsWith(".part"))
      const watch = Effect.andThen(
        Effect.sleep(2).pipe(Effect.repeat({ until: () => part() })),
        Effect.forever(Effect.andThen(Effect.sleep(5), begun)),
      )
      yield* Effect.all(
        [
          download({ urls: [`http://127.0.0.1:${port}/x`], to, md5: "" }).pipe(Effect.provide(FetchHttpClient.layer)),
          watch,
        ],
        { concurrency: 2 },
      )
    }),
  "a file that is read": (begun, folder) =>
    Effect.gen(function* () {
      const count = 40_000
      const header = (magic: number, ...sizes: ReadonlyArray<number>) => {
        const words = Buffer.alloc(4 + 4 * sizes.length)
        words.writeUInt32BE(magic)
        sizes.forEach((s, i) => words.writeUInt32BE(s, 4 + 4 * i))
        return words
      }
      const [images, labels] = [join(folder, "images"), join(folder, "labels")]
      if (!existsSync(images)) {
        writeFileSync(images, Buffer.concat([header(0x803, count, 28, 28), Buffer.alloc(count * 784)]))
        writeFileSync(labels, Buffer.concat([header(0x801, count), Buffer.alloc(count)]))
      }
      const fs = yield* FileSystem.FileSystem
      // says so when the file is open
      const told: FileSystem.FileSystem = {
        ...fs,
        readFile: (path) => Effect.andThen(begun, fs.readFile(path)),
        open: (path, options) => Effect.tap(fs.open(path, options), () => begun),
      }
      return yield* Effect.forever(
        Effect.gen(function* () {
          const set = yield* Data.idx({ name: "zeros", shape: [1, 28, 28], images, labels, classes: 1 })
          yield* set.read(Uint32Array.of(0), key)
        }).pipe(Effect.provideService(FileSystem.FileSystem, told)),
      )
    }),
  "pictures that are decoded": (begun, folder) =>
    Effect.gen(function* () {
      const set = yield* Data.imageFolder(yield* pictures(folder))
      const all = set.pipe(Data.map(Transforms.randomResizedCrop(64)), Data.batch(8))
      return yield* Effect.forever(Stream.runForEach(all.epoch(key), () => begun))
    }),
  map: (begun) => consumed(slowly(begun).pipe(Data.map(Transforms.randomHorizontalFlip()), Data.batch(4))),
  filter: (begun) =>
    consumed(
      slowly(begun).pipe(
        Data.filter(({ label }) => label !== 0),
        Data.batch(4),
      ),
    ),
  concat: (begun) => consumed(Data.concat(slowly(begun), slowly(begun)).pipe(Data.batch(4))),
  shuffle: (begun) => consumed(slowly(begun).pipe(Data.shuffle, Data.batch(4))),
  "weighted sampling": (begun) =>
    consumed(slowly(begun).pipe(Data.weightedSampler(Array.from({ length: samples.length }, () => 1)), Data.batch(4))),
  repeat: (begun) => consumed(slowly(begun).pipe(Data.repeat(3), Data.batch(4))),
  cache: (begun) => Effect.flatMap(Data.cache(slowly(begun)), (set) => consumed(Data.batch(set, 4))),
  prefetch: (begun) => consumed(slowly(begun).pipe(Data.batch(4), Data.prefetch(3))),
  statistics: (begun) => Effect.forever(Data.statistics(slowly(begun))),
  "batches to the device": (begun) =>
    Effect.gen(function* () {
      const device = yield* Device
      const buffer = yield* device.allocate([4, 1, 6, 6])
      const all = slowly(begun).pipe(Data.batch(4, { last: "drop" }), Data.prefetch(2))
      return yield* Effect.forever(Stream.runForEach(all.epoch(key), ({ images }) => device.write(buffer, images)))
    }),
  "a step of training": (begun) => Stream.runDrain(fit(batches).pipe(step(begun))),
  "training on what is read ahead": (begun) =>
    Stream.runDrain(fit(slowly(Effect.void).pipe(Data.batch(16), Data.prefetch(2))).pipe(step(begun))),
  evaluation: (begun) =>
    Effect.forever(
      Evaluate.run({ model: net, data: slowly(begun), metrics: { accuracy: Evaluate.accuracy }, parameters }),
    ),
  "evaluation in a run": (begun) =>
    Stream.runDrain(fit(batches).pipe(Train.evaluateEachEpoch(slowly(begun, 3), Evaluate.accuracy))),
  "a checkpoint that is written": (begun, folder) =>
    Stream.runDrain(
      fit(batches).pipe(
        Train.checkpoint(join(folder, "checkpoints"), { every: "1 step" }),
        Stream.tap((e) => (e._tag === "Checkpoint" ? begun : Effect.void)),
      ),
    ),
  "a log that is written": (begun, folder) =>
    Stream.runDrain(fit(batches).pipe(Train.log(join(folder, "log.jsonl")), step(begun))),
  "parameters that are saved": (begun, folder) =>
    Stream.runDrain(fit(batches).pipe(step(begun), Train.save(join(folder, "model.safetensors")))),
  prediction: (begun) =>
    Effect.gen(function* () {
      const { predict } = yield* Predict.make({ model: net, parameters, classes: ["a", "b", "c"] })
      const ask = Effect.andThen(begun, predict(new Float32Array(36)))
      return yield* Effect.forever(
        Effect.all(
          Array.from({ length: 5 }, () => ask),
          { concurrency: 5 },
        ),
      )
    }),
}

/** what the process holds: files, timers, connections, threads; asked when no timer is just being called */
const held = Effect.promise(async () => {
  await new Promise(setImmediate)
  const counts: Record<string, number> = { files: readdirSync("/proc/self/fd").length }
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
})

/** what is held beyond that, when what the runtime frees a moment later has had its time */
const settled = Effect.fnUntraced(function* (before: Readonly<Record<string, number>>) {
  for (let i = 0; ; i++) {
    const more = Object.entries(yield* held).filter(([kind, n]) => n > (before[kind] ?? 0))
    if (more.length === 0 || i === 200) return more
    yield* Effect.sleep(5)
  }
})

describe("a stage that is interrupted in its middle leaves nothing", () => {
  const layer = Layer.merge(Wasm.layer({ threads: 2 }), NodeServices.layer)

  it.live.each(Object.entries(stages))(
    "%s",
    ([, stage]) =>
      Effect.gen(function* () {
        const device = yield* Device
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const once = (times: number) =>
          Effect.gen(function* () {
            const inside = yield* Deferred.make<void>()
            let calls = 0
            const begun = Effect.suspend(() => (++calls >= times ? Deferred.succeed(inside, undefined) : Effect.void))
            const fiber = yield* Effect.forkChild(Effect.scoped(stage(begun, folder)))
            yield* Effect.raceFirst(Deferred.await(inside), Fiber.join(fiber))
            yield* Fiber.interrupt(fiber)
            const exit = yield* Fiber.await(fiber)
            assert.isTrue(Exit.isFailure(exit), "it ended by itself")
          })
        // loads what is loaded on first use
        yield* once(1)
        const before = yield* held
        for (const times of [1, 2, 5]) {
          yield* once(times)
          assert.deepStrictEqual({ ...(yield* device.live) }, { handles: 0, bytes: 0 })
        }
        assert.deepStrictEqual(yield* settled(before), [])
      }).pipe(Effect.scoped, Effect.provide(layer)),
    20_000,
  )
})
