import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

const pool = () => maxPool2d({ kernelSize: 3, stride: 2 })

/**
 * AlexNet for grey images of ten classes, as in Dive into Deep Learning.
 *
 * **Shapes** `[N, 1, 224, 224] → [N, 10]`; 46,764,746 parameters.
 */
export const alexnetD2l = () =>
  entitled(
    "AlexNet",
    sequential(
      input("N", 1, 224, 224),
      [
        "conv",
        [
          conv2d(1, 96, { kernelSize: 11, stride: 4, padding: 1 }),
          relu(),
          pool(),
          conv2d(96, 256, { kernelSize: 5, padding: 2 }),
          relu(),
          pool(),
          conv2d(256, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 256, { kernelSize: 3, padding: 1 }),
          relu(),
          pool(),
          flatten(),
        ],
      ],
      ["fc", [linear(6400, 4096), relu(), dropout(), linear(4096, 4096), relu(), dropout(), linear(4096, 10)]],
    ),
  )

/**
 * The same without padding in the first convolution, which changes no shape: 54×54 either way.
 *
 * **Shapes** `[N, 1, 224, 224] → [N, 10]`; 46,764,746 parameters.
 */
export const alexnetD2lNopad = () =>
  entitled(
    "AlexNet",
    sequential(
      input("N", 1, 224, 224),
      [
        "conv",
        [
          conv2d(1, 96, { kernelSize: 11, stride: 4 }),
          relu(),
          pool(),
          conv2d(96, 256, { kernelSize: 5, padding: 2 }),
          relu(),
          pool(),
          conv2d(256, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 256, { kernelSize: 3, padding: 1 }),
          relu(),
          pool(),
        ],
      ],
      flatten(),
      ["fc", [linear(6400, 4096), relu(), dropout(), linear(4096, 4096), relu(), dropout(), linear(4096, 10)]],
    ),
  )

/**
 * The same for coloured images of a thousand classes.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, 1000]`; 50,844,008 parameters.
 */
export const alexnetD2lImagenet = () =>
  entitled(
    "AlexNet",
    sequential(
      input("N", 3, 224, 224),
      [
        "conv",
        [
          conv2d(3, 96, { kernelSize: 11, stride: 4 }),
          relu(),
          pool(),
          conv2d(96, 256, { kernelSize: 5, padding: 2 }),
          relu(),
          pool(),
          conv2d(256, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 384, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(384, 256, { kernelSize: 3, padding: 1 }),
          relu(),
          pool(),
        ],
      ],
      flatten(),
      ["fc", [linear(6400, 4096), relu(), dropout(), linear(4096, 4096), relu(), dropout(), linear(4096, 1000)]],
    ),
  )
