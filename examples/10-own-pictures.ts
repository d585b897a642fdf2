/**
 * One step past 09: pictures of one's own. A source is how many samples there are, their shape, and how to read some;
 * everything else (transforms, splits, shuffling, batches) comes from the library.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Evaluate, Loss, Nn, Optim, Train, Transforms } from "../src/index.ts"
import type { Budget } from "./budget.ts"

const [side, count] = [24, 900]
const classes = ["disc", "square", "cross"]

/** whether a point, from −1 to 1 each way, is in a shape of radius r */
const isIn = (shape: number, x: number, y: number, r: number): boolean => {
  if (shape === 0) return Math.hypot(x, y) < r
  if (shape === 1) return Math.max(Math.abs(x), Math.abs(y)) < 0.8 * r
  return Math.min(Math.abs(x), Math.abs(y)) < 0.25 * r && Math.max(Math.abs(x), Math.abs(y)) < r
}

/** three kinds of coloured shapes, drawn when they are asked for */
const shapes = (length: number) =>
  Data.make({
    name: "shapes",
    shape: [3, side, side],
    classes,
    length,
    read: (samples) =>
      Effect.sync(() => {
        const images = new Float32Array(samples.length * 3 * side * side)
        const labels = Float32Array.from(samples, (sample) => sample % 3)
        for (const [n, sample] of samples.entries()) {
          // pseudo-random, the same for the same sample
          const random = (k: number): number => Math.abs(Math.sin(12.9898 * sample + 78.233 * k) * 43758.5453) % 1
          const [cx, cy, r] = [random(1) * 0.6 - 0.3, random(2) * 0.6 - 0.3, 0.4 + 0.4 * random(3)]
          for (let i = 0; i < side * side; i++) {
            const [x, y] = [(2 * (i % side)) / side - 1 - cx, (2 * Math.floor(i / side)) / side - 1 - cy]
            for (let c = 0; c < 3; c++) {
              const ink = isIn(sample % 3, x, y, r) ? 0.4 + 0.6 * random(4 + c) : 0.3 * random(7 + c)
              images[(n * 3 + c) * side * side + i] = ink
            }
          }
        }
        return { images, labels }
      }),
  })

const net = Nn.sequential(
  Nn.input("N", 3, 20, 20),
  ["conv1", Nn.conv2d(3, 8, { kernelSize: 3 })],
  Nn.relu(),
  Nn.maxPool2d({ kernelSize: 2 }),
  ["conv2", Nn.conv2d(8, 16, { kernelSize: 3 })],
  Nn.relu(),
  Nn.flatten(),
  ["head", Nn.linear(784, 3)],
)

export const run = ({ limit = count }: Budget) =>
  Effect.gen(function* () {
    const all = shapes(Math.min(count, limit))
    const { mean, std } = yield* Data.statistics(all)
    const [train, test] = Data.randomSplit(all, [0.8, 0.2], { seed: 1 })
    // another crop, flipped or not, in each epoch; the shape that comes out is checked against the model's
    const augment = Transforms.compose(
      Transforms.randomCrop([20, 20]),
      Transforms.randomHorizontalFlip(),
      Transforms.normalize(mean, std),
    )
    const asTested = Transforms.compose(Transforms.centerCrop([20, 20]), Transforms.normalize(mean, std))
    const evaluations = yield* Train.fit({
      model: net,
      loss: Loss.crossEntropy(),
      optimizer: Optim.adam({ lr: 3e-3 }),
      data: train.pipe(Data.map(augment), Data.shuffle, Data.batch(32), Data.prefetch(2)),
      epochs: 6,
      seed: 1,
    }).pipe(
      Train.evaluateEachEpoch(test.pipe(Data.map(asTested)), { accuracy: Evaluate.accuracy }),
      Train.progressBar,
      Stream.filter((event) => event._tag === "Evaluation"),
      Stream.map(({ metrics }) => metrics["accuracy"] ?? 0),
      Stream.runCollect,
    )
    return evaluations
  })
