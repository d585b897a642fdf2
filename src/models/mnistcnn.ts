import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

const block = <const I extends number, const O extends number>(i: I, o: O) =>
  [conv2d(i, o, { kernelSize: 3 }), batchNorm2d(o), relu({ inplace: true })] as const
const pool = () => maxPool2d({ kernelSize: 2, stride: 2 })

/**
 * Four convolutions with batch normalisation and three linear layers, for digits.
 *
 * **Shapes** `[N, 1, 28, 28] → [N, 10]`; 2,328,298 parameters.
 */
export const mnistcnn = () =>
  entitled(
    "CNN",
    sequential(
      input("N", 1, 28, 28),
      ["layer1", block(1, 16)],
      ["layer2", [...block(16, 32), pool()]],
      ["layer3", block(32, 64)],
      ["layer4", [...block(64, 128), pool()]],
      flatten(),
      ["fc", [linear(2048, 1024), relu({ inplace: true }), linear(1024, 128), linear(128, 10)]],
    ),
  )
