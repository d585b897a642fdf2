import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { Device } from "../../src/gpu/Device.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import * as Nn from "../../src/models/index.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Predict from "../../src/pipelines/Predict.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

/** a model whose logits are its input, so that a test can say what they are */
const identity = (classes: number) => Nn.sequential(Nn.input("N", 1, 1, classes), Nn.flatten())

const samples = (logits: ReadonlyArray<ReadonlyArray<number>>, labels: ReadonlyArray<number>) => {
  const classes = logits[0]!.length
  return Data.fromArrays({ shape: [1, 1, classes], images: Float32Array.from(logits.flat()), labels, classes })
}

/** the figures of given logits, in batches of `size` */
const figures = <const M extends Evaluate.Metrics>(
  given: { readonly logits: ReadonlyArray<ReadonlyArray<number>>; readonly labels: ReadonlyArray<number> },
  metrics: M,
  size = 2,
  last: Data.Last = "pad",
) =>
  Effect.gen(function* () {
    const data = Data.batch(yield* samples(given.logits, given.labels), size, { last })
    const model = identity(given.logits[0]!.length)
    const found = yield* Evaluate.run({ model, parameters: {}, data, metrics })
    assert.deepStrictEqual({ ...(yield* (yield* Device).live) }, { handles: 0, bytes: 0 })
    return found
  })

/** logits that make the classes `predictions` */
const predicting = (predictions: ReadonlyArray<number>, classes: number) =>
  predictions.map((p) => Array.from({ length: classes }, (_, c) => (c === p ? 1 : 0)))

const onReference = Effect.provide(Reference.layer)
const onWasm = Effect.provide(Wasm.layer({ threads: 1 }))

describe("metrics", () => {
  // the examples of scikit-learn's documentation
  it.live("give scikit-learn's values: precision, recall, F1", () =>
    Effect.gen(function* () {
      const given = { logits: predicting([0, 2, 1, 0, 0, 1], 3), labels: [0, 1, 2, 0, 1, 2] }
      const averages = ["macro", "micro", "weighted", "perClass"] as const
      const those = (metric: typeof Evaluate.f1) =>
        Effect.map(figures(given, Object.fromEntries(averages.map((a) => [a, metric(a)]))), (found) =>
          averages.map((a) => found[a]),
        )
      const close = (found: ReadonlyArray<unknown>, expected: ReadonlyArray<number | ReadonlyArray<number>>) =>
        found.forEach((value, i) => {
          const pairs = [value].flat().map((x, j) => [Number(x), [expected[i]!].flat()[j]!] as const)
          for (const [a, b] of pairs) assert.closeTo(a, b, 1e-12)
        })
      close(yield* those(Evaluate.precision), [2 / 9, 1 / 3, 2 / 9, [2 / 3, 0, 0]])
      close(yield* those(Evaluate.recall), [1 / 3, 1 / 3, 1 / 3, [1, 0, 0]])
      close(yield* those(Evaluate.f1), [4 / 15, 1 / 3, 4 / 15, [0.8, 0, 0]])
      // macro unless told
      assert.strictEqual((yield* figures(given, { f1: Evaluate.f1() })).f1, 4 / 15)
    }).pipe(onReference),
  )

  it.live("give scikit-learn's values: confusion matrix, top-k accuracy", () =>
    Effect.gen(function* () {
      const given = { logits: predicting([0, 0, 2, 2, 0, 2], 3), labels: [2, 0, 2, 2, 0, 1] }
      const { matrix } = yield* figures(given, { matrix: Evaluate.confusionMatrix }, 4)
      assert.deepStrictEqual(matrix, [
        [2, 0, 0],
        [0, 0, 1],
        [1, 0, 2],
      ])
      const scores = {
        logits: [
          [0.5, 0.2, 0.2],
          [0.3, 0.4, 0.2],
          [0.2, 0.4, 0.3],
          [0.7, 0.2, 0.1],
        ],
        labels: [0, 1, 2, 2],
      }
      const found = yield* figures(scores, { 1: Evaluate.topK(1), 2: Evaluate.topK(2), 3: Evaluate.topK(3) }, 3)
      assert.deepStrictEqual(found, { 1: 0.5, 2: 0.75, 3: 1 })
    }).pipe(onReference),
  )

  it.live("of two equal logits the first counts as the larger, and NaN is never right", () =>
    Effect.gen(function* () {
      const tied = { logits: predicting([3, 3], 3), labels: [0, 1] }
      const found = yield* figures(tied, { a: Evaluate.accuracy, 1: Evaluate.topK(1), 2: Evaluate.topK(2) })
      assert.deepStrictEqual(found, { 1: 0.5, 2: 1, a: 0.5 })
      const broken = { logits: [[Number.NaN, Number.NaN, Number.NaN]], labels: [1] }
      assert.strictEqual((yield* figures(broken, { top: Evaluate.topK(2) })).top, 0)
    }).pipe(onReference),
  )

  it.live(
    "agree with plain loops over all samples, whatever the batches",
    () =>
      Effect.gen(function* () {
        const runPromise = Effect.runPromiseWith(yield* Effect.context<Device>())
        const holds = ({ classes, rows, size, k, last }: Case) =>
          Effect.gen(function* () {
            const given = { logits: rows.map((r) => r.logits), labels: rows.map((r) => r.label) }
            const metrics = {
              accuracy: Evaluate.accuracy,
              loss: Evaluate.meanLoss(),
              top: Evaluate.topK(k),
              matrix: Evaluate.confusionMatrix,
              precision: Evaluate.precision("perClass"),
              recall: Evaluate.recall("macro"),
              f1: Evaluate.f1("micro"),
            }
            const found = yield* figures(given, metrics, size, last)
            const expected = bruteForce(given, classes, k)
            assert.deepStrictEqual(found.matrix, expected.matrix)
            assert.deepStrictEqual(found.precision, expected.precision)
            assert.closeTo(found.recall, expected.recall, 1e-12)
            assert.closeTo(found.f1, expected.accuracy, 1e-12)
            assert.closeTo(found.accuracy, expected.accuracy, 1e-12)
            assert.closeTo(found.top, expected.top, 1e-12)
            assert.closeTo(found.loss, expected.loss, 1e-5 * (1 + expected.loss))
          })
        const property = fc.asyncProperty(cases, (given) => runPromise(holds(given)))
        yield* Effect.promise(() => fc.assert(property, { numRuns: 12 }))
      }).pipe(onWasm),
    60_000,
  )

  it.live("the mean of batch means weighs a short batch as the others, on request only", () =>
    Effect.gen(function* () {
      // right, right, right, wrong | wrong: 3/5 of the samples, (3/4 + 0) / 2 of the batches
      const given = { logits: predicting([0, 1, 0, 0, 0], 2), labels: [0, 1, 0, 1, 1] }
      const metrics = { samples: Evaluate.accuracy, batches: Evaluate.meanOfBatches(Evaluate.accuracy) }
      assert.deepStrictEqual(yield* figures(given, metrics, 4), { samples: 0.6, batches: 0.375 })
      const data = Data.batch(yield* samples(given.logits, given.labels), 4)
      const model = Nn.entitled("Net", identity(2))
      const bySamples = yield* Evaluate.model({ model, parameters: {}, data })
      const byBatches = yield* Evaluate.model({ model, parameters: {}, data, mean: "batches" })
      const [right, wrong] = [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(1))]
      assert.strictEqual(bySamples.model_name, "Net")
      assert.strictEqual(bySamples.model_acc, 60)
      assert.strictEqual(byBatches.model_acc, 37.5)
      assert.closeTo(bySamples.model_loss, (3 * right + 2 * wrong) / 5, 1e-6)
      assert.closeTo(byBatches.model_loss, ((3 * right + wrong) / 4 + wrong) / 2, 1e-6)
    }).pipe(onReference),
  )
})

describe("evaluation in training mode", () => {
  const net = Nn.sequential(Nn.input("N", 1, 1, 2), Nn.batchNorm2d(1), Nn.flatten(), [
    "fc",
    Nn.linear(2, 2, { bias: false }),
  ])
  const bare = Nn.batchNorm2d(1, { affine: false, trackRunningStats: false })
  const parameters = {
    ...Nn.init(net, { seed: 1 }),
    "0.running_mean": HostTensor.make([1], [100]),
    "fc.weight": HostTensor.make([2, 2], [1, 0, 0, 1]),
  }
  const rows = [
    [1, 3],
    [5, 3],
    [2, 7],
  ]

  it.live("takes the statistics of each batch, and pads none", () =>
    Effect.gen(function* () {
      const data = yield* samples(rows, [0, 0, 1])
      const metrics = { loss: Evaluate.meanLoss() }
      const loss = (batches: ReadonlyArray<ReadonlyArray<readonly [number, number, number]>>) => {
        const all = batches.flatMap((batch) => {
          const numbers = batch.flatMap(([a, b]) => [a, b])
          const mean = numbers.reduce((s, x) => s + x, 0) / numbers.length
          const variance = numbers.reduce((s, x) => s + (x - mean) ** 2, 0) / numbers.length
          const scale = 1 / Math.sqrt(variance + 1e-5)
          return batch.map(([a, b, label]) => {
            const [x, y] = [(a - mean) * scale, (b - mean) * scale]
            return Math.log(Math.exp(x) + Math.exp(y)) - (label === 0 ? x : y)
          })
        })
        return all.reduce((s, x) => s + x, 0) / all.length
      }
      const labelled = rows.map(([a = 0, b = 0], i) => [a, b, [0, 0, 1][i]!] as const)
      const inOne = yield* Evaluate.run({ model: net, parameters, data, metrics, training: true })
      assert.closeTo(inOne.loss, loss([labelled]), 1e-5)
      const inTwo = yield* Evaluate.run({ model: net, parameters, data: Data.batch(data, 2), metrics, training: true })
      assert.closeTo(inTwo.loss, loss([labelled.slice(0, 2), labelled.slice(2)]), 1e-5)
      // as it is used, the running statistics count: they are those of nothing
      const asUsed = yield* Evaluate.run({ model: net, parameters, data, metrics })
      assert.notStrictEqual(asUsed.loss.toFixed(3), inOne.loss.toFixed(3))
      const padded = Data.batch(data, 2, { last: "pad" })
      const refused = yield* Effect.flip(
        Evaluate.run({ model: net, parameters, data: padded, metrics, training: true }),
      )
      assert.match(refused.message, /^arrays pads its last batch.*give last: "keep"$/)
      // without running statistics it is the same in evaluation
      const untracked = Nn.sequential(Nn.input("N", 1, 1, 2), bare, Nn.flatten())
      const given = { model: untracked, parameters: {}, metrics }
      assert.closeTo((yield* Evaluate.run({ ...given, data })).loss, loss([labelled]), 1e-5)
      const refusedToo = yield* Effect.flip(Evaluate.run({ ...given, data: padded }))
      assert.match(refusedToo.message, /which a model without running statistics cannot tell from samples/)
    }).pipe(onReference),
  )

  it.live("a prediction without running statistics does not depend on who else asks", () =>
    Effect.gen(function* () {
      const model = Nn.sequential(Nn.input("N", 1, 1, 2), bare, Nn.flatten())
      const { predict } = yield* Predict.make({ model, parameters: {}, maxDelay: "5 millis" })
      const pictures = [
        [0, 1],
        [7, -7],
        [3, 5],
      ].map((picture) => Float32Array.from(picture))
      const alone = yield* Effect.forEach(pictures, (picture) => predict(picture))
      const together = yield* Effect.forEach(pictures, (picture) => predict(picture), { concurrency: "unbounded" })
      assert.deepStrictEqual(together, alone)
      // of a picture by itself, the two numbers become -1 and 1
      assert.closeTo(alone[0]?.probability ?? 0, 1 / (1 + Math.exp(-2)), 1e-4)
    }).pipe(Effect.scoped, onReference),
  )

  it.live("drops by the seed where there is dropout", () =>
    Effect.gen(function* () {
      const dropping = Nn.sequential(Nn.input("N", 1, 1, 64), Nn.flatten(), Nn.dropout(0.5))
      const logits = [0, 1, 2, 3].map((r) => Array.from({ length: 64 }, (_, c) => Math.sin(r + 7 * c)))
      const data = yield* samples(logits, [1, 2, 3, 4])
      const loss = (seed: number, training: boolean) => {
        const metrics = { loss: Evaluate.meanLoss() }
        return Effect.map(
          Evaluate.run({ model: dropping, parameters: {}, data, metrics, training, seed }),
          (f) => f.loss,
        )
      }
      const [a, again, other, none] = [
        yield* loss(1, true),
        yield* loss(1, true),
        yield* loss(2, true),
        yield* loss(1, false),
      ]
      assert.strictEqual(a, again)
      assert.notStrictEqual(a, other)
      assert.notStrictEqual(a, none)
    }).pipe(onReference),
  )

  it.live("after each epoch, beside the evaluation as it is used", () =>
    Effect.gen(function* () {
      const data = yield* samples([...rows, ...rows], [0, 0, 1, 0, 0, 1])
      const evaluations = yield* Train.fit({
        model: net,
        loss: Loss.crossEntropy(),
        optimizer: Optim.sgd({ lr: 0.1 }),
        data: Data.batch(data, 6),
        epochs: 2,
      }).pipe(
        Train.evaluateEachEpoch(data, { inTraining: Evaluate.meanLoss() }, { training: true }),
        Train.evaluateEachEpoch(data, { loss: Evaluate.meanLoss() }),
        Stream.filter((event) => event._tag === "Evaluation"),
        Stream.map((event) => Object.keys(event.metrics)[0]),
        Stream.runCollect,
      )
      assert.deepStrictEqual(evaluations, ["loss", "inTraining", "loss", "inTraining"])
    }).pipe(onReference),
  )
})

// ---------- helpers

/** numbers of which some are equal */
const number = fc.integer({ min: -6, max: 6 }).map((n) => n / 2)
const cases = fc
  .record({
    classes: fc.integer({ min: 2, max: 7 }),
    size: fc.integer({ min: 1, max: 9 }),
    count: fc.integer({ min: 1, max: 25 }),
  })
  .chain(({ classes, size, count }) =>
    fc.record({
      classes: fc.constant(classes),
      size: fc.constant(size),
      k: fc.integer({ min: 1, max: classes }),
      last: fc.constantFrom("keep" as const, "pad" as const),
      rows: fc.array(
        fc.record({
          logits: fc.array(number, { minLength: classes, maxLength: classes }),
          label: fc.integer({ min: 0, max: classes - 1 }),
        }),
        { minLength: count, maxLength: count },
      ),
    }),
  )

type Case = typeof cases extends fc.Arbitrary<infer A> ? A : never

/** the figures by plain loops over the samples */
const bruteForce = (
  given: { readonly logits: ReadonlyArray<ReadonlyArray<number>>; readonly labels: ReadonlyArray<number> },
  classes: number,
  k: number,
) => {
  const matrix = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0))
  let [right, inTop, loss] = [0, 0, 0]
  for (const [n, row] of given.logits.entries()) {
    const label = given.labels[n]!
    // by falling logit, the earlier of equals first
    const order = row.map((_, c) => c).sort((a, b) => row[b]! - row[a]! || a - b)
    matrix[label]![order[0]!]!++
    if (order[0] === label) right++
    if (order.slice(0, k).includes(label)) inTop++
    loss += Math.log(row.reduce((s, x) => s + Math.exp(x), 0)) - row[label]!
  }
  const indices = matrix.map((_, c) => c)
  const taken = indices.map((c) => matrix.reduce((s, row) => s + row[c]!, 0))
  const there = matrix.map((row) => row.reduce((s, x) => s + x, 0))
  const occurring = indices.filter((c) => taken[c]! + there[c]! > 0)
  const recall = occurring.map((c) => (there[c] === 0 ? 0 : matrix[c]![c]! / there[c]!))
  return {
    matrix,
    accuracy: right / given.labels.length,
    top: inTop / given.labels.length,
    loss: loss / given.labels.length,
    precision: indices.map((c) => (taken[c] === 0 ? 0 : matrix[c]![c]! / taken[c]!)),
    recall: recall.reduce((s, x) => s + x, 0) / occurring.length,
  }
}
