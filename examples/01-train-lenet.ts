/**
 * A typed LeNet, trained for twenty steps on made-up digits. Nothing here names hardware or needs Node: the device is
 * provided by who runs it, a page as well as a terminal.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Device, Loss, Nn, Optim, Train } from "../src/index.ts"

export const lenet = Nn.sequential(
  Nn.input("N", 1, 28, 28),
  [
    "layer1",
    [
      ["conv1", Nn.conv2d(1, 6, { kernelSize: 3, padding: 1 })],
      ["pool1", Nn.maxPool2d({ kernelSize: 2 })],
    ],
  ],
  [
    "layer2",
    [
      ["conv2", Nn.conv2d(6, 16, { kernelSize: 5 })],
      ["pool2", Nn.maxPool2d({ kernelSize: 2 })],
    ],
  ],
  Nn.flatten(),
  [
    "layer3",
    [
      ["fc1", Nn.linear(400, 120)],
      ["fc2", Nn.linear(120, 84)],
      ["fc3", Nn.linear(84, 10)],
    ],
  ],
)

/** the loss of each step, and the device that took them */
export const train = (steps: number) =>
  Effect.gen(function* () {
    const { info } = yield* Device
    const { train: digits } = yield* Data.synthetic({ seed: 1, shape: [1, 28, 28], classes: 10, train: 640 })
    const events = Train.fit({
      model: lenet,
      loss: Loss.crossEntropy(),
      optimizer: Optim.adam({ lr: 1e-3 }),
      data: digits.pipe(Data.shuffle, Data.batch(16)),
      epochs: 1,
      seed: 1,
    })
    const losses = yield* events.pipe(
      Stream.filter((event) => event._tag === "Step"),
      Stream.map((event) => event.loss),
      Stream.take(steps),
      Stream.runCollect,
    )
    return { device: info, losses }
  })
