import { classes, type Classes } from "./classes.ts"
import { fill, initWeights, kaimingUniform, normal } from "./initWeights.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { concat } from "./layers/concat.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, seq, sequential } from "./sequential.ts"

const on = { inplace: true }
const pool = () => maxPool2d({ kernelSize: 3, stride: 2, ceilMode: true })
/** few channels, then many by 1×1 and as many by 3×3 */
const fire = <const I extends number, const M extends number, const O extends number>(i: I, squeeze: M, expand: O) =>
  [
    ["squeeze", conv2d(i, squeeze, { kernelSize: 1 })],
    ["squeeze_activation", relu(on)],
    [
      "",
      concat(
        [
          "",
          [
            ["expand1x1", conv2d(squeeze, expand, { kernelSize: 1 })],
            ["expand1x1_activation", relu(on)],
          ],
        ] as const,
        [
          "",
          [
            ["expand3x3", conv2d(squeeze, expand, { kernelSize: 3, padding: 1 })],
            ["expand3x3_activation", relu(on)],
          ],
        ] as const,
      ),
    ],
  ] as const
/** torchvision's first numbers of all but the last convolution */
const recipe = { conv2d: { weight: kaimingUniform(), bias: fill(0) } }
const classifier = <const K extends number>(k: K) => {
  const final = { conv2d: { weight: normal(0, 0.01), bias: fill(0) } }
  return [
    "classifier",
    [dropout(), initWeights(conv2d(512, k, { kernelSize: 1 }), final), relu(on), adaptiveAvgPool2d([1, 1])],
  ] as const
}

/**
 * SqueezeNet 1.0: about as right as AlexNet with a fiftieth of its parameters.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 1,248,424 parameters for 1000 classes. Iandola et al., 2016.
 */
export const squeezenet1_0 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  entitled(
    "SqueezeNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        initWeights(
          seq(
            conv2d(3, 96, { kernelSize: 7, stride: 2 }),
            relu(on),
            pool(),
            fire(96, 16, 64),
            fire(128, 16, 64),
            fire(128, 32, 128),
            pool(),
            fire(256, 32, 128),
            fire(256, 48, 192),
            fire(384, 48, 192),
            fire(384, 64, 256),
            pool(),
            fire(512, 64, 256),
          ),
          recipe,
        ),
      ],
      classifier(classes<K>(options, 1000)),
      flatten(),
    ),
  )

/**
 * SqueezeNet 1.1: as right as 1.0 with less than half of its work.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 1,235,496 parameters for 1000 classes. Iandola et al., 2016.
 */
export const squeezenet1_1 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  entitled(
    "SqueezeNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        initWeights(
          seq(
            conv2d(3, 64, { kernelSize: 3, stride: 2 }),
            relu(on),
            pool(),
            fire(64, 16, 64),
            fire(128, 16, 64),
            pool(),
            fire(128, 32, 128),
            fire(256, 32, 128),
            pool(),
            fire(256, 48, 192),
            fire(384, 48, 192),
            fire(384, 64, 256),
            fire(512, 64, 256),
          ),
          recipe,
        ),
      ],
      classifier(classes<K>(options, 1000)),
      flatten(),
    ),
  )
