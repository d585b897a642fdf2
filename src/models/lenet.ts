import { conv2d } from "./layers/conv2d.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { entitled, input, sequential } from "./sequential.ts"

/**
 * LeNet for 28×28 grey images of ten classes: two blocks of a convolution and a max pooling, then three linear layers,
 * with no activation between them.
 *
 * **Shapes** `[N, 1, 28, 28] → [N, 10]`; 61,610 parameters.
 */
export const lenet = () =>
  entitled(
    "LeNet",
    sequential(
      input("N", 1, 28, 28),
      [
        "layer1",
        [
          ["conv1", conv2d(1, 6, { kernelSize: 3, padding: 1 })],
          ["pool1", maxPool2d({ kernelSize: 2 })],
        ],
      ],
      [
        "layer2",
        [
          ["conv2", conv2d(6, 16, { kernelSize: 5 })],
          ["pool2", maxPool2d({ kernelSize: 2 })],
        ],
      ],
      flatten(),
      [
        "layer3",
        [
          ["fc1", linear(400, 120)],
          ["fc2", linear(120, 84)],
          ["fc3", linear(84, 10)],
        ],
      ],
    ),
  )
