/**
 * One step past 02: a network of one's own, with a shortcut, and more than one figure to judge it by. A layer that does
 * not fit does not compile: try `Nn.linear(1569, 10)`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Evaluate, Loss, Nn, Optim, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

const net = Nn.sequential(
  Nn.input("N", 1, 28, 28),
  ["stem", Nn.conv2d(1, 8, { kernelSize: 3, padding: 1 })],
  Nn.relu(),
  ["block", Nn.residual([["conv", Nn.conv2d(8, 8, { kernelSize: 3, padding: 1 })], Nn.relu()])],
  Nn.maxPool2d({ kernelSize: 2 }),
  Nn.flatten(),
  ["head", Nn.linear(1568, 10)],
)

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train, test } = limited(yield* Data.mnist(), budget)
    const steps = Math.ceil(train.length / 64)
    const parameters = yield* Train.fit({
      model: net,
      loss: Loss.crossEntropy({ labelSmoothing: 0.05 }),
      optimizer: Optim.adamw({ lr: Optim.schedule.oneCycle({ maxLr: 3e-3, totalSteps: steps }) }),
      data: train.pipe(Data.shuffle, Data.batch(64)),
      epochs: 1,
    }).pipe(
      Train.progressBar,
      Stream.filter((event) => event._tag === "EpochEnd"),
      // the numbers of an event are read while it is there
      Stream.mapEffect((event) => event.state.parameters),
      Stream.runHead,
    )
    if (parameters._tag === "None") return yield* Effect.die("an epoch ends")
    const metrics = { accuracy: Evaluate.accuracy, top2: Evaluate.topK(2), f1: Evaluate.f1("perClass") }
    const figures = yield* Evaluate.run({ model: net, parameters: parameters.value, data: test, metrics })
    console.log(`accuracy ${figures.accuracy.toFixed(4)}, among the first two ${figures.top2.toFixed(4)}`)
    console.log(figures.f1.map((f1, digit) => `F1 of ${digit}: ${f1.toFixed(3)}`).join("\n"))
    return figures
  })
