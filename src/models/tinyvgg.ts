import { times } from "../shapes/size.ts"
import { conv2d } from "./layers/conv2d.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

/**
 * TinyVGG for 28×28 images: two blocks of two 3×3 convolutions with padding, and a linear classifier.
 *
 * **Shapes** `[N, input, 28, 28] → [N, output]`; 7,740 parameters for 1, 10 and 10.
 *
 * @example
 * Nn.tinyVgg({ input: 1, hidden: 10, output: 10 })
 */
export const tinyVgg = <const I extends number, const H extends number, const O extends number>(size: {
  /** channels of the images */
  readonly input: I
  /** channels of every convolution */
  readonly hidden: H
  /** classes */
  readonly output: O
}) =>
  entitled(
    "TinyVGG",
    sequential(
      input("N", size.input, 28, 28),
      [
        "block_1",
        [
          conv2d(size.input, size.hidden, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(size.hidden, size.hidden, { kernelSize: 3, padding: 1 }),
          relu(),
          maxPool2d({ kernelSize: 2 }),
        ],
      ] as const,
      [
        "block_2",
        [
          conv2d(size.hidden, size.hidden, { kernelSize: 3, padding: 1 }),
          relu(),
          conv2d(size.hidden, size.hidden, { kernelSize: 3, padding: 1 }),
          relu(),
          maxPool2d({ kernelSize: 2 }),
        ],
      ] as const,
      ["classifier", [flatten(), linear(times(size.hidden, 49), size.output)]] as const,
    ),
  )
