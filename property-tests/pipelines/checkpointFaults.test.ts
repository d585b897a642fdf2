import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { TestConsole } from "effect/testing"
import { readFileSync, truncateSync, writeFileSync } from "node:fs"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train: samples } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 4, 4], classes: 3, train: 40, test: 10 }),
)
const net = Nn.sequential(Nn.input("N", 1, 4, 4), Nn.flatten(), ["fc", Nn.linear(16, 3)])
const other = Nn.sequential(Nn.input("N", 1, 4, 4), Nn.flatten(), ["fc", Nn.linear(16, 3, { bias: false })])

type Options = Partial<Parameters<typeof Train.fit<readonly ["N", 1, 4, 4], readonly [1, 4, 4]>>[0]>
const fit = (options: Options = {}) =>
  Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer: Optim.adam(),
    data: samples.pipe(Data.shuffle, Data.batch(8)),
    epochs: 2,
    seed: 1,
    ...options,
  })
const run = <A, E>(
  self: (
    folder: string,
  ) => Effect.Effect<A, E, Device | FileSystem.FileSystem | Layer.Success<typeof NodeServices.layer>>,
) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(self),
    Effect.tap(() =>
      Effect.flatMap(
        Effect.flatMap(Device, (device) => device.live),
        (live) => Effect.sync(() => assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })),
      ),
    ),
    Effect.scoped,
    Effect.provide(Layer.merge(Reference.layer, NodeServices.layer)),
  )
const files = (folder: string) =>
  Effect.map(
    Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readDirectory(folder)),
    (names) => names.toSorted(),
  )

/** a disk that has room for so many more bytes, then none */
const smallDisk = (room: number) =>
  Effect.map(FileSystem.FileSystem, (fs): FileSystem.FileSystem => {
    let left = room
    return {
      ...fs,
      open: (path, options) =>
        Effect.map(fs.open(path, options), (file): FileSystem.File => {
          const writeAll = (bytes: Uint8Array) => {
            const fits = bytes.subarray(0, left)
            left -= fits.length
            const full = PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "writeAll",
              pathOrDescriptor: path,
              cause: new Error("ENOSPC: no space left on device, write"),
            })
            return fits.length === bytes.length
              ? file.writeAll(bytes)
              : Effect.andThen(file.writeAll(fits), Effect.fail(full))
          }
          // the methods of a file are its class's, and its place is in itself
          return Object.assign(Object.create(file), { writeAll, seek: file.seek.bind(file) })
        }),
    }
  })

describe("checkpoints and faults", () => {
  it.live("a full disk fails with a sentence, and leaves the checkpoints before it as they were", () =>
    run((folder) =>
      Effect.gen(function* () {
        yield* Stream.runDrain(fit().pipe(Train.limitSteps(4), Train.checkpoint(folder, { every: "2 steps" })))
        const before = yield* files(folder)
        assert.deepStrictEqual(before, ["step-00000002.safetensors", "step-00000004.safetensors"])
        const bytes = before.map((name) => readFileSync(`${folder}/${name}`))
        const size = bytes[0]!.length
        // full at once, in the header, in the tensors, in the checksum at the end
        for (const room of [0, 100, size - 40, size]) {
          const disk = yield* smallDisk(room)
          const resume = yield* Train.resume(folder)
          const error = yield* fit({ resume }).pipe(
            Train.checkpoint(folder, { every: "1 step" }),
            Stream.runDrain,
            Effect.flip,
            Effect.provideService(FileSystem.FileSystem, disk),
          )
          assert.strictEqual(error._tag, "CheckpointError")
          assert.strictEqual(
            error.message,
            `the checkpoint ${folder}/step-00000005.safetensors cannot be written (ENOSPC: no space left on device, ` +
              `write); make room or name another folder, and resume: the checkpoints before it are untouched`,
          )
          assert.deepStrictEqual(yield* files(folder), before)
          before.forEach((name, i) => assert.isTrue(readFileSync(`${folder}/${name}`).equals(bytes[i]!)))
        }
      }),
    ),
  )

  it.live("numbers that are not finite are never written, and the tensor is named", () =>
    run((folder) =>
      Effect.gen(function* () {
        // the loss of the first step is finite, what its update leaves is not
        const error = yield* fit({ optimizer: Optim.sgd({ lr: 1e39 }) }).pipe(
          Train.checkpoint(folder, { every: "1 step" }),
          Stream.runDrain,
          Effect.flip,
        )
        assert.match(
          error.message,
          /step-00000001\.safetensors is not written: after step 1 .*fc\.(weight|bias).* not finite/,
        )
        assert.deepStrictEqual(yield* files(folder), [])
      }),
    ),
  )

  it.live("one that is cut or altered anywhere is skipped with a warning, for the one before it", () =>
    run((folder) =>
      Effect.gen(function* () {
        yield* Stream.runDrain(fit().pipe(Train.limitSteps(4), Train.checkpoint(folder, { every: "2 steps" })))
        const [sound, newest] = [`${folder}/step-00000002.safetensors`, `${folder}/step-00000004.safetensors`]
        const whole = readFileSync(newest)
        assert.strictEqual((yield* Train.resume(folder)).path, newest)
        const faults: Array<Uint8Array> = [0, 1, 7, 8, 100, 1500, 1600, whole.length - 1].map((n) =>
          whole.subarray(0, n),
        )
        for (let at = 0; at < whole.length; at += 131) {
          const altered = Uint8Array.from(whole)
          altered[at]! ^= 1
          faults.push(altered)
        }
        assert.isAtLeast(faults.length, 25)
        for (const fault of faults) {
          writeFileSync(newest, fault)
          assert.strictEqual((yield* Train.resume(folder)).path, sound)
        }
        const warnings = (yield* TestConsole.logLines).map(String)
        assert.strictEqual(warnings.filter((line) => line.includes("it is skipped")).length, faults.length)
        truncateSync(sound, 20)
        const error = yield* Effect.flip(Train.resume(folder))
        assert.match(
          error.message,
          /^none of the 2 checkpoints in .* can be used \(the newest step-00000004\.safetensors .*\); remove them/,
        )
        const none = yield* Effect.flip(Train.resume(`${folder}/none`))
        assert.match(none.message, /^there is no checkpoint in .*none; name a folder/)
      }).pipe(Effect.provide(TestConsole.layer)),
    ),
  )

  it.live("what an operator remembers that the resumed run has not is dropped with a warning, which names it", () =>
    run((folder) =>
      Effect.gen(function* () {
        const watched = { mode: "min", patience: 5 } as const
        const first = fit().pipe(
          Train.reduceOnPlateau(watched),
          Train.earlyStopping({ ...watched, restoreBest: false }),
          Train.limitSteps(4),
          Train.checkpoint(folder, { every: "2 steps" }),
        )
        yield* Stream.runDrain(first)
        const warned = Effect.map(TestConsole.logLines, (lines) =>
          lines.map(String).filter((l) => l.includes("dropped")),
        )
        const resume = yield* Train.resume(folder)
        yield* Stream.runDrain(
          fit({ resume }).pipe(
            Train.reduceOnPlateau(watched),
            Train.earlyStopping({ ...watched, restoreBest: false }),
            Train.checkpoint(`${folder}/next`),
          ),
        )
        assert.deepStrictEqual(yield* warned, [])
        yield* Stream.runDrain(fit({ resume }).pipe(Train.reduceOnPlateau(watched)))
        const lines = yield* warned
        assert.strictEqual(lines.length, 1)
        assert.match(
          lines[0] ?? "",
          /step-00000004\.safetensors holds what earlyStopping remembers, and this run has no such operator/,
        )
      }).pipe(Effect.provide(TestConsole.layer)),
    ),
  )

  it.live("a checkpoint of another run is refused: model, optimizer, rate, data, order, batch size, seed", () =>
    run((folder) =>
      Effect.gen(function* () {
        yield* Stream.runDrain(fit().pipe(Train.limitSteps(2), Train.checkpoint(folder, { every: "1 step" })))
        const resume = yield* Train.resume(folder)
        const longer = Effect.runSync(
          Data.synthetic({ seed: 3, shape: [1, 4, 4], classes: 3, train: 41, test: 10 }),
        ).train
        const cases: ReadonlyArray<readonly [Options, RegExp]> = [
          [{ model: other }, /its set of parameters is 2 tensors \(\w+\), here it is 1 tensors/],
          [
            { optimizer: Optim.sgd({ lr: 0.001 }) },
            /its optimizer is adam with exp_avg with exp_avg_sq, here it is sgd/,
          ],
          [{ optimizer: Optim.adam({ lr: 0.1 }) }, /its learning rate .* is 0\.001 at step 1 .*, here it is 0\.1 at/],
          [{ optimizer: Optim.adam({ eps: 1e-3 }) }, /its step \(an option of the model, the loss or the optimizer\)/],
          [{ loss: Loss.crossEntropy({ labelSmoothing: 0.1 }) }, /its step \(an option/],
          [{ data: longer.pipe(Data.shuffle, Data.batch(8)) }, /its data is synthetic train, 40 samples .* 41 samples/],
          [{ data: samples.pipe(Data.batch(8)) }, /its first batch \(the order of the samples/],
          [{ data: samples.pipe(Data.shuffle, Data.batch(4)) }, /its batch size is 8, here it is 4; give the same, or/],
          [{ seed: 2 }, /its first batch|its seed is 1, here it is 2/],
        ]
        for (const [options, says] of cases) {
          const error = yield* Effect.flip(Stream.runDrain(fit({ ...options, resume })))
          assert.strictEqual(error._tag, "CheckpointError")
          assert.match(error.message, /^the checkpoint .* is of another run: /)
          assert.match(error.message, says)
        }
        // more epochs are no other run
        const events = yield* Stream.runCollect(fit({ epochs: 3, resume }))
        assert.strictEqual(events.filter((e) => e._tag === "Step").length, 14)
      }),
    ),
  )

  it.live("a buffer before it, or before what it remembers, costs StaleState, and never gives a wrong one", () =>
    run((folder) =>
      Effect.gen(function* () {
        const late = <E, R>(self: Stream.Stream<Train.TrainEvent, E, R>) => Stream.tap(self, () => Effect.sleep(1))
        const buffered = fit().pipe(Stream.buffer({ capacity: 4 }), late, Train.checkpoint(folder, { every: "1 step" }))
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(buffered)))._tag, "StaleState")
        assert.deepStrictEqual(yield* files(folder), [])
        const plateau = fit().pipe(
          Stream.buffer({ capacity: 4 }),
          late,
          Train.reduceOnPlateau(),
          Train.checkpoint(folder, { every: "1 epoch" }),
        )
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(plateau)))._tag, "StaleState")
        assert.deepStrictEqual(yield* files(folder), [])
        const after = fit().pipe(Train.checkpoint(folder), Train.reduceOnPlateau())
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(after))).message,
          "reduceOnPlateau stands after Train.checkpoint; put it before, so that a checkpoint holds what it remembers",
        )
      }),
    ),
  )

  it.live("the latest stay, those of an older run go when the first of the new one is there", () =>
    run((folder) =>
      Effect.gen(function* () {
        const every = { every: "1 step", keep: 3 } as const
        yield* Stream.runDrain(fit().pipe(Train.checkpoint(folder, every)))
        assert.deepStrictEqual(
          yield* files(folder),
          [8, 9, 10].map((n) => `step-${String(n).padStart(8, "0")}.safetensors`),
        )
        const seen: Array<ReadonlyArray<string>> = []
        yield* Stream.runDrain(
          fit({ seed: 2 }).pipe(
            Train.checkpoint(folder, { every: "2 steps", best: { metric: "loss", mode: "min" } }),
            Train.on("Checkpoint", () => Effect.map(files(folder), (names) => void seen.push(names))),
          ),
        )
        assert.deepStrictEqual(seen[0], ["step-00000002.safetensors"])
        assert.include(seen.at(-1) ?? [], "best.safetensors")
        assert.strictEqual(seen.at(-1)?.length, 3)
        // the parameters of a checkpoint can be loaded like those of any file
        const { parameters } = yield* Train.load(`${folder}/best.safetensors`)
        assert.deepStrictEqual(Object.keys(parameters), ["fc.weight", "fc.bias"])
        for (const [options, says] of [
          [{ every: "0 steps" }, "checkpoint needs every of at least 1 step, not 0 steps"],
          [{ keep: 0 }, "checkpoint needs keep of at least 1, not 0"],
        ] as const) {
          const refused = yield* Effect.flip(Stream.runDrain(fit().pipe(Train.checkpoint(folder, options))))
          assert.strictEqual(refused.message, says)
        }
      }),
    ),
  )

  it.live("a device that fuses otherwise is told, and the run goes on", () =>
    run((folder) =>
      Effect.gen(function* () {
        yield* Stream.runDrain(fit().pipe(Train.limitSteps(2), Train.checkpoint(folder, { every: "1 step" })))
        const device = yield* Device
        const resume = yield* Train.resume(folder)
        const fused = { ...device, info: { ...device.info, backend: "fused" } }
        const events = yield* Stream.runCollect(fit({ resume })).pipe(Effect.provideService(Device, fused))
        const starts = events.flatMap((e) => (e._tag === "Start" ? [e.resumed?.differences.join() ?? ""] : []))
        assert.match(starts.join(), /^it was computed by \S+ \(multiply-adds fused or not\), this is fused$/)
        assert.strictEqual(events.filter((e) => e._tag === "Step").length, 9)
      }),
    ),
  )
})
