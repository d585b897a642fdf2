import { Nn } from "effect-nn"

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
