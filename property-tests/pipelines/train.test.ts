import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestConsole } from "effect/testing"
import { Device, DeviceError, type DeviceShape } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Safetensors from "../../src/pipelines/Safetensors.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train: samples, test: held } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 6, 6], classes: 3, train: 70, test: 25, noise: 0.05 }),
)
const net = Nn.sequential(
  Nn.input("N", 1, 6, 6),
  ["conv", Nn.conv2d(1, 4, { kernelSize: 3 })],
  Nn.relu(),
  Nn.maxPool2d({ kernelSize: 2 }),
  Nn.flatten(),
  ["fc", Nn.linear(16, 3)],
)
// 70 samples in batches of 16: four full ones and one of 6, a plan of its own
const batches = samples.pipe(Data.shuffle, Data.batch(16))
const fit = (options: { readonly epochs?: number; readonly seed?: number; readonly lr?: number } = {}) =>
  Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer: Optim.adam({ lr: options.lr ?? 0.01 }),
    data: batches,
    epochs: options.epochs ?? 2,
    seed: options.seed ?? 1,
  })

const tags = (events: ReadonlyArray<Train.TrainEvent>) => events.map((e) => e._tag)
const lastParameters = (self: Stream.Stream<Train.TrainEvent, Train.FitError, Device>) =>
  Stream.runFoldEffect(
    self,
    (): Train.HostParameters => ({}),
    (found, event) => (event._tag === "EpochEnd" ? event.state.parameters : Effect.succeed(found)),
  )

/** fails where the device still holds anything */
const nothingLives = Effect.gen(function* () {
  const live = yield* (yield* Device).live
  assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })
})

/** the device, but what it runs is `instead` from the n-th run on */
const faulty = (n: number, instead: (device: DeviceShape) => Effect.Effect<never, DeviceError>) =>
  Effect.map(Device, (device): DeviceShape => {
    let runs = 0
    return {
      ...device,
      compile: (plan) =>
        Effect.map(device.compile(plan), (executable) => ({
          ...executable,
          run: (inputs, state) => Effect.suspend(() => (++runs >= n ? instead(device) : executable.run(inputs, state))),
        })),
    }
  })
const withFault = <A, E, R>(self: Effect.Effect<A, E, R>, ...fault: Parameters<typeof faulty>) =>
  Effect.flatMap(faulty(...fault), (device) => Effect.provideService(self, Device, device))

for (const [name, device] of [
  ["reference", Reference.layer],
  ["wasm", Wasm.layer({ threads: 2 })],
] as const) {
  describe(`Train on ${name}`, () => {
    const run = <A, E>(self: Effect.Effect<A, E, Device>) => Effect.provide(self, device)

    it.live("events come in order, count what they say, and the loss goes down", () =>
      run(
        Effect.gen(function* () {
          const events = yield* Stream.runCollect(
            fit({ epochs: 6 }).pipe(Train.evaluateEachEpoch(held, Evaluate.accuracy)),
          )
          const epoch = ["Step", "Step", "Step", "Step", "Step", "EpochEnd", "Evaluation"]
          assert.deepStrictEqual(tags(events), ["Start", ...Array.from({ length: 6 }, () => epoch).flat()])
          const steps = events.filter((e) => e._tag === "Step")
          assert.deepStrictEqual(
            steps.map((e) => e.totalSteps),
            steps.map((_, i) => i + 1),
          )
          const ends = events.filter((e) => e._tag === "EpochEnd")
          assert.isBelow(ends.at(-1)!.loss, ends[0]!.loss)
          // the epoch's figures are means over samples, the last batch being short
          const first = steps.slice(0, 5)
          const mean = first.reduce((sum, e, i) => sum + e.loss * (i < 4 ? 16 : 6), 0) / 70
          assert.closeTo(ends[0]!.loss, mean, 1e-9)
          assert.strictEqual(ends[0]!.accuracy, first.at(-1)!.accuracy)
          yield* nothingLives
        }),
      ),
    )

    it.live("the same seed gives the same parameters, bit for bit; another gives others", () =>
      run(
        Effect.gen(function* () {
          const [a, b, c] = [
            yield* lastParameters(fit({ seed: 1 })),
            yield* lastParameters(fit({ seed: 1 })),
            yield* lastParameters(fit({ seed: 2 })),
          ]
          assert.deepStrictEqual(Object.keys(a), ["conv.weight", "conv.bias", "fc.weight", "fc.bias"])
          assert.deepStrictEqual(a, b)
          assert.notDeepEqual(a, c)
        }),
      ),
    )

    it.live("nothing is left after success, failure, defect, timeout, an early end", () =>
      run(
        Effect.gen(function* () {
          yield* Stream.runDrain(fit())
          yield* nothingLives
          yield* Stream.runDrain(fit().pipe(Stream.take(4)))
          yield* nothingLives
          for (const n of [1, 2, 7]) {
            const error = new DeviceError({ device: "test", action: "run", reason: "pulled out" })
            const failed = yield* Effect.flip(withFault(Stream.runDrain(fit()), n, () => Effect.fail(error)))
            assert.strictEqual(failed, error)
            yield* nothingLives
            const died = yield* Effect.exit(withFault(Stream.runDrain(fit()), n, () => Effect.die("defect")))
            assert.isTrue(Exit.isFailure(died))
            yield* nothingLives
          }
          const observed = fit({ epochs: 50 }).pipe(
            Stream.tap((e) => (e._tag === "EpochEnd" ? Effect.fail("seen") : Effect.void)),
          )
          assert.strictEqual(yield* Effect.flip(Stream.runDrain(observed)), "seen")
          yield* nothingLives
          yield* Effect.timeoutOption(Stream.runDrain(fit({ epochs: 10_000 })), 30)
          yield* nothingLives
        }),
      ),
    )

    it.live(
      "nothing is left after interruption at any of 50 moments",
      () =>
        run(
          Effect.gen(function* () {
            for (let moment = 0; moment < 50; moment++) {
              const watched = fit({ epochs: 1000 }).pipe(Train.evaluateEachEpoch(held, Evaluate.accuracy))
              const fiber = yield* Effect.forkChild(Stream.runDrain(watched))
              for (let i = 0; i < moment; i++) yield* moment % 2 === 0 ? Effect.yieldNow : Effect.sleep(1)
              yield* Fiber.interrupt(fiber)
              yield* nothingLives
            }
          }),
        ),
      60_000,
    )
  })
}

describe("Train", () => {
  const run = <A, E>(self: Effect.Effect<A, E, Device>) => Effect.provide(self, Reference.layer)

  it.live("one thread and two give the same bits", () =>
    Effect.gen(function* () {
      const one = yield* lastParameters(fit()).pipe(Effect.provide(Wasm.layer({ threads: 1 })))
      const two = yield* lastParameters(fit()).pipe(Effect.provide(Wasm.layer({ threads: 2 })))
      assert.deepStrictEqual(one, two)
    }),
  )

  it.live("both devices follow the same losses", () =>
    Effect.gen(function* () {
      const losses = (self: Stream.Stream<Train.TrainEvent, Train.FitError, Device>) =>
        Effect.map(Stream.runCollect(self), (events) => events.flatMap((e) => (e._tag === "Step" ? [e.loss] : [])))
      const a = yield* losses(fit({ epochs: 4 })).pipe(Effect.provide(Reference.layer))
      const b = yield* losses(fit({ epochs: 4 })).pipe(Effect.provide(Wasm.layer()))
      a.forEach((loss, i) => assert.closeTo(b[i]!, loss, 1e-4, `step ${i + 1}`))
    }),
  )

  it.live("a state that a later step has replaced fails, whatever buffers", () =>
    run(
      Effect.gen(function* () {
        const buffered = fit().pipe(
          Stream.buffer({ capacity: 4 }),
          // whoever is slower than the run finds it gone on
          Stream.tap(() => Effect.sleep(2)),
          Train.evaluateEachEpoch(held, Evaluate.accuracy),
        )
        const error = yield* Effect.flip(Stream.runDrain(buffered))
        assert.strictEqual(error._tag, "StaleState")
        const events = yield* Stream.runCollect(fit())
        const first = events.find((e) => e._tag === "Step")
        assert.strictEqual((yield* Effect.flip(first!.state.parameters))._tag, "StaleState")
        yield* nothingLives
      }),
    ),
  )

  it.live("a loss that is not finite stops the run and names the step", () =>
    run(
      Effect.gen(function* () {
        const events: Array<Train.TrainEvent> = []
        const blown = fit({ lr: 1e30 }).pipe(Stream.tap((e) => Effect.sync(() => void events.push(e))))
        const error = yield* Effect.flip(Stream.runDrain(blown))
        assert.strictEqual(error._tag, "NonFiniteLoss")
        assert.match(
          error.message,
          /^the loss is (NaN|Infinity) at epoch 1, step \d \(step \d of the run\): .* finite; take a lower/,
        )
        assert.isTrue(events.every((e) => e._tag !== "Step" || Number.isFinite(e.loss)))
        yield* nothingLives
      }),
    ),
  )

  it.live("options that cannot be meant are refused before anything runs", () =>
    run(
      Effect.gen(function* () {
        const refused = (self: Stream.Stream<Train.TrainEvent, Train.FitError, Device>) =>
          Effect.map(Effect.flip(Stream.runDrain(self)), (e) => e.message)
        const common = { loss: Loss.crossEntropy(), optimizer: Optim.adam(), data: batches, epochs: 1 }
        assert.strictEqual(yield* refused(fit({ epochs: 0 })), "epochs is 0, it must be a whole number of at least 1")
        assert.strictEqual(
          yield* refused(fit({ seed: -1 })),
          "seed is -1, it must be a whole number from 0 to 2^53 - 1",
        )
        assert.strictEqual(yield* refused(fit({ lr: -1 })), "adam needs lr of at least 0, not -1")
        const wider: Train.Model = Nn.sequential(Nn.input("N", 1, 8, 8), Nn.flatten(), Nn.linear(64, 3))
        assert.strictEqual(
          yield* refused(Train.fit({ ...common, model: wider })),
          "the model takes samples of 1×8×8 but the data give 1×6×6. Take another model, or bring the data to its size",
        )
        const fewer = Nn.sequential(Nn.input("N", 1, 6, 6), Nn.flatten(), Nn.linear(36, 2))
        assert.match(
          yield* refused(Train.fit({ ...common, model: fewer })),
          /^the model gives N×2 but the data have 3 classes/,
        )
        const parameters = Nn.init(fewer, { seed: 1 })
        assert.match(
          yield* refused(Train.fit({ ...common, model: net, parameters })),
          /^the parameters have no conv\.weight/,
        )
        const none = Train.fit({ ...common, data: samples.pipe(Data.batch(0)), model: net })
        assert.match(yield* refused(none), /batch size = 0/)
        yield* nothingLives
      }),
    ),
  )

  it("samples that the model does not take do not compile", () => {
    const wider = Nn.sequential(Nn.input("N", 1, 8, 8), Nn.flatten(), Nn.linear(64, 3))
    const common = { loss: Loss.crossEntropy(), optimizer: Optim.adam(), epochs: 1 }
    const wrong = [
      // @ts-expect-error the model takes samples of 1×8×8 but the data give 1×6×6
      Train.fit({ ...common, model: wider, data: batches }),
      // @ts-expect-error the same where it is evaluated
      Evaluate.run({ model: wider, parameters: {}, data: held, metrics: { accuracy: Evaluate.accuracy } }),
    ]
    assert.strictEqual(wrong.length, 2)
  })

  it.live("figures of an evaluation are weighted by samples, with the last batch padded, kept or whole", () =>
    run(
      Effect.gen(function* () {
        const parameters = Nn.init(net, { seed: 4 })
        const metrics = { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }
        const on = (data: Data.Batches<readonly [1, 6, 6]> | Data.Dataset<readonly [1, 6, 6]>) =>
          Evaluate.run({ model: net, parameters, data, metrics })
        const whole = yield* on(held.pipe(Data.batch(25)))
        for (const data of [
          held,
          held.pipe(Data.batch(7)),
          held.pipe(Data.batch(7, { last: "pad" })),
          held.pipe(Data.batch(1)),
        ]) {
          const { accuracy, loss } = yield* on(data)
          assert.strictEqual(accuracy, whole.accuracy)
          assert.closeTo(loss, whole.loss, 1e-6)
        }
        yield* nothingLives
      }),
    ),
  )

  it("an epoch's line is in the form that people compare", () => {
    const end = { epoch: 1, loss: 0.28412, accuracy: 0.9138, seconds: 11.04 }
    assert.strictEqual(
      Train.epochLine(end, { metrics: { accuracy: 0.957 }, seconds: 1.26 }),
      "epoch 1, loss 0.2841, train acc 0.914, test acc 0.957, time 12.3 sec",
    )
    assert.strictEqual(Train.epochLine(end), "epoch 1, loss 0.2841, train acc 0.914, time 11.0 sec")
  })

  it.effect("without a terminal, plain lines tell of a run", () =>
    run(
      Effect.gen(function* () {
        yield* Stream.runDrain(
          fit({ epochs: 1 }).pipe(Train.evaluateEachEpoch(held, Evaluate.accuracy), Train.progressBar),
        )
        const lines = yield* TestConsole.logLines
        assert.strictEqual(lines.length, 5)
        assert.match(
          String(lines[0]),
          /^epoch 1\/1, step 2\/5, loss \d\.\d{4}, acc \d\.\d{3}, [\d,]+ images\/s, \d:\d\d left$/,
        )
        assert.match(
          String(lines[4]),
          /^epoch 1, loss \d\.\d{4}, train acc \d\.\d{3}, test acc \d\.\d{3}, time \d+\.\d sec$/,
        )
      }),
    ),
  )
})

describe("Train and files", () => {
  const run = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    self.pipe(Effect.scoped, Effect.provide(Layer.merge(Reference.layer, NodeServices.layer)))
  const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

  it.live("parameters are saved after each epoch and can be loaded; the log has every event", () =>
    run(
      Effect.gen(function* () {
        const out = yield* folder
        const file = `${out}/run/model.safetensors`
        let last: Train.HostParameters = {}
        const events = yield* Stream.runCollect(
          fit().pipe(
            Train.save(file, { metadata: { model: "net" } }),
            Train.log(`${out}/run/log.jsonl`),
            Stream.tap((e) =>
              e._tag === "EpochEnd" ? Effect.map(e.state.parameters, (p) => void (last = p)) : Effect.void,
            ),
          ),
        )
        assert.strictEqual(tags(events).filter((t) => t === "Saved").length, 2)
        const { parameters, metadata } = yield* Train.load(file)
        assert.deepStrictEqual({ ...metadata }, { format: "pt", model: "net", epoch: "2", steps: "10", seed: "1" })
        assert.deepStrictEqual(parameters, last)
        const fs = yield* FileSystem.FileSystem
        const lines = (yield* fs.readFileString(`${out}/run/log.jsonl`)).trim().split("\n")
        const logged = lines.map((line): { readonly event: string } => JSON.parse(line))
        assert.deepStrictEqual(
          logged.map((l) => l.event),
          tags(events),
        )
        assert.deepStrictEqual((yield* fs.readDirectory(`${out}/run`)).toSorted(), ["log.jsonl", "model.safetensors"])
      }),
    ),
  )

  it.live("running statistics move in training, are saved as PyTorch does, and dropout follows the seed", () =>
    run(
      Effect.gen(function* () {
        const file = `${yield* folder}/model.safetensors`
        const model = Nn.sequential(
          Nn.input("N", 1, 6, 6),
          ["conv", Nn.conv2d(1, 2, { kernelSize: 3 })],
          ["norm", Nn.batchNorm2d(2)],
          Nn.relu(),
          Nn.flatten(),
          Nn.dropout(),
          ["fc", Nn.linear(32, 3)],
        )
        const trained = (seed: number) =>
          Effect.gen(function* () {
            const data = samples.pipe(Data.shuffle, Data.batch(16, { last: "drop" }))
            const optimizer = Optim.sgd({ lr: 0.1, momentum: 0.9 })
            const events = yield* Stream.runCollect(
              Train.fit({ model, loss: Loss.crossEntropy(), optimizer, data, epochs: 2, seed }).pipe(
                Train.evaluateEachEpoch(held, { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }),
                Train.save(file),
              ),
            )
            const evaluations = events.flatMap((e) => (e._tag === "Evaluation" ? [e.metrics] : []))
            return { evaluations, contents: yield* Safetensors.read(file) }
          })
        const first = yield* trained(1)
        const { tensors } = first.contents
        assert.deepStrictEqual(
          [...tensors.keys()].toSorted(),
          Nn.parameters(model)
            .map((p) => p.path)
            .toSorted(),
        )
        const batchesSeen = { dtype: "I64", shape: [], data: BigInt64Array.of(8n) } as const
        assert.deepStrictEqual(tensors.get("norm.num_batches_tracked"), batchesSeen)
        assert.notDeepEqual(tensors.get("norm.running_mean")?.data, new Float32Array(2))
        assert.deepStrictEqual(yield* trained(1), first)
        assert.notDeepEqual((yield* trained(2)).evaluations, first.evaluations)
        // what was saved evaluates to what the run said: with the statistics, and without dropout
        const { parameters } = yield* Train.load(file)
        const metrics = { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }
        const again = yield* Evaluate.run({ model, parameters, data: held, metrics })
        assert.deepStrictEqual(again, (yield* trained(2)).evaluations.at(-1))
        yield* nothingLives
      }),
    ),
  )

  it.live("an interrupted run has saved what it had trained, at any of 20 moments", () =>
    run(
      Effect.gen(function* () {
        const out = yield* folder
        for (let moment = 0; moment < 20; moment++) {
          const file = `${out}/${moment}.safetensors`
          const told: Array<Train.Saved> = []
          let steps = 0
          const fiber = yield* fit({ epochs: 1000 }).pipe(
            Train.save(file, { onInterrupted: (saved) => Effect.sync(() => void told.push(saved)) }),
            Stream.runForEach((e) => Effect.sync(() => (e._tag === "Step" ? steps++ : 0))),
            Effect.forkChild,
          )
          yield* Effect.repeat(Effect.yieldNow, { until: () => steps >= moment })
          for (let i = 0; i < moment; i++) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          yield* nothingLives
          if (steps === 0 && told.length === 0) continue
          const { tensors, metadata } = yield* Safetensors.read(file)
          assert.strictEqual(tensors.size, 4)
          // the step that was under way is finished and counts, though its event was not seen
          assert.isAtLeast(Number(metadata["steps"]), steps)
          assert.isAtMost(Number(metadata["steps"]), steps + 1)
          assert.isTrue(told.length === 1 || Number(metadata["steps"]) % 5 === 0)
        }
      }),
    ),
  )

  it.live("what a failed step left is not saved over the last good parameters", () =>
    run(
      Effect.gen(function* () {
        const file = `${yield* folder}/model.safetensors`
        const error = new DeviceError({ device: "test", action: "run", reason: "pulled out" })
        // the eighth step: in the middle of the second epoch
        yield* Effect.flip(withFault(Stream.runDrain(fit().pipe(Train.save(file))), 8, () => Effect.fail(error)))
        assert.strictEqual((yield* Train.load(file)).metadata["epoch"], "1")
        yield* nothingLives
      }),
    ),
  )

  it.live("a file that cannot be written fails, and nothing is left", () =>
    run(
      Effect.gen(function* () {
        const saving = yield* Effect.flip(Stream.runDrain(fit().pipe(Train.save("/dev/null/model.safetensors"))))
        assert.match(saving.message, /^\/dev\/null\/model\.safetensors cannot be written/)
        const logging = yield* Effect.flip(Stream.runDrain(fit().pipe(Train.log("/dev/null/log.jsonl"))))
        assert.match(logging.message, /^\/dev\/null\/log\.jsonl cannot be written/)
        yield* nothingLives
      }),
    ),
  )
})
