import { classes, type Classes } from "./classes.ts"
import { initWeights, truncatedNormal } from "./initWeights.ts"
import type { Layer } from "./Layer.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { auxiliary } from "./layers/auxiliary.ts"
import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { concat } from "./layers/concat.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

type Geometry<S extends number, P extends number> = { readonly stride: S; readonly padding: P }
const conv = <
  const I extends number,
  const O extends number,
  const W extends number,
  const S extends number = 1,
  const P extends number = 0,
>(
  i: I,
  o: O,
  kernelSize: W,
  // the defaults are those of S and P
  { stride, padding }: Geometry<S, P> = { stride: 1 as S, padding: 0 as P },
) =>
  [
    ["conv", conv2d(i, o, { kernelSize, stride, padding, bias: false })],
    ["bn", batchNorm2d(o, { eps: 0.001 })],
    relu({ inplace: true }),
  ] as const
const conv3 = <const I extends number, const O extends number>(i: I, o: O) => conv(i, o, 3, { stride: 1, padding: 1 })
const pool = () => maxPool2d({ kernelSize: 3, stride: 2, ceilMode: true })

/** four ways over the input: 1×1, 3×3 and twice 3×3 (in the paper 5×5) after a 1×1, and 1×1 after pooling */
const inception = <
  const I extends number,
  const A extends number,
  const B1 extends number,
  const B2 extends number,
  const C1 extends number,
  const C2 extends number,
  const D extends number,
>(
  i: I,
  one: A,
  [reduce3, three]: readonly [B1, B2],
  [reduce5, five]: readonly [C1, C2],
  pooled: D,
) =>
  entitled(
    "Inception",
    concat(
      ["branch1", conv(i, one, 1)] as const,
      ["branch2", [conv(i, reduce3, 1), conv3(reduce3, three)]] as const,
      ["branch3", [conv(i, reduce5, 1), conv3(reduce5, five)]] as const,
      ["branch4", [maxPool2d({ kernelSize: 3, stride: 1, padding: 1, ceilMode: true }), conv(i, pooled, 1)]] as const,
    ),
  )

const toFourA = () =>
  [
    ["conv1", conv(3, 64, 7, { stride: 2, padding: 3 })],
    ["maxpool1", pool()],
    ["conv2", conv(64, 64, 1)],
    ["conv3", conv3(64, 192)],
    ["maxpool2", pool()],
    ["inception3a", inception(192, 64, [96, 128], [16, 32], 32)],
    ["inception3b", inception(256, 128, [128, 192], [32, 96], 64)],
    ["maxpool3", pool()],
    ["inception4a", inception(480, 192, [96, 208], [16, 48], 64)],
  ] as const
const toFourD = () =>
  [
    ["inception4b", inception(512, 160, [112, 224], [24, 64], 64)],
    ["inception4c", inception(512, 128, [128, 256], [24, 64], 64)],
    ["inception4d", inception(512, 112, [144, 288], [32, 64], 64)],
  ] as const
const toEnd = <const K extends number>(k: K) =>
  [
    ["inception4e", inception(528, 256, [160, 320], [32, 128], 128)],
    ["maxpool4", maxPool2d({ kernelSize: 2, stride: 2, ceilMode: true })],
    ["inception5a", inception(832, 256, [160, 320], [32, 128], 128)],
    ["inception5b", inception(832, 384, [192, 384], [48, 128], 128)],
    ["avgpool", adaptiveAvgPool2d([1, 1])],
    flatten(),
    ["dropout", dropout(0.2)],
    ["fc", linear(1024, k)],
  ] as const
const aside = <const C extends number, const K extends number>(c: C, k: K) =>
  entitled(
    "InceptionAux",
    auxiliary(
      adaptiveAvgPool2d([4, 4]),
      ["conv", conv(c, 128, 1)] as const,
      flatten(),
      ["fc1", linear(2048, 1024)] as const,
      relu({ inplace: true }),
      ["dropout", dropout(0.7)] as const,
      ["fc2", linear(1024, k)] as const,
    ),
  )
/** torchvision's name and first numbers */
const initialised = <H extends Layer>(net: H): H =>
  initWeights(entitled("GoogLeNet", net), {
    conv2d: { weight: truncatedNormal(0, 0.01) },
    linear: { weight: truncatedNormal(0, 0.01) },
  })

/**
 * GoogLeNet with batch normalisation, without auxiliary heads.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 6,624,904 parameters for 1000 classes. Szegedy et al., 2014.
 */
export const googlenet = <const K extends number = 1000>(options: Classes<K> = {}) =>
  initialised(sequential(input("N", 3, 224, 224), ...toFourA(), ...toFourD(), ...toEnd(classes<K>(options, 1000))))

/**
 * The same with two auxiliary heads, which `Nn.forward` gives as `auxiliary.aux1` and `auxiliary.aux2` in training; their
 * losses count 0.3 each in the paper.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 13,004,888 parameters for 1000 classes.
 */
export const googlenetAuxiliary = <const K extends number = 1000>(options: Classes<K> = {}) =>
  initialised(
    sequential(
      input("N", 3, 224, 224),
      ...toFourA(),
      ["aux1", aside(512, classes<K>(options, 1000))] as const,
      ...toFourD(),
      ["aux2", aside(528, classes<K>(options, 1000))] as const,
      ...toEnd(classes<K>(options, 1000)),
    ),
  )
