import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train: samples, test: held } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 4, 4], classes: 3, train: 40, test: 10 }),
)
const net = Nn.sequential(Nn.input("N", 1, 4, 4), Nn.flatten(), ["fc", Nn.linear(16, 3)])
const fit = (epochs = 4, lr = 0.05) =>
  Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer: Optim.adam({ lr }),
    data: samples.pipe(Data.shuffle, Data.batch(8)),
    epochs,
    seed: 1,
  })
const run = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(
    Effect.tap(() =>
      Effect.gen(function* () {
        const live = yield* (yield* Device).live
        assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })
      }),
    ),
    Effect.scoped,
    Effect.provide(Layer.merge(Reference.layer, NodeServices.layer)),
  )
/** an evaluation whose figure is what the n-th time says */
const figures = (values: ReadonlyArray<number>) => {
  let n = 0
  return Stream.map((event: Train.TrainEvent): Train.TrainEvent =>
    event._tag === "Evaluation" ? { ...event, metrics: { figure: values[n++] ?? Number.NaN } } : event,
  )
}
const watched = { metric: { evaluation: "figure" } } as const

describe("operators of a run", () => {
  it.live("evaluates every so many steps or epochs", () =>
    run(
      Effect.gen(function* () {
        const at = (every: Train.Every) =>
          Effect.map(Stream.runCollect(fit(2).pipe(Train.evaluateEvery(every, held, Evaluate.accuracy))), (events) =>
            events.flatMap((e) => (e._tag === "Evaluation" ? [e.totalSteps] : [])),
          )
        assert.deepStrictEqual(yield* at("3 steps"), [3, 6, 9])
        assert.deepStrictEqual(yield* at("2 epochs"), [10])
        const wrong = yield* Effect.flip(at("0 epochs"))
        assert.strictEqual(wrong.message, "evaluateEvery needs every of at least 1 epoch, not 0 epochs")
      }),
    ),
  )

  it.live("stops when a figure is no better for long enough, with the best parameters back, and saves those", () =>
    run(
      Effect.gen(function* () {
        const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
        const seen = new Map<number, Train.HostParameters>()
        const events = yield* Stream.runCollect(
          fit(20).pipe(
            Train.on("EpochEnd", (e) => Effect.map(e.state.parameters, (p) => void seen.set(e.epoch, p))),
            Train.evaluateEachEpoch(held, Evaluate.accuracy),
            figures([0.2, 0.5, 0.55, 0.3, 0.59, 0.9]),
            Train.earlyStopping({ ...watched, mode: "max", patience: 2, minDelta: 0.1 }),
            Train.save(`${folder}/model.safetensors`),
          ),
        )
        const stopped = events.flatMap((e) => (e._tag === "Stopped" ? [e] : []))
        assert.deepStrictEqual(
          stopped.map(({ epoch, totalSteps, restored, reason }) => ({ epoch, totalSteps, restored, reason })),
          [{ epoch: 5, totalSteps: 25, restored: 10, reason: "figure was no better than 0.5 for 3 times" }],
        )
        assert.strictEqual(events.at(-1)?._tag, "Saved")
        const { parameters } = yield* Train.load(`${folder}/model.safetensors`)
        assert.deepStrictEqual(parameters, seen.get(2))
        assert.notDeepEqual(parameters, seen.get(5))
      }),
    ),
  )

  it.live("gives the best parameters back at the end of a run too; or not, where it is not asked to", () =>
    run(
      Effect.gen(function* () {
        const ending = (restoreBest: boolean) =>
          Effect.map(
            Stream.runCollect(
              fit(3).pipe(
                Train.evaluateEachEpoch(held, Evaluate.accuracy),
                figures([3, 1, 2]),
                Train.earlyStopping({ ...watched, restoreBest }),
              ),
            ),
            (events) => events.flatMap((e) => (e._tag === "Stopped" ? [e.restored] : [])),
          )
        assert.deepStrictEqual(yield* ending(true), [10])
        assert.deepStrictEqual(yield* ending(false), [])
      }),
    ),
  )

  it.live("stopping goes on after an interruption as if there had been none", () =>
    run(
      Effect.gen(function* () {
        const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
        const values = [0.5, 0.4, 0.3, 0.2]
        const piped = (self: ReturnType<typeof fit>, after: number) =>
          self.pipe(
            Train.evaluateEachEpoch(held, Evaluate.accuracy),
            figures(values.slice(after)),
            Train.earlyStopping({ ...watched, mode: "max", patience: 2 }),
          )
        const last = <E, R>(self: Stream.Stream<Train.TrainEvent, E, R>) =>
          Stream.runFoldEffect(
            self,
            (): Train.HostParameters => ({}),
            (found, e) => (e._tag === "Stopped" ? e.state.parameters : Effect.succeed(found)),
          )
        const whole = yield* last(piped(fit(9), 0))
        // cut after the second evaluation: the checkpoint is that of the end of the second epoch
        yield* Stream.runDrain(
          piped(fit(9), 0).pipe(
            Train.checkpoint(folder),
            Stream.takeUntil((e) => e._tag === "Checkpoint" && e.epoch === 2),
          ),
        )
        const resume = yield* Train.resume(folder)
        assert.strictEqual(resume.header.progress.totalSteps, 10)
        const options = { model: net, loss: Loss.crossEntropy(), optimizer: Optim.adam({ lr: 0.05 }) }
        const data = samples.pipe(Data.shuffle, Data.batch(8))
        const rest = Train.fit({ ...options, data, epochs: 9, seed: 1, resume })
        assert.deepStrictEqual(yield* last(piped(rest, 1)), whole)
        assert.strictEqual(Object.keys(whole).length, 2)
      }),
    ),
  )

  it.live("ends after so many steps, or so much time", () =>
    run(
      Effect.gen(function* () {
        const events = yield* Stream.runCollect(fit().pipe(Train.limitSteps(7)))
        const last = events.at(-1)
        assert.deepStrictEqual(last?._tag === "Stopped" ? [last.totalSteps, last.reason] : [], [7, "7 steps are done"])
        const timed = yield* Stream.runCollect(fit(100_000).pipe(Train.limitTime("50 millis")))
        assert.strictEqual(timed.at(-1)?._tag, "Stopped")
        const wrong = yield* Effect.flip(Stream.runDrain(fit().pipe(Train.limitSteps(0))))
        assert.strictEqual(wrong.message, "limitSteps needs a whole number of at least 1, not 0")
      }),
    ),
  )

  it.live("a callback sees its events only, and its failure ends the run", () =>
    run(
      Effect.gen(function* () {
        const seen: Array<number> = []
        yield* Stream.runDrain(
          fit(3).pipe(Train.on("EpochEnd", ({ epoch }) => Effect.sync(() => void seen.push(epoch)))),
        )
        assert.deepStrictEqual(seen, [1, 2, 3])
        const failed = fit().pipe(
          Train.on("Step", ({ totalSteps }) => (totalSteps === 3 ? Effect.fail("three") : Effect.void)),
        )
        assert.strictEqual(yield* Effect.flip(Stream.runDrain(failed)), "three")
      }),
    ),
  )

  it.live("tells Effect's metrics", () =>
    run(
      Effect.gen(function* () {
        const before = yield* Metric.snapshot
        const count = (all: typeof before) =>
          all.flatMap((m) =>
            m.id === "effect_nn_train_steps_total" && m.type === "Counter" ? [Number(m.state.count)] : [],
          )[0] ?? 0
        yield* Stream.runDrain(fit(2))
        const after = yield* Metric.snapshot
        assert.strictEqual(count(after) - count(before), 10)
        for (const id of ["samples_total", "loss", "learning_rate", "step_milliseconds"]) {
          assert.isTrue(
            after.some((m) => m.id === `effect_nn_train_${id}`),
            id,
          )
        }
      }),
    ),
  )

  it.live("is a span for each epoch, evaluation and checkpoint, under the span that it runs in", () =>
    run(
      Effect.gen(function* () {
        const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
        const spans: Array<Tracer.NativeSpan> = []
        const tracer = Tracer.make({
          span: (options) => {
            const span = new Tracer.NativeSpan(options)
            spans.push(span)
            return span
          },
        })
        const told = fit(2).pipe(Train.evaluateEachEpoch(held, Evaluate.accuracy), Train.checkpoint(folder))
        yield* Stream.runDrain(told).pipe(Effect.withSpan("mine"), Effect.withTracer(tracer))
        const found = spans.map(({ name, parent, attributes, status }) => {
          const above = parent._tag === "Some" && parent.value._tag === "Span" ? parent.value.name : ""
          return [name, above, Object.fromEntries(attributes), status._tag]
        })
        const own = (name: string, attributes = {}) => [`effect-nn.${name}`, "mine", attributes, "Ended"]
        const epoch = (n: number) => [own("epoch", { epoch: n }), own("checkpoint"), own("evaluate")]
        assert.deepStrictEqual(found, [["mine", "", {}, "Ended"], ...epoch(1), ...epoch(2)])
      }),
    ),
  )

  it.live("two plateaus remember each for itself, and a run that is watched twice is refused nothing", () =>
    run(
      Effect.gen(function* () {
        const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
        yield* Stream.runDrain(
          fit(2).pipe(Train.reduceOnPlateau(), Train.reduceOnPlateau({ patience: 0 }), Train.checkpoint(folder)),
        )
        const { header } = yield* Train.resume(folder)
        assert.deepStrictEqual(Object.keys(header.memories).toSorted(), [
          "checkpoint",
          "reduceOnPlateau",
          "reduceOnPlateau 2",
        ])
      }),
    ),
  )
})
