/** What auxiliary heads count in the loss of a run. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

const { train } = Effect.runSync(Data.synthetic({ seed: 3, shape: [1, 2, 2], classes: 3, train: 6, test: 1 }))
const net = Nn.sequential(
  Nn.input("N", 1, 2, 2),
  Nn.flatten(),
  ["aux", Nn.auxiliary(["fc", Nn.linear(4, 3, { bias: false })])],
  ["fc", Nn.linear(4, 3, { bias: false })],
)
const rate = 0.5

/** the loss of the first step and the parameters after it */
const firstStep = (auxiliary?: Parameters<typeof Train.fit>[0]["auxiliary"]) =>
  Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer: Optim.sgd({ lr: rate }),
    data: train.pipe(Data.batch(6)),
    epochs: 1,
    parameters: Nn.init(net, { seed: 5 }),
    ...(auxiliary === undefined ? {} : { auxiliary }),
  }).pipe(
    Stream.filter((event) => event._tag === "Step"),
    Stream.mapEffect(({ loss, state }) => Effect.map(state.parameters, (parameters) => ({ loss, parameters }))),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.provide(Reference.layer),
  )

/** the cross-entropy of a linear head and its gradient for the head's weight `[3, 4]`, by their definition */
const head = (weight: ArrayLike<number>, images: ArrayLike<number>, labels: ArrayLike<number>) => {
  const [rows, gradient] = [labels.length, new Float64Array(12)]
  let loss = 0
  for (let n = 0; n < rows; n++) {
    const logits = [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((s, k) => s + weight[4 * c + k]! * images[4 * n + k]!, 0))
    const sum = logits.reduce((s, x) => s + Math.exp(x), 0)
    loss += (Math.log(sum) - logits[labels[n]!]!) / rows
    logits.forEach((x, c) => {
      const d = (Math.exp(x) / sum - (c === labels[n] ? 1 : 0)) / rows
      for (let k = 0; k < 4; k++) gradient[4 * c + k]! += d * images[4 * n + k]!
    })
  }
  return { loss, gradient }
}

it.effect.each([
  [undefined, 0.3],
  [0.7, 0.7],
  [{ aux: 0.1 }, 0.1],
  [0, 0],
] as const)("weight %j: the loss is that of the output and %d times that of the head", ([given, weight]) =>
  Effect.gen(function* () {
    const before = Nn.init(net, { seed: 5 })
    const batch = yield* Effect.flatMap(
      Stream.runHead(train.pipe(Data.batch(6)).epoch({ seed: 0, epoch: 1 })),
      Effect.fromOption,
    )
    const own = head(before["fc.weight"].data, batch.images, batch.labels)
    const aside = head(before["aux.fc.weight"].data, batch.images, batch.labels)
    const { loss, parameters } = yield* firstStep(given)
    assert.closeTo(loss, own.loss + weight * aside.loss, 1e-5)
    const moved = (name: "fc.weight" | "aux.fc.weight", gradient: Float64Array, times: number) =>
      gradient.forEach((g, i) =>
        assert.closeTo(parameters[name]?.data[i] ?? Number.NaN, before[name].data[i]! - rate * times * g, 1e-6),
      )
    moved("fc.weight", own.gradient, 1)
    moved("aux.fc.weight", aside.gradient, weight)
  }),
)

it.effect("a head that the model has not is refused", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(firstStep({ aux1: 0.3 }))
    assert.strictEqual(error.message, "auxiliary names the head aux1, but the model has aux")
  }),
)
