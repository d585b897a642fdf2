/** One step past 01: real digits, a test set, and a run that is kept: LeNet on MNIST, as `npm run demo` trains it. */
import * as Effect from "effect/Effect"
import { Data, Evaluate, Loss, Nn, Optim, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"
import { record } from "./record.ts"

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train, test } = limited(yield* Data.mnist(), budget)
    const model = Nn.lenet()
    const events = Train.fit({
      model,
      loss: Loss.crossEntropy(),
      optimizer: Optim.adam({ lr: 1e-3 }),
      data: train.pipe(Data.shuffle, Data.batch(64)),
      epochs: 2,
      seed: 0,
    }).pipe(Train.evaluateEachEpoch(test, { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }))
    const training = {
      epochs: 2,
      batchSize: 64,
      seed: 0,
      loss: "crossEntropy",
      optimizer: "adam",
      options: { lr: 1e-3 },
    }
    const { evaluations } = yield* record(events, {
      folder: `${budget.out}/lenet`,
      name: "lenet",
      model,
      train,
      test,
      training,
    })
    return evaluations
  })
