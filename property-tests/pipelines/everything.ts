/** A small run in which everything remembers something: what an interruption could lose. */
import * as Effect from "effect/Effect"
import * as Nn from "../../src/models/index.ts"
import * as Data from "../../src/pipelines/Data.ts"
import * as Evaluate from "../../src/pipelines/Evaluate.ts"
import * as Loss from "../../src/pipelines/Loss.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import * as Train from "../../src/pipelines/Train.ts"

export const { train: samples, test: held } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 6, 6], classes: 3, train: 70, test: 25, noise: 0.3 }),
)
export const net = Nn.sequential(
  Nn.input("N", 1, 6, 6),
  ["conv", Nn.conv2d(1, 4, { kernelSize: 3 })],
  ["norm", Nn.batchNorm2d(4)],
  Nn.relu(),
  Nn.maxPool2d({ kernelSize: 2 }),
  Nn.flatten(),
  Nn.dropout(),
  ["fc", Nn.linear(16, 3)],
)
/** of everything that a run remembers something: moments, an average, a sum over batches, a rate that falls */
export const optimizer = Optim.adam({ lr: (step) => 0.03 / step ** 0.1 }).pipe(
  Optim.clipNorm(1),
  Optim.average({ decay: 0.9 }),
  Optim.accumulate(3),
)
export const metrics = { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() }
/** what everything in a run adds up to: 5 steps in each of 4 epochs */
export const run = (
  options: {
    readonly resume?: Train.CheckpointFile | undefined
    readonly folder?: string
    readonly every?: Train.Every
    readonly keep?: number
    readonly epochs?: number
  } = {},
) => {
  const fitted = Train.fit({
    model: net,
    loss: Loss.crossEntropy(),
    optimizer,
    data: samples.pipe(Data.shuffle, Data.batch(16)),
    epochs: options.epochs ?? 4,
    seed: 5,
    resume: options.resume,
  }).pipe(
    Train.evaluateEachEpoch(held, metrics, { weights: "average" }),
    Train.reduceOnPlateau({ metric: { evaluation: "loss" }, threshold: 1e9, patience: 0, factor: 0.7 }),
  )
  const { folder, every = "3 steps", keep = 2 } = options
  return folder === undefined
    ? fitted
    : fitted.pipe(Train.checkpoint(folder, { every, keep, best: { metric: { evaluation: "accuracy" }, mode: "max" } }))
}
