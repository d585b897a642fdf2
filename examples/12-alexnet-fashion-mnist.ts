/**
 * One step past 11: a network of 47 million parameters. AlexNet as the book Dive into Deep Learning has it, on
 * Fashion-MNIST resized to 224×224 (Adam 0.001, batches of 128). That book publishes 0.865 after one epoch, on a graphics
 * card; give `--limit` where there is none.
 */
import * as Effect from "effect/Effect"
import { Data, Evaluate, Loss, Nn, Optim, Train, Transforms } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"
import { record } from "./record.ts"

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const fashion = limited(yield* Data.fashionMnist(), budget)
    const resize = Transforms.resize([224, 224])
    const [train, test] = [Data.map(fashion.train, resize), Data.map(fashion.test, resize)]
    const model = Nn.alexnetD2l()
    const [epochs, batchSize, seed, lr] = [1, 128, 0, 1e-3]
    const events = Train.fit({
      model,
      loss: Loss.crossEntropy(),
      optimizer: Optim.adam({ lr }),
      data: train.pipe(Data.shuffle, Data.batch(batchSize), Data.prefetch(1)),
      epochs,
      seed,
    }).pipe(Train.evaluateEachEpoch(Data.batch(test, batchSize), { accuracy: Evaluate.accuracy }))
    const { evaluations } = yield* record(events, {
      folder: `${budget.out}/alexnet-d2l`,
      name: "alexnet-d2l",
      model,
      train,
      test,
      training: { epochs, batchSize, seed, loss: "crossEntropy", optimizer: "adam", options: { lr } },
    })
    return evaluations
  })
