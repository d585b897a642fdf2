/**
 * One step past 06: another data set, and figures to compare with. TinyVGG on Fashion-MNIST as the book Learn PyTorch
 * trains it (SGD 0.1, batches of 32, three epochs), which publishes 88.38 % test accuracy, a mean of batch means.
 */
import * as Effect from "effect/Effect"
import { Data, Evaluate, Loss, Nn, Optim, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"
import { record } from "./record.ts"

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train, test } = limited(yield* Data.fashionMnist(), budget)
    const model = Nn.tinyVgg({ input: 1, hidden: 10, output: 10 })
    const [epochs, batchSize, seed, lr] = [3, 32, 0, 0.1]
    const events = Train.fit({
      model,
      loss: Loss.crossEntropy(),
      optimizer: Optim.sgd({ lr }),
      data: train.pipe(Data.shuffle, Data.batch(batchSize)),
      epochs,
      seed,
    }).pipe(Train.evaluateEachEpoch(test, { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }))
    const { evaluations, parameters } = yield* record(events, {
      folder: `${budget.out}/tinyvgg`,
      name: "tinyvgg",
      model,
      train,
      test,
      training: { epochs, batchSize, seed, loss: "crossEntropy", optimizer: "sgd", options: { lr } },
    })
    const batches = Data.batch(test, batchSize)
    const results = yield* Evaluate.model({ model, parameters, data: batches, mean: "batches" })
    console.log(results)
    return { evaluations, results }
  })
