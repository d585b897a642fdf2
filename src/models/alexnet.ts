import { type Classes, classes } from "./classes.ts"
import { fill, initWeights, kaimingNormal, normal } from "./initWeights.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

const on = { inplace: true }
const pool = () => maxPool2d({ kernelSize: 3, stride: 2 })

/**
 * AlexNet in one column, as torchvision has it.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 61,100,840 parameters for 1000 classes. Krizhevsky, 2014.
 *
 * @example
 * Nn.alexnet({ numClasses: 10 })
 */
export const alexnet = <const K extends number = 1000>(options: Classes<K> = {}) =>
  entitled(
    "AlexNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          conv2d(3, 64, { kernelSize: 11, stride: 4, padding: 2 }),
          relu(on),
          pool(),
          conv2d(64, 192, { kernelSize: 5, padding: 2 }),
          relu(on),
          pool(),
          conv2d(192, 384, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(384, 256, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(256, 256, { kernelSize: 3, padding: 1 }),
          relu(on),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([6, 6])],
      flatten(),
      [
        "classifier",
        [
          dropout(),
          linear(9216, 4096),
          relu(on),
          dropout(),
          linear(4096, 4096),
          relu(on),
          linear(4096, classes(options, 1000)),
        ],
      ] as const,
    ),
  )

/**
 * AlexNet without padding in the first convolution, and so with 256·5·5 features.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 45,510,474 parameters for 10 classes.
 *
 * @example
 * Nn.alexnet5x5()
 */
export const alexnet5x5 = <const K extends number = 10>(options: Classes<K> = {}) =>
  entitled(
    "AlexNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          conv2d(3, 64, { kernelSize: 11, stride: 4 }),
          relu(on),
          pool(),
          conv2d(64, 192, { kernelSize: 5, padding: 2 }),
          relu(on),
          pool(),
          conv2d(192, 384, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(384, 256, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(256, 256, { kernelSize: 3, padding: 1 }),
          relu(on),
          pool(),
        ],
      ] as const,
      flatten(),
      [
        "classifier",
        [
          dropout(),
          linear(6400, 4096),
          relu(on),
          dropout(),
          linear(4096, 4096),
          relu(on),
          linear(4096, classes(options, 10)),
        ],
      ] as const,
    ),
  )

export interface AlexnetHalfOptions<K extends number> extends Classes<K> {
  /** Kaiming's convolutions and normal linear layers instead of PyTorch's defaults; false when absent */
  readonly initWeights?: boolean
}
/**
 * AlexNet with half as many channels and features.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 16,630,440 parameters for 1000 classes.
 *
 * @example
 * Nn.alexnetHalf({ numClasses: 5, initWeights: true })
 */
export const alexnetHalf = <const K extends number = 1000>(options: AlexnetHalfOptions<K> = {}) => {
  const net = entitled(
    "AlexNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          conv2d(3, 48, { kernelSize: 11, stride: 4, padding: 2 }),
          relu(on),
          pool(),
          conv2d(48, 128, { kernelSize: 5, padding: 2 }),
          relu(on),
          pool(),
          conv2d(128, 192, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(192, 192, { kernelSize: 3, padding: 1 }),
          relu(on),
          conv2d(192, 128, { kernelSize: 3, padding: 1 }),
          relu(on),
          pool(),
        ],
      ] as const,
      flatten(),
      [
        "classifier",
        [
          dropout(),
          linear(4608, 2048),
          relu(on),
          dropout(),
          linear(2048, 2048),
          relu(on),
          linear(2048, classes(options, 1000)),
        ],
      ] as const,
    ),
  )
  if (options.initWeights !== true) return net
  return initWeights(net, {
    conv2d: { weight: kaimingNormal({ fan: "out" }), bias: fill(0) },
    linear: { weight: normal(0, 0.01), bias: fill(0) },
  })
}
