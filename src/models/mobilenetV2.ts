import { classes, type Classes } from "./classes.ts"
import { fill, initWeights, kaimingNormal, normal } from "./initWeights.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { relu6 } from "./layers/relu6.ts"
import { residual } from "./layers/residual.ts"
import { entitled, input, sequential } from "./sequential.ts"

const on = { inplace: true }
/** a 1×1 convolution */
const mix = <const I extends number, const O extends number>(i: I, o: O) =>
  [conv2d(i, o, { kernelSize: 1, bias: false }), batchNorm2d(o), relu6(on)] as const
/** a 3×3 convolution of each channel by itself */
const each = <const C extends number, const S extends number>(c: C, stride: S) =>
  [conv2d(c, c, { kernelSize: 3, stride, padding: 1, groups: c, bias: false }), batchNorm2d(c), relu6(on)] as const
/** many channels between two narrow ends */
const block = <const I extends number, const M extends number, const O extends number, const S extends number>(
  i: I,
  m: M,
  o: O,
  stride: S,
) => [["conv", [mix(i, m), each(m, stride), conv2d(m, o, { kernelSize: 1, bias: false }), batchNorm2d(o)]]] as const
/** the same added to its input */
const again = <const C extends number, const M extends number>(c: C, m: M) => residual(block(c, m, c, 1))

/**
 * MobileNet of inverted residual blocks, for small machines.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 3,504,872 parameters for 1000 classes. Sandler et al., 2018.
 */
export const mobilenetV2 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  initWeights(
    entitled(
      "MobileNetV2",
      sequential(
        input("N", 3, 224, 224),
        [
          "features",
          [
            [conv2d(3, 32, { kernelSize: 3, stride: 2, padding: 1, bias: false }), batchNorm2d(32), relu6(on)],
            [["conv", [each(32, 1), conv2d(32, 16, { kernelSize: 1, bias: false }), batchNorm2d(16)]]],
            block(16, 96, 24, 2),
            again(24, 144),
            block(24, 144, 32, 2),
            again(32, 192),
            again(32, 192),
            block(32, 192, 64, 2),
            again(64, 384),
            again(64, 384),
            again(64, 384),
            block(64, 384, 96, 1),
            again(96, 576),
            again(96, 576),
            block(96, 576, 160, 2),
            again(160, 960),
            again(160, 960),
            block(160, 960, 320, 1),
            mix(320, 1280),
          ],
        ] as const,
        adaptiveAvgPool2d([1, 1]),
        flatten(),
        ["classifier", [dropout(0.2), linear(1280, classes<K>(options, 1000))]] as const,
      ),
    ),
    {
      conv2d: { weight: kaimingNormal({ fan: "out" }), bias: fill(0) },
      linear: { weight: normal(0, 0.01), bias: fill(0) },
    },
  )
