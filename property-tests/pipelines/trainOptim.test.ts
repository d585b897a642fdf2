/** What changes a step, in whole runs: on real devices, deterministic, and leaving nothing behind. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Device } from "../../src/gpu/Device.ts"
import type { Plan } from "../../src/gpu/Plan.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train: samples, test: held } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 6, 6], classes: 3, train: 64, test: 25, noise: 0.05 }),
)
const net = Nn.sequential(
  Nn.input("N", 1, 6, 6),
  ["conv", Nn.conv2d(1, 4, { kernelSize: 3 })],
  Nn.relu(),
  Nn.flatten(),
  ["fc1", Nn.linear(64, 8)],
  Nn.relu(),
  ["fc2", Nn.linear(8, 3)],
)
const fit = (optimizer: Optim.Optimizer, options: { readonly epochs?: number; readonly batch?: number } = {}) =>
  Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer,
    data: samples.pipe(Data.batch(options.batch ?? 16)),
    epochs: options.epochs ?? 2,
    seed: 1,
  })

interface Seen {
  readonly steps: ReadonlyArray<Train.Step>
  readonly parameters: Train.HostParameters
  readonly average: Train.HostParameters | undefined
}
const watch = (self: Stream.Stream<Train.TrainEvent, Train.FitError, Device>) =>
  Stream.runFoldEffect(
    self,
    (): Seen => ({ steps: [], parameters: {}, average: undefined }),
    (seen, event) =>
      Effect.gen(function* () {
        if (event._tag === "Step") return { ...seen, steps: [...seen.steps, event] }
        if (event._tag !== "EpochEnd") return seen
        const average = event.state.average()
        return {
          ...seen,
          parameters: yield* event.state.parameters,
          average: average === undefined ? undefined : yield* average.parameters,
        }
      }),
  )
const nothingLives = Effect.gen(function* () {
  const live = yield* (yield* Device).live
  assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })
})
const near = (a: Train.HostParameters, b: Train.HostParameters, tolerance: number) => {
  assert.deepStrictEqual(Object.keys(a), Object.keys(b))
  for (const [name, { data }] of Object.entries(a))
    data.forEach((x, i) => assert.closeTo(x, b[name]!.data[i]!, tolerance, `${name}[${i}]`))
}

/** everything at once */
const everything = () =>
  Optim.adamw({ lr: Optim.schedule.oneCycle({ maxLr: 0.02, totalSteps: 8 }), amsgrad: true }).pipe(
    Optim.groups([[/bias$/, Optim.rmsprop({ lr: 1e-3, centered: true, momentum: 0.5 })]]),
    Optim.freeze("fc1.bias"),
    Optim.clipNorm(0.5),
    Optim.average({ decay: 0.5 }),
    Optim.accumulate(2),
  )

for (const [name, device] of [
  ["reference", Reference.layer],
  ["wasm", Wasm.layer({ threads: 2 })],
] as const) {
  describe(`what changes a step, on ${name}`, () => {
    const run = <A, E>(self: Effect.Effect<A, E, Device>) => Effect.provide(self, device)

    it.live("all together: the same bits from the same seed, and nothing is left", () =>
      run(
        Effect.gen(function* () {
          const [a, b] = [yield* watch(fit(everything())), yield* watch(fit(everything()))]
          assert.deepStrictEqual(a.parameters, b.parameters)
          assert.deepStrictEqual(a.average, b.average)
          assert.notDeepEqual(a.average, a.parameters)
          assert.deepStrictEqual(a.parameters["fc1.bias"], Nn.init(net, { seed: 1 })["fc1.bias"])
          assert.deepStrictEqual(a.average?.["fc1.bias"], a.parameters["fc1.bias"])
          yield* nothingLives
          yield* Stream.runDrain(fit(everything()).pipe(Stream.take(4)))
          yield* nothingLives
          yield* Effect.timeoutOption(Stream.runDrain(fit(everything(), { epochs: 10_000 })), 30)
          yield* nothingLives
        }),
      ),
    )

    it.live("batches that are accumulated give what one batch of them all gives", () =>
      run(
        Effect.gen(function* () {
          const optimizer = Optim.adam({ lr: 0.01, eps: 1e-3 }).pipe(Optim.clipNorm(0.3))
          const whole = yield* watch(fit(optimizer, { batch: 32 }))
          const parts = yield* watch(fit(optimizer.pipe(Optim.accumulate(4)), { batch: 8 }))
          near(parts.parameters, whole.parameters, 1e-5)
        }),
      ),
    )
  })
}

describe("what changes a step", () => {
  const run = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    self.pipe(Effect.scoped, Effect.provide(Layer.merge(Reference.layer, NodeServices.layer)))

  it.live("both devices give the same parameters", () =>
    Effect.gen(function* () {
      const a = yield* watch(fit(everything())).pipe(Effect.provide(Reference.layer))
      const b = yield* watch(fit(everything())).pipe(Effect.provide(Wasm.layer()))
      near(a.parameters, b.parameters, 1e-4)
    }),
  )

  it.live("frozen parameters cost no gradient and no memory of the optimiser", () =>
    run(
      Effect.gen(function* () {
        const plans: Array<Plan> = []
        const device = yield* Device
        const spy = { ...device, compile: (plan: Plan) => (plans.push(plan), device.compile(plan)) }
        for (const optimizer of [Optim.adam(), Optim.adam().pipe(Optim.freeze(["conv", "fc1"]))])
          yield* Effect.provideService(Stream.runDrain(fit(optimizer, { epochs: 1 })), Device, spy)
        const [whole, frozen] = plans
        const updates = (plan: Plan) => plan.steps.filter((s) => s.code._tag === "Kernel" && s.code.name === "adam")
        const contractions = (plan: Plan) => plan.steps.filter((s) => s.code._tag === "Contraction")
        assert.strictEqual(updates(whole!).length, 6)
        assert.strictEqual(updates(frozen!).length, 2)
        // three forward; the weight gradients of all three, and two gradients of inputs; of the frozen only fc2's weight
        assert.strictEqual(contractions(whole!).length, 8)
        assert.strictEqual(contractions(frozen!).length, 4)
        const state = (plan: Plan) => plan.buffers.filter((b) => b.role._tag === "State").length
        assert.strictEqual(state(whole!), 18)
        assert.strictEqual(state(frozen!), 10)
      }),
    ),
  )

  it.live("the rate of a step is the schedule's, and events tell it", () =>
    run(
      Effect.gen(function* () {
        const lr = Optim.schedule.cosine({ lr: 0.1, tMax: 8 })
        const { steps } = yield* watch(fit(Optim.sgd({ lr })))
        assert.deepStrictEqual(
          steps.map((s) => s.learningRate),
          [1, 2, 3, 4, 5, 6, 7, 8].map((s) => lr(s)),
        )
      }),
    ),
  )

  it.live("the average is what is evaluated and saved where that is asked for", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const out = yield* fs.makeTempDirectoryScoped()
        const metrics = { loss: Evaluate.meanLoss() }
        const averages: Array<Train.HostParameters> = []
        const events = yield* Stream.runCollect(
          fit(Optim.adam({ lr: 0.05 }).pipe(Optim.average({ decay: 0.9 }))).pipe(
            Train.evaluateEachEpoch(held, metrics, { weights: "average" }),
            Train.save(`${out}/average.safetensors`, { weights: "average" }),
            Train.save(`${out}/current.safetensors`),
            Stream.tap((e) =>
              e._tag === "EpochEnd"
                ? Effect.map(e.state.average()!.parameters, (p) => void averages.push(p))
                : Effect.void,
            ),
          ),
        )
        const saved = (yield* Train.load(`${out}/average.safetensors`)).parameters
        assert.deepStrictEqual(saved, averages.at(-1))
        assert.notDeepEqual((yield* Train.load(`${out}/current.safetensors`)).parameters, saved)
        const told = events.flatMap((e) => (e._tag === "Evaluation" ? [e.metrics["loss"]] : []))
        for (const [i, parameters] of averages.entries()) {
          const again = yield* Evaluate.run({ model: net, parameters, data: held, metrics })
          assert.strictEqual(told[i], again.loss)
        }
        const stale = events.find((e) => e._tag === "EpochEnd")
        assert.strictEqual((yield* Effect.flip(stale!.state.average()!.parameters))._tag, "StaleState")
        const none = fit(Optim.adam()).pipe(Train.evaluateEachEpoch(held, metrics, { weights: "average" }))
        const error = yield* Effect.flip(Stream.runDrain(none))
        assert.strictEqual(
          error.message,
          "there is no average of the parameters to take; give the optimizer .pipe(Optim.average())",
        )
        yield* nothingLives
      }),
    ),
  )

  it.live("names that mean no parameter are refused before anything runs", () =>
    run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(Stream.runDrain(fit(Optim.adam().pipe(Optim.freeze("features")))))
        assert.strictEqual(
          error.message,
          "freeze: features means no parameter; there are conv.weight, conv.bias, fc1.weight, fc1.bias, fc2.weight, fc2.bias",
        )
        yield* nothingLives
      }),
    ),
  )

  it.live("the rate goes down on a plateau, for the epochs that follow", () =>
    run(
      Effect.gen(function* () {
        const rates = (self: Stream.Stream<Train.TrainEvent, unknown, Device>) =>
          Effect.map(Stream.runCollect(self), (events) =>
            events.flatMap((e) => (e._tag === "Step" && e.step === 1 ? [e.learningRate] : [])),
          )
        // nothing is better than the first: every epoch after it lowers the rate of the next
        const options = { threshold: 1e9, thresholdMode: "abs", patience: 0, factor: 0.5, minLr: 0.02 } as const
        const found = yield* rates(
          fit(Optim.sgd({ lr: 0.1 }), { epochs: 5 }).pipe(
            Train.evaluateEachEpoch(held, Evaluate.meanLoss()),
            Train.reduceOnPlateau({ ...options, metric: { evaluation: "loss" } }),
          ),
        )
        ;[0.1, 0.1, 0.05, 0.025, 0.02].forEach((lr, i) => assert.closeTo(found[i]!, lr, 1e-12))
        const scheduled = Optim.sgd({ lr: (step) => (step > 8 ? 0.4 : 0.1) })
        const both = yield* rates(fit(scheduled, { epochs: 3 }).pipe(Train.reduceOnPlateau(options)))
        ;[0.1, 0.1, 0.2].forEach((lr, i) => assert.closeTo(both[i]!, lr, 1e-12))
        // the parameters follow the rate that is told
        const lowered = yield* watch(
          // a run that is only watched fails with nothing else
          fit(Optim.sgd({ lr: 0.1 }), { epochs: 3 }).pipe(
            Train.reduceOnPlateau({ ...options, minLr: 0 }),
            Stream.orDie,
          ),
        )
        const told = yield* watch(fit(Optim.sgd({ lr: (step) => (step > 8 ? 0.05 : 0.1) }), { epochs: 3 }))
        assert.deepStrictEqual(lowered.parameters, told.parameters)
        yield* nothingLives
      }),
    ),
  )

  it.live("a plateau that cannot be watched, or is watched too late, is an error", () =>
    run(
      Effect.gen(function* () {
        const sgd = Optim.sgd({ lr: 0.1 })
        const wrong = fit(sgd).pipe(Train.reduceOnPlateau({ factor: 2 }))
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(wrong))).message,
          "reduceOnPlateau needs factor above 0 and below 1, not 2",
        )
        const absent = fit(sgd).pipe(
          Train.evaluateEachEpoch(held, Evaluate.accuracy),
          Train.reduceOnPlateau({ metric: { evaluation: "loss" } }),
        )
        assert.strictEqual(
          (yield* Effect.flip(Stream.runDrain(absent))).message,
          "reduceOnPlateau: the evaluation has no loss; it has accuracy",
        )
        const buffered = fit(sgd).pipe(
          Stream.buffer({ capacity: 8 }),
          Stream.tap(() => Effect.sleep(2)),
          Train.reduceOnPlateau(),
        )
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(buffered)))._tag, "StaleState")
        yield* nothingLives
      }),
    ),
  )
})
