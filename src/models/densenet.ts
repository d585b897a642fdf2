import { classes, type Classes } from "./classes.ts"
import { fill, initWeights, kaimingNormal } from "./initWeights.ts"
import type { Layer } from "./Layer.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { avgPool2d } from "./layers/avgPool2d.ts"
import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { concat } from "./layers/concat.ts"
import { conv2d } from "./layers/conv2d.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

const on = { inplace: true }
/** the input, and `growth` channels that a convolution in four times as many makes of it */
const layer = <const C extends number, const M extends number, const G extends number>(c: C, inner: M, growth: G) =>
  concat([], [
    "",
    [
      ["norm1", batchNorm2d(c)],
      ["relu1", relu(on)],
      ["conv1", conv2d(c, inner, { kernelSize: 1, bias: false })],
      ["norm2", batchNorm2d(inner)],
      ["relu2", relu(on)],
      ["conv2", conv2d(inner, growth, { kernelSize: 3, padding: 1, bias: false })],
    ],
  ] as const)
const by32 = <const C extends number>(c: C) => layer(c, 128, 32)
const by48 = <const C extends number>(c: C) => layer(c, 192, 48)
/** half the channels and half the size */
const transition = <const I extends number, const O extends number>(i: I, o: O) =>
  [
    ["norm", batchNorm2d(i)],
    ["relu", relu(on)],
    ["conv", conv2d(i, o, { kernelSize: 1, bias: false })],
    ["pool", avgPool2d({ kernelSize: 2, stride: 2 })],
  ] as const
const stem = <const O extends number>(o: O) =>
  [
    ["conv0", conv2d(3, o, { kernelSize: 7, stride: 2, padding: 3, bias: false })],
    ["norm0", batchNorm2d(o)],
    ["relu0", relu(on)],
    ["pool0", maxPool2d({ kernelSize: 3, stride: 2, padding: 1 })],
  ] as const
const head = <const F extends number, const K extends number>(features: F, k: K) =>
  [relu(on), adaptiveAvgPool2d([1, 1]), flatten(), ["classifier", linear(features, k)]] as const
/** torchvision's name and first numbers */
const densenet = <H extends Layer>(net: H): H =>
  initWeights(entitled("DenseNet", net), { conv2d: { weight: kaimingNormal() }, linear: { bias: fill(0) } })

// the blocks, by how many layers and from how many channels; a longer one begins as a shorter one

const six64 = () =>
  [
    ["denselayer1", by32(64)],
    ["denselayer2", by32(96)],
    ["denselayer3", by32(128)],
    ["denselayer4", by32(160)],
    ["denselayer5", by32(192)],
    ["denselayer6", by32(224)],
  ] as const
const twelve128 = () =>
  [
    ["denselayer1", by32(128)],
    ["denselayer2", by32(160)],
    ["denselayer3", by32(192)],
    ["denselayer4", by32(224)],
    ["denselayer5", by32(256)],
    ["denselayer6", by32(288)],
    ["denselayer7", by32(320)],
    ["denselayer8", by32(352)],
    ["denselayer9", by32(384)],
    ["denselayer10", by32(416)],
    ["denselayer11", by32(448)],
    ["denselayer12", by32(480)],
  ] as const
const twentyFour256 = () =>
  [
    ["denselayer1", by32(256)],
    ["denselayer2", by32(288)],
    ["denselayer3", by32(320)],
    ["denselayer4", by32(352)],
    ["denselayer5", by32(384)],
    ["denselayer6", by32(416)],
    ["denselayer7", by32(448)],
    ["denselayer8", by32(480)],
    ["denselayer9", by32(512)],
    ["denselayer10", by32(544)],
    ["denselayer11", by32(576)],
    ["denselayer12", by32(608)],
    ["denselayer13", by32(640)],
    ["denselayer14", by32(672)],
    ["denselayer15", by32(704)],
    ["denselayer16", by32(736)],
    ["denselayer17", by32(768)],
    ["denselayer18", by32(800)],
    ["denselayer19", by32(832)],
    ["denselayer20", by32(864)],
    ["denselayer21", by32(896)],
    ["denselayer22", by32(928)],
    ["denselayer23", by32(960)],
    ["denselayer24", by32(992)],
  ] as const
const thirtyTwo256 = () =>
  [
    ...twentyFour256(),
    ["denselayer25", by32(1024)],
    ["denselayer26", by32(1056)],
    ["denselayer27", by32(1088)],
    ["denselayer28", by32(1120)],
    ["denselayer29", by32(1152)],
    ["denselayer30", by32(1184)],
    ["denselayer31", by32(1216)],
    ["denselayer32", by32(1248)],
  ] as const
const fortyEight256 = () =>
  [
    ...thirtyTwo256(),
    ["denselayer33", by32(1280)],
    ["denselayer34", by32(1312)],
    ["denselayer35", by32(1344)],
    ["denselayer36", by32(1376)],
    ["denselayer37", by32(1408)],
    ["denselayer38", by32(1440)],
    ["denselayer39", by32(1472)],
    ["denselayer40", by32(1504)],
    ["denselayer41", by32(1536)],
    ["denselayer42", by32(1568)],
    ["denselayer43", by32(1600)],
    ["denselayer44", by32(1632)],
    ["denselayer45", by32(1664)],
    ["denselayer46", by32(1696)],
    ["denselayer47", by32(1728)],
    ["denselayer48", by32(1760)],
  ] as const
const sixteen512 = () =>
  [
    ["denselayer1", by32(512)],
    ["denselayer2", by32(544)],
    ["denselayer3", by32(576)],
    ["denselayer4", by32(608)],
    ["denselayer5", by32(640)],
    ["denselayer6", by32(672)],
    ["denselayer7", by32(704)],
    ["denselayer8", by32(736)],
    ["denselayer9", by32(768)],
    ["denselayer10", by32(800)],
    ["denselayer11", by32(832)],
    ["denselayer12", by32(864)],
    ["denselayer13", by32(896)],
    ["denselayer14", by32(928)],
    ["denselayer15", by32(960)],
    ["denselayer16", by32(992)],
  ] as const
const thirtyTwo640 = () =>
  [
    ["denselayer1", by32(640)],
    ["denselayer2", by32(672)],
    ["denselayer3", by32(704)],
    ["denselayer4", by32(736)],
    ["denselayer5", by32(768)],
    ["denselayer6", by32(800)],
    ["denselayer7", by32(832)],
    ["denselayer8", by32(864)],
    ["denselayer9", by32(896)],
    ["denselayer10", by32(928)],
    ["denselayer11", by32(960)],
    ["denselayer12", by32(992)],
    ["denselayer13", by32(1024)],
    ["denselayer14", by32(1056)],
    ["denselayer15", by32(1088)],
    ["denselayer16", by32(1120)],
    ["denselayer17", by32(1152)],
    ["denselayer18", by32(1184)],
    ["denselayer19", by32(1216)],
    ["denselayer20", by32(1248)],
    ["denselayer21", by32(1280)],
    ["denselayer22", by32(1312)],
    ["denselayer23", by32(1344)],
    ["denselayer24", by32(1376)],
    ["denselayer25", by32(1408)],
    ["denselayer26", by32(1440)],
    ["denselayer27", by32(1472)],
    ["denselayer28", by32(1504)],
    ["denselayer29", by32(1536)],
    ["denselayer30", by32(1568)],
    ["denselayer31", by32(1600)],
    ["denselayer32", by32(1632)],
  ] as const
const thirtyTwo896 = () =>
  [
    ["denselayer1", by32(896)],
    ["denselayer2", by32(928)],
    ["denselayer3", by32(960)],
    ["denselayer4", by32(992)],
    ["denselayer5", by32(1024)],
    ["denselayer6", by32(1056)],
    ["denselayer7", by32(1088)],
    ["denselayer8", by32(1120)],
    ["denselayer9", by32(1152)],
    ["denselayer10", by32(1184)],
    ["denselayer11", by32(1216)],
    ["denselayer12", by32(1248)],
    ["denselayer13", by32(1280)],
    ["denselayer14", by32(1312)],
    ["denselayer15", by32(1344)],
    ["denselayer16", by32(1376)],
    ["denselayer17", by32(1408)],
    ["denselayer18", by32(1440)],
    ["denselayer19", by32(1472)],
    ["denselayer20", by32(1504)],
    ["denselayer21", by32(1536)],
    ["denselayer22", by32(1568)],
    ["denselayer23", by32(1600)],
    ["denselayer24", by32(1632)],
    ["denselayer25", by32(1664)],
    ["denselayer26", by32(1696)],
    ["denselayer27", by32(1728)],
    ["denselayer28", by32(1760)],
    ["denselayer29", by32(1792)],
    ["denselayer30", by32(1824)],
    ["denselayer31", by32(1856)],
    ["denselayer32", by32(1888)],
  ] as const
const six96 = () =>
  [
    ["denselayer1", by48(96)],
    ["denselayer2", by48(144)],
    ["denselayer3", by48(192)],
    ["denselayer4", by48(240)],
    ["denselayer5", by48(288)],
    ["denselayer6", by48(336)],
  ] as const
const twelve192 = () =>
  [
    ["denselayer1", by48(192)],
    ["denselayer2", by48(240)],
    ["denselayer3", by48(288)],
    ["denselayer4", by48(336)],
    ["denselayer5", by48(384)],
    ["denselayer6", by48(432)],
    ["denselayer7", by48(480)],
    ["denselayer8", by48(528)],
    ["denselayer9", by48(576)],
    ["denselayer10", by48(624)],
    ["denselayer11", by48(672)],
    ["denselayer12", by48(720)],
  ] as const
const thirtySix384 = () =>
  [
    ["denselayer1", by48(384)],
    ["denselayer2", by48(432)],
    ["denselayer3", by48(480)],
    ["denselayer4", by48(528)],
    ["denselayer5", by48(576)],
    ["denselayer6", by48(624)],
    ["denselayer7", by48(672)],
    ["denselayer8", by48(720)],
    ["denselayer9", by48(768)],
    ["denselayer10", by48(816)],
    ["denselayer11", by48(864)],
    ["denselayer12", by48(912)],
    ["denselayer13", by48(960)],
    ["denselayer14", by48(1008)],
    ["denselayer15", by48(1056)],
    ["denselayer16", by48(1104)],
    ["denselayer17", by48(1152)],
    ["denselayer18", by48(1200)],
    ["denselayer19", by48(1248)],
    ["denselayer20", by48(1296)],
    ["denselayer21", by48(1344)],
    ["denselayer22", by48(1392)],
    ["denselayer23", by48(1440)],
    ["denselayer24", by48(1488)],
    ["denselayer25", by48(1536)],
    ["denselayer26", by48(1584)],
    ["denselayer27", by48(1632)],
    ["denselayer28", by48(1680)],
    ["denselayer29", by48(1728)],
    ["denselayer30", by48(1776)],
    ["denselayer31", by48(1824)],
    ["denselayer32", by48(1872)],
    ["denselayer33", by48(1920)],
    ["denselayer34", by48(1968)],
    ["denselayer35", by48(2016)],
    ["denselayer36", by48(2064)],
  ] as const
const twentyFour1056 = () =>
  [
    ["denselayer1", by48(1056)],
    ["denselayer2", by48(1104)],
    ["denselayer3", by48(1152)],
    ["denselayer4", by48(1200)],
    ["denselayer5", by48(1248)],
    ["denselayer6", by48(1296)],
    ["denselayer7", by48(1344)],
    ["denselayer8", by48(1392)],
    ["denselayer9", by48(1440)],
    ["denselayer10", by48(1488)],
    ["denselayer11", by48(1536)],
    ["denselayer12", by48(1584)],
    ["denselayer13", by48(1632)],
    ["denselayer14", by48(1680)],
    ["denselayer15", by48(1728)],
    ["denselayer16", by48(1776)],
    ["denselayer17", by48(1824)],
    ["denselayer18", by48(1872)],
    ["denselayer19", by48(1920)],
    ["denselayer20", by48(1968)],
    ["denselayer21", by48(2016)],
    ["denselayer22", by48(2064)],
    ["denselayer23", by48(2112)],
    ["denselayer24", by48(2160)],
  ] as const

/**
 * A densely connected network of 121 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 7,978,856 parameters for 1000 classes. Huang et al., 2016.
 */
export const densenet121 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  densenet(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...stem(64),
          ["denseblock1", six64()],
          ["transition1", transition(256, 128)],
          ["denseblock2", twelve128()],
          ["transition2", transition(512, 256)],
          ["denseblock3", twentyFour256()],
          ["transition3", transition(1024, 512)],
          ["denseblock4", sixteen512()],
          ["norm5", batchNorm2d(1024)],
        ],
      ] as const,
      ...head(1024, classes<K>(options, 1000)),
    ),
  )

/**
 * A densely connected network of 161 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 28,681,000 parameters for 1000 classes. Huang et al., 2016.
 */
export const densenet161 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  densenet(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...stem(96),
          ["denseblock1", six96()],
          ["transition1", transition(384, 192)],
          ["denseblock2", twelve192()],
          ["transition2", transition(768, 384)],
          ["denseblock3", thirtySix384()],
          ["transition3", transition(2112, 1056)],
          ["denseblock4", twentyFour1056()],
          ["norm5", batchNorm2d(2208)],
        ],
      ] as const,
      ...head(2208, classes<K>(options, 1000)),
    ),
  )

/**
 * A densely connected network of 169 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 14,149,480 parameters for 1000 classes. Huang et al., 2016.
 */
export const densenet169 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  densenet(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...stem(64),
          ["denseblock1", six64()],
          ["transition1", transition(256, 128)],
          ["denseblock2", twelve128()],
          ["transition2", transition(512, 256)],
          ["denseblock3", thirtyTwo256()],
          ["transition3", transition(1280, 640)],
          ["denseblock4", thirtyTwo640()],
          ["norm5", batchNorm2d(1664)],
        ],
      ] as const,
      ...head(1664, classes<K>(options, 1000)),
    ),
  )

/**
 * A densely connected network of 201 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 20,013,928 parameters for 1000 classes. Huang et al., 2016.
 */
export const densenet201 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  densenet(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...stem(64),
          ["denseblock1", six64()],
          ["transition1", transition(256, 128)],
          ["denseblock2", twelve128()],
          ["transition2", transition(512, 256)],
          ["denseblock3", fortyEight256()],
          ["transition3", transition(1792, 896)],
          ["denseblock4", thirtyTwo896()],
          ["norm5", batchNorm2d(1920)],
        ],
      ] as const,
      ...head(1920, classes<K>(options, 1000)),
    ),
  )
