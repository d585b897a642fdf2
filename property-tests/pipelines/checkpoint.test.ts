import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Device, type DeviceError } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Train from "../../src/pipelines/Train.ts"
import { run } from "./everything.ts"

/** what must be equal in every bit, however often a run was interrupted */
interface Ending {
  readonly parameters: unknown
  readonly average: unknown
  readonly rate: number
  readonly told: ReadonlyArray<unknown>
}
/** an event without what a clock says */
const timeless = (event: Train.TrainEvent) => {
  const {
    time: _t,
    seconds: _s,
    secondsLeft: _l,
    imagesPerSecond: _i,
    ...rest
  } = Train.toJson(event) as {
    readonly [key: string]: unknown
  }
  return rest
}
/** runs to the end, with what was told by then: in a run that goes on, only what it told itself */
const toTheEnd = <E, R>(self: Stream.Stream<Train.TrainEvent, E, R>) =>
  Effect.gen(function* () {
    const told: Array<unknown> = []
    let last: Ending | undefined
    yield* Stream.runForEach(self, (event) =>
      Effect.gen(function* () {
        if (event._tag !== "Checkpoint" && event._tag !== "Start") told.push(timeless(event))
        if (event._tag !== "Evaluation") return
        const { run } = event.state
        const average = yield* event.state.average()!.parameters
        last = { parameters: yield* event.state.parameters, average, rate: run.rateScale(), told }
      }),
    )
    return last!
  })

const nothingLives = Effect.gen(function* () {
  const live = yield* (yield* Device).live
  assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })
})
const withFiles = <A, E, R>(
  self: (folder: string) => Effect.Effect<A, E, R>,
  device: Layer.Layer<Device, DeviceError> = Reference.layer,
) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(self),
    Effect.scoped,
    Effect.provide(Layer.merge(device, NodeServices.layer)),
  )

describe("a run that goes on from a checkpoint", () => {
  // from steps in an epoch, at its end and after its first one
  it.live.each([
    ["reference", Reference.layer, 3],
    ["wasm", Wasm.layer({ threads: 2 }), 2],
  ] as const)(
    "is the uninterrupted one bit for bit, from any step and any end of an epoch, on %s",
    ([, device, by]) =>
      withFiles(
        (folder) =>
          Effect.gen(function* () {
            const whole = yield* toTheEnd(run())
            const steps = whole.told.length
            assert.strictEqual(steps, 4 * (5 + 2))
            yield* Stream.runDrain(run({ folder, every: "1 step", keep: 100 }))
            const fs = yield* FileSystem.FileSystem
            const files = (yield* fs.readDirectory(folder)).filter((name) => name.startsWith("step-")).toSorted()
            assert.strictEqual(files.length, 20)
            for (const [i, name] of files.entries()) {
              if (i % by !== 0) continue
              const only = `${folder}/only-${i}`
              yield* fs.makeDirectory(only)
              yield* fs.copyFile(`${folder}/${name}`, `${only}/${name}`)
              const resumed = yield* toTheEnd(run({ resume: yield* Train.resume(only) }))
              const { told, ...ending } = whole
              const { told: toldLater, ...endingLater } = resumed
              assert.deepStrictEqual(endingLater, ending)
              assert.deepStrictEqual(toldLater, told.slice(-toldLater.length))
              assert.isAtLeast(toldLater.length, 2)
            }
            yield* nothingLives
          }),
        device,
      ),
    120_000,
  )

  it.live(
    "is the uninterrupted one after any number of interruptions at any moment",
    () =>
      withFiles((folder) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const whole = yield* toTheEnd(run())
          let interruptions = 0
          for (const every of ["3 steps", "1 epoch"] as const) {
            const own = `${folder}/${every}`
            yield* fs.makeDirectory(own)
            for (let moment = 0; ; moment++) {
              const resume = yield* Effect.orElseSucceed(Train.resume(own), () => undefined)
              let seen = 0
              const counted = run({ resume, folder: own, every }).pipe(Stream.tap(() => Effect.sync(() => void seen++)))
              const fiber = yield* Effect.forkChild(toTheEnd(counted))
              const until = 1 + (moment % 5)
              yield* Effect.repeat(Effect.yieldNow, { until: () => seen >= until || fiber.pollUnsafe() !== undefined })
              for (let i = 0; i < moment; i++) yield* Effect.yieldNow
              yield* Fiber.interrupt(fiber)
              yield* nothingLives
              const exit = yield* Fiber.await(fiber)
              if (exit._tag === "Failure") {
                interruptions++
                continue
              }
              const { told: _, ...ending } = whole
              const { told: _later, ...endingLater } = exit.value
              assert.deepStrictEqual(endingLater, ending)
              break
            }
          }
          assert.isAtLeast(interruptions, 20)
        }),
      ),
    120_000,
  )
})
