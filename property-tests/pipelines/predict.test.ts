import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import sharp from "sharp"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Predict from "../../src/pipelines/Predict.ts"
import { makeBatcher } from "../../src/pipelines/predict/batcher.ts"
import { byHand, papers } from "./drawnDigits.ts"

/** a model whose logits are its input */
const identity = Nn.sequential(Nn.input("N", 1, 1, 3), Nn.flatten())
const options = { model: identity, parameters: {}, classes: ["cat", "dog", "emu"] }

const nothingLives = Effect.gen(function* () {
  assert.deepStrictEqual({ ...(yield* (yield* Device).live) }, { handles: 0, bytes: 0 })
})

describe("calls answered in batches", () => {
  const doubling = (batches: Array<number>, seconds = 0) =>
    makeBatcher(
      (values: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          batches.push(values.length)
          if (seconds > 0) yield* Effect.sleep(Duration.seconds(seconds))
          if (values.includes(13)) return yield* Effect.fail("unlucky batch")
          return values.map((v) => (v < 0 ? Effect.fail(`${v} is negative`) : Effect.succeed(2 * v)))
        }),
      () => "closed",
      { batchSize: 3, maxDelay: "10 millis" },
    )

  it.effect("a full batch does not wait, and a lone call waits as long as told, not longer", () =>
    Effect.gen(function* () {
      const batches: Array<number> = []
      const ask = yield* doubling(batches)
      assert.deepStrictEqual(yield* Effect.all([ask(1), ask(2), ask(3)], { concurrency: 3 }), [2, 4, 6])
      const lone = yield* Effect.forkChild(ask(5))
      yield* TestClock.adjust("9 millis")
      assert.isUndefined(lone.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(lone), 10)
      assert.deepStrictEqual(batches, [3, 1])
    }),
  )

  it.effect("what comes while a batch is answered goes together, each answer to its own caller", () =>
    Effect.gen(function* () {
      const batches: Array<number> = []
      const ask = yield* doubling(batches, 1)
      const fibers = yield* Effect.forEach([1, 2, 3, 4, -5, 6, 7], (v) => Effect.forkChild(Effect.result(ask(v))))
      yield* TestClock.adjust("4 seconds")
      const found = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(
        found.map((r) => (r._tag === "Success" ? r.success : r.failure)),
        [2, 4, 6, 8, "-5 is negative", 12, 14],
      )
      assert.deepStrictEqual(batches, [3, 3, 1])
    }),
  )

  it.effect("an interrupted call leaves; a batch that fails fails its own calls; both spoil nothing after", () =>
    Effect.gen(function* () {
      const batches: Array<number> = []
      const ask = yield* doubling(batches)
      const [a, b] = [yield* Effect.forkChild(ask(1)), yield* Effect.forkChild(ask(2))]
      yield* TestClock.adjust("5 millis")
      yield* Fiber.interrupt(a)
      yield* TestClock.adjust("5 millis")
      assert.strictEqual(yield* Fiber.join(b), 4)
      assert.deepStrictEqual(batches, [1])
      const gone = yield* Effect.forkChild(ask(1))
      yield* TestClock.adjust("1 millis")
      yield* Fiber.interrupt(gone)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(batches, [1])
      const unlucky = yield* Effect.forkChild(Effect.flip(Effect.all([ask(13), ask(1), ask(1)], { concurrency: 3 })))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* Fiber.join(unlucky), "unlucky batch")
      assert.deepStrictEqual(yield* Effect.all([ask(1), ask(2), ask(3)], { concurrency: 3 }), [2, 4, 6])
    }),
  )

  it.effect("when the scope closes, what waits is told, what has begun is answered, and no call hangs", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const batches: Array<number> = []
      const ask = yield* doubling(batches, 1).pipe(Scope.provide(scope))
      const calls = yield* Effect.forEach([1, 2, 3, 4], (v) => Effect.forkChild(Effect.exit(ask(v))))
      yield* TestClock.adjust("20 millis")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      const found = yield* Effect.forEach(calls, Fiber.join)
      assert.deepStrictEqual(found, [Exit.succeed(2), Exit.succeed(4), Exit.succeed(6), Exit.fail("closed")])
      assert.strictEqual(yield* Effect.flip(ask(1)), "closed")
    }),
  )
})

describe("Predict", () => {
  it.live("gives class names and probabilities, the most probable first, and leaves nothing behind", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { predict, shape } = yield* Predict.make(options)
          assert.deepStrictEqual(shape, [1, 1, 3])
          const logits = [1, 3, 2]
          const total = logits.reduce((s, x) => s + Math.exp(x), 0)
          const found = yield* predict(HostTensor.make([1, 1, 3], logits))
          assert.strictEqual(found.label, "dog")
          assert.deepStrictEqual(
            found.classes.map((c) => [c.label, c.index]),
            [
              ["dog", 1],
              ["emu", 2],
              ["cat", 0],
            ],
          )
          found.classes.forEach((c) => assert.closeTo(c.probability, Math.exp(logits[c.index]!) / total, 1e-6))
          // fifty at once, each its own answer
          const many = yield* Effect.forEach(
            Array.from({ length: 50 }, (_, i) => i),
            (i) => predict(Float32Array.from([0, 1, 2], (c) => (c === i % 3 ? 5 : 0))),
            { concurrency: "unbounded" },
          )
          assert.deepStrictEqual(
            many.map((p) => p.index),
            many.map((_, i) => i % 3),
          )
        }),
      )
      yield* nothingLives
    }).pipe(Effect.provide(Reference.layer)),
  )

  it.live("what is wrong with one picture is told to its caller only", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { predict, fromBytes, fromFile } = yield* Predict.make(options)
          const message = <A, E extends Error, R>(self: Effect.Effect<A, E, R>) =>
            Effect.map(Effect.flip(self), (e) => e.message)
          const [good, broken, small, text] = yield* Effect.all(
            [
              predict(Float32Array.of(9, 0, 0)),
              message(predict(Float32Array.of(Number.NaN, 0, 0), "b.png")),
              message(predict(HostTensor.make([1, 3], [1, 2, 3]), "c.png")),
              message(fromBytes(new TextEncoder().encode("no picture"), "d.png")),
            ],
            { concurrency: 4 },
          )
          assert.strictEqual(good.label, "cat")
          assert.match(broken, /^b\.png has no finite probabilities: look for values/)
          assert.strictEqual(small, "c.png is 1×3 but the model takes 1×1×3; bring it to that size")
          assert.match(text, /^d\.png cannot be decoded as a picture \(.*unsupported image format.*\); give a PNG/)
          const absent = yield* message(fromFile("/nowhere/e.png"))
          assert.strictEqual(
            absent,
            "/nowhere/e.png cannot be read (it does not exist); check its path and its permissions",
          )
        }),
      )
      yield* nothingLives
      const none = yield* Effect.flip(Effect.scoped(Predict.make({ ...options, batchSize: 0 })))
      assert.match(none.message, /^batchSize is 0, it must be/)
      const four = yield* Effect.flip(Effect.scoped(Predict.make({ ...options, classes: ["a", "b", "c", "d"] })))
      assert.match(four.message, /^there are 4 classes, but the model gives 3 numbers/)
    }).pipe(Effect.provide(Reference.layer), Effect.provide(NodeServices.layer)),
  )

  it.live("a call that is interrupted, and a scope that closes under calls, leave nothing behind", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { predict } = yield* Predict.make({ ...options, maxDelay: "20 millis" })
          const gone = yield* Effect.forkChild(predict(Float32Array.of(1, 2, 3)))
          const kept = yield* Effect.forkChild(predict(Float32Array.of(1, 2, 3)))
          yield* Effect.sleep("2 millis")
          yield* Fiber.interrupt(gone)
          assert.strictEqual((yield* Fiber.join(kept)).label, "emu")
        }),
      )
      yield* nothingLives
      const scope = yield* Scope.make()
      const { predict } = yield* Predict.make({ ...options, maxDelay: "1 minutes" }).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(Effect.flip(predict(Float32Array.of(1, 2, 3))))
      yield* Effect.sleep("2 millis")
      yield* Scope.close(scope, Exit.void)
      assert.match((yield* Fiber.join(waiting)).message, /scope had been closed; predict inside the scope/)
      yield* nothingLives
    }).pipe(Effect.provide(Reference.layer)),
  )
})

describe("a picture of a digit", () => {
  const inForm = (png: Uint8Array) => Predict.asMnist()(png, "digit.png")

  it.live("comes within 20×20, its centre of mass in the middle of 28×28, light on black, on every paper", () =>
    Effect.gen(function* () {
      for (const [name, paper] of Object.entries(papers)) {
        const data = yield* inForm(yield* Effect.promise(() => byHand(2, 0, paper)))
        const inked = Array.from(data, (v, i) => [v, i % 28, Math.floor(i / 28)] as const).filter(([v]) => v > 0.1)
        const range = (k: 1 | 2) => Math.max(...inked.map((p) => p[k])) - Math.min(...inked.map((p) => p[k])) + 1
        assert.isTrue(range(1) <= 20 && range(2) <= 20 && range(2) >= 18, `${name}: ${range(1)}×${range(2)}`)
        const mass = data.reduce((a, b) => a + b, 0)
        for (const k of [1, 2] as const) {
          const centre = Array.from(data, (v, i) => v * (k === 1 ? i % 28 : Math.floor(i / 28))).reduce((a, b) => a + b)
          assert.closeTo(centre / mass, 13.5, 0.51, name)
        }
        assert.strictEqual(Math.max(...data), 1)
        // the corners are background
        for (const corner of [0, 27, 756, 783]) assert.strictEqual(data[corner], 0)
        // a digit's ink is a part of the square as it is in MNIST, where the mean of all pixels is 0.13
        assert.isTrue(mass / 784 > 0.06 && mass / 784 < 0.25, `${name}: ${mass / 784}`)
      }
    }),
  )

  it.live("is the same where it lies, however large, and inverted or not", () =>
    Effect.gen(function* () {
      const paper = papers["dark on white"]!
      const variants = [
        { ...paper, at: [20, 100] as const },
        { ...paper, size: [560, 560] as const, at: [200, 200] as const, scale: 2 },
        { ...paper, ink: "#eee", paper: "#000" },
      ]
      const first = yield* inForm(yield* Effect.promise(() => byHand(5, 0, paper)))
      for (const variant of variants) {
        const data = yield* inForm(yield* Effect.promise(() => byHand(5, 0, variant)))
        const far = data.reduce((sum, v, i) => sum + Math.abs(v - first[i]!), 0) / 784
        assert.isBelow(far, 0.02)
      }
    }),
  )

  it.live("that is transparent is laid on what its ink stands out from; a blank one is told", () =>
    Effect.gen(function* () {
      const circle = (fill: string) =>
        Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90">
          <circle cx="45" cy="45" r="20" fill="none" stroke="${fill}" stroke-width="6"/></svg>`)
      const png = (svg: Buffer) => Effect.promise(() => sharp(svg).png().toBuffer())
      const [dark, light] = [yield* inForm(yield* png(circle("black"))), yield* inForm(yield* png(circle("white")))]
      assert.isBelow(
        dark.reduce((s, v, i) => s + Math.abs(v - light[i]!), 0),
        1,
      )
      assert.isAbove(dark[14 * 28 + 5]!, 0.5)
      const create = { width: 60, height: 60, channels: 3, background: "#c8c8c8" } as const
      const blank = yield* Effect.promise(() => sharp({ create }).png().toBuffer())
      const { message } = yield* Effect.flip(inForm(blank))
      assert.match(message, /^digit\.png shows nothing that stands out from its background; give a picture/)
    }),
  )

  it.live("other pictures are resized to cover the model's input, channel after channel, and normalised", () =>
    Effect.gen(function* () {
      const create = { width: 40, height: 20, channels: 3, background: { r: 255, g: 51, b: 0 } } as const
      const png = yield* Effect.promise(() => sharp({ create }).png().toBuffer())
      const prepare = Predict.resizedTo([3, 2, 2], { mean: [0.5, 0, 0.5], std: [0.5, 0.2, 0.25] })
      assert.deepStrictEqual(
        Array.from(yield* prepare(png, "p"), (x) => Math.round(x * 1e4) / 1e4),
        [1, 1, 1, 1, 1, 1, 1, 1, -2, -2, -2, -2],
      )
      const gray = yield* Predict.resizedTo([1, 2, 2])(png, "p")
      assert.strictEqual(gray.length, 4)
    }),
  )

  it.live("a run's folder is all a predictor needs", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const missing = yield* Effect.flip(Effect.scoped(Predict.fromRun(folder)))
      assert.match(missing.message, /there is no .*run\.json/)
    }).pipe(Effect.scoped, Effect.provide(Reference.layer), Effect.provide(NodeServices.layer)),
  )
})
