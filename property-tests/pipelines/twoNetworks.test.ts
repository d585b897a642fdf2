/** Two networks in one program, as the examples have them: each step changes its own network and no other. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { student, study, teacher } from "../../examples/13-distillation.ts"
import { adam, randomNoise, rivals } from "../../examples/14-gan.ts"
import { Data, Device, Evaluate, HostTensor, Loss, Nn, Optim, State, Train, Wasm } from "../../src/index.ts"

const { train, test } = Effect.runSync(Data.synthetic({ seed: 2, train: 256, test: 128, noise: 0.1 }))
const onWasm = <A, E>(self: Effect.Effect<A, E, Device>) =>
  self.pipe(
    Effect.tap(() =>
      Effect.gen(function* () {
        const live = yield* (yield* Device).live
        assert.deepStrictEqual({ ...live }, { handles: 0, bytes: 0 })
      }),
    ),
    Effect.provide(Wasm.layer({ threads: 2 })),
  )
const accuracyOf = (model: Train.Model<readonly ["N", 1, 28, 28]>, parameters: Train.HostParameters) =>
  Effect.map(
    Evaluate.run({ model, parameters, data: test, metrics: { accuracy: Evaluate.accuracy } }),
    ({ accuracy }) => accuracy,
  )

describe("a teacher and a student", () => {
  it.live("the student learns of the teacher alone, which stays as it was, bit for bit", () =>
    Effect.gen(function* () {
      const last = yield* Train.fit({
        model: teacher,
        loss: Loss.crossEntropy(),
        optimizer: Optim.adam({ lr: 2e-3 }),
        data: train.pipe(Data.shuffle, Data.batch(32)),
        epochs: 6,
      }).pipe(
        Stream.filter((e) => e._tag === "EpochEnd" && e.epoch === e.epochs),
        Stream.mapEffect((e) => e.state.parameters),
        Stream.runHead,
      )
      assert(last._tag === "Some")
      const known = yield* Nn.stateDict(teacher, last.value)
      const before = structuredClone(known)
      // every label is wrong or worthless: what it learns it has from the teacher
      const data = train.pipe(Data.relabel(train.classes, () => 0))
      const taught = yield* study({ known, data, share: 1, temperature: 2, epochs: 8 })
      assert.deepStrictEqual(taught.teacher, before)
      assert.isBelow(taught.losses.at(-1)!, 0.7 * taught.losses[0]!)
      assert.isAbove(yield* accuracyOf(student, taught.student), 0.7)
      // with no word from the teacher it learns to say 0
      const alone = yield* study({ known, data, share: 0, temperature: 2, epochs: 8 })
      assert.isBelow(yield* accuracyOf(student, alone.student), 0.2)
    }).pipe(onWasm),
  )
})

describe("a generator and a discriminator", () => {
  const batch = Effect.map(
    train.read(
      Uint32Array.from({ length: 32 }, (_, i) => i),
      { seed: 1, epoch: 1 },
    ),
    (read) => HostTensor.make([32, 1, 28, 28], read.images),
  )

  it.live("each step changes every parameter of its own network and no bit of the other's", () =>
    Effect.gen(function* () {
      const { maker, judge, discriminate, generate } = yield* rivals
      const [x, z, scalars] = [yield* batch, yield* randomNoise(32), adam.scalars(1)]
      const changed = (before: Train.HostParameters, after: Train.HostParameters) =>
        Object.keys(before).filter((name) => before[name]!.data.some((v, i) => v !== after[name]!.data[i]))
      const first = { maker: yield* State.read(maker), judge: yield* State.read(judge) }

      const judged = yield* discriminate.run({ maker, judge, z, x, scalars })
      const afterJudging = { maker: yield* State.read(maker), judge: yield* State.read(judged.judge) }
      assert.deepStrictEqual(afterJudging.maker, first.maker)
      assert.deepStrictEqual(changed(first.judge.params, afterJudging.judge.params), Object.keys(first.judge.params))
      // the handle to what was changed is stale, the other is not
      assert.strictEqual((yield* Effect.flip(State.read(judge)))._tag, "StaleState")

      const made = yield* generate.run({ maker, judge: judged.judge, z, scalars })
      const afterMaking = { maker: yield* State.read(made.maker), judge: yield* State.read(judged.judge) }
      assert.deepStrictEqual(afterMaking.judge, afterJudging.judge)
      // running statistics among them
      assert.deepStrictEqual(changed(first.maker.params, afterMaking.maker.params), Object.keys(first.maker.params))
      assert.include(Object.keys(first.maker.params), "norm1.running_mean")
    }).pipe(Random.withSeed("rivals"), Effect.scoped, onWasm),
  )

  it.live("each lowers its own loss where the other stands still", () =>
    Effect.gen(function* () {
      const { discriminate, generate, ...first } = yield* rivals
      let { maker, judge } = first
      const [x, z] = [yield* batch, yield* randomNoise(32)]
      const judging: Array<number> = []
      const making: Array<number> = []
      for (let step = 1; step <= 30; step++) {
        const next = yield* discriminate.run({ maker, judge, z, x, scalars: adam.scalars(step) })
        judge = next.judge
        judging.push(next.loss)
      }
      for (let step = 1; step <= 30; step++) {
        const next = yield* generate.run({ maker, judge, z, scalars: adam.scalars(step) })
        maker = next.maker
        making.push(next.loss)
      }
      // one that knows nothing gives each picture a half
      assert.closeTo(judging[0]!, 2 * Math.LN2, 0.1)
      assert.isBelow(judging.at(-1)!, 0.7 * judging[0]!)
      assert.isBelow(making.at(-1)!, 0.7 * making[0]!)
    }).pipe(Random.withSeed("rivals"), Effect.scoped, onWasm),
  )
})
