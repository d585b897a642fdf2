import { classes, type Classes } from "./classes.ts"
import { initWeights, kaimingNormal } from "./initWeights.ts"
import type { Layer } from "./Layer.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { residual } from "./layers/residual.ts"
import { entitled, input, repeat, sequential } from "./sequential.ts"

const on = { inplace: true }
const conv3 = <const I extends number, const O extends number, const S extends number>(i: I, o: O, stride: S) =>
  conv2d(i, o, { kernelSize: 3, stride, padding: 1, bias: false })
const conv1 = <const I extends number, const O extends number, const S extends number>(i: I, o: O, stride: S) =>
  conv2d(i, o, { kernelSize: 1, stride, bias: false })

const basicBody = <const I extends number, const O extends number, const S extends number>(i: I, o: O, stride: S) =>
  [
    ["conv1", conv3(i, o, stride)],
    ["bn1", batchNorm2d(o)],
    ["relu", relu(on)],
    ["conv2", conv3(o, o, 1)],
    ["bn2", batchNorm2d(o)],
  ] as const
/** two 3×3 convolutions, added to their input */
const basic = <const C extends number>(c: C) =>
  entitled("BasicBlock", residual(basicBody(c, c, 1), { after: relu(on) }))
/** the same where size and channels change */
const basicDown = <const I extends number, const O extends number>(i: I, o: O) =>
  entitled(
    "BasicBlock",
    residual(basicBody(i, o, 2), { shortcut: [conv1(i, o, 2), batchNorm2d(o)] as const, after: relu(on) }),
  )

const bottleneckBody = <const I extends number, const M extends number, const O extends number, const S extends number>(
  i: I,
  m: M,
  o: O,
  stride: S,
) =>
  [
    ["conv1", conv1(i, m, 1)],
    ["bn1", batchNorm2d(m)],
    ["relu1", relu(on)],
    ["conv2", conv3(m, m, stride)],
    ["bn2", batchNorm2d(m)],
    ["relu2", relu(on)],
    ["conv3", conv1(m, o, 1)],
    ["bn3", batchNorm2d(o)],
  ] as const
/** a 3×3 convolution between two of 1×1 in a quarter of the channels, added to their input */
const bottleneck = <const C extends number, const M extends number>(c: C, m: M) =>
  entitled("Bottleneck", residual(bottleneckBody(c, m, c, 1), { after: relu(on) }))
/** the same where size or channels change */
const bottleneckDown = <const I extends number, const M extends number, const O extends number, const S extends number>(
  i: I,
  m: M,
  o: O,
  stride: S,
) =>
  entitled(
    "Bottleneck",
    residual(bottleneckBody(i, m, o, stride), {
      shortcut: [conv1(i, o, stride), batchNorm2d(o)] as const,
      after: relu(on),
    }),
  )

const stem = () =>
  [
    ["conv1", conv2d(3, 64, { kernelSize: 7, stride: 2, padding: 3, bias: false })],
    ["bn1", batchNorm2d(64)],
    ["relu", relu(on)],
    ["maxpool", maxPool2d({ kernelSize: 3, stride: 2, padding: 1 })],
  ] as const
const head = <const F extends number, const K extends number>(features: F, k: K) =>
  [["avgpool", adaptiveAvgPool2d([1, 1])], flatten(), ["fc", linear(features, k)]] as const
/** torchvision's name and first numbers */
const resnet = <H extends Layer>(net: H): H =>
  initWeights(entitled("ResNet", net), { conv2d: { weight: kaimingNormal({ fan: "out" }) } })

/**
 * A residual network of 18 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 11,689,512 parameters for 1000 classes. He et al., 2015.
 */
export const resnet18 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  resnet(
    sequential(
      input("N", 3, 224, 224),
      ...stem(),
      ["layer1", [...repeat(2, () => basic(64))]],
      ["layer2", [basicDown(64, 128), ...repeat(1, () => basic(128))]],
      ["layer3", [basicDown(128, 256), ...repeat(1, () => basic(256))]],
      ["layer4", [basicDown(256, 512), ...repeat(1, () => basic(512))]],
      ...head(512, classes<K>(options, 1000)),
    ),
  )

/**
 * A residual network of 34 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 21,797,672 parameters for 1000 classes. He et al., 2015.
 */
export const resnet34 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  resnet(
    sequential(
      input("N", 3, 224, 224),
      ...stem(),
      ["layer1", [...repeat(3, () => basic(64))]],
      ["layer2", [basicDown(64, 128), ...repeat(3, () => basic(128))]],
      ["layer3", [basicDown(128, 256), ...repeat(5, () => basic(256))]],
      ["layer4", [basicDown(256, 512), ...repeat(2, () => basic(512))]],
      ...head(512, classes<K>(options, 1000)),
    ),
  )

/**
 * A residual network of 50 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 25,557,032 parameters for 1000 classes. He et al., 2015.
 */
export const resnet50 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  resnet(
    sequential(
      input("N", 3, 224, 224),
      ...stem(),
      ["layer1", [bottleneckDown(64, 64, 256, 1), ...repeat(2, () => bottleneck(256, 64))]],
      ["layer2", [bottleneckDown(256, 128, 512, 2), ...repeat(3, () => bottleneck(512, 128))]],
      ["layer3", [bottleneckDown(512, 256, 1024, 2), ...repeat(5, () => bottleneck(1024, 256))]],
      ["layer4", [bottleneckDown(1024, 512, 2048, 2), ...repeat(2, () => bottleneck(2048, 512))]],
      ...head(2048, classes<K>(options, 1000)),
    ),
  )

/**
 * A residual network of 101 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 44,549,160 parameters for 1000 classes. He et al., 2015.
 */
export const resnet101 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  resnet(
    sequential(
      input("N", 3, 224, 224),
      ...stem(),
      ["layer1", [bottleneckDown(64, 64, 256, 1), ...repeat(2, () => bottleneck(256, 64))]],
      ["layer2", [bottleneckDown(256, 128, 512, 2), ...repeat(3, () => bottleneck(512, 128))]],
      ["layer3", [bottleneckDown(512, 256, 1024, 2), ...repeat(22, () => bottleneck(1024, 256))]],
      ["layer4", [bottleneckDown(1024, 512, 2048, 2), ...repeat(2, () => bottleneck(2048, 512))]],
      ...head(2048, classes<K>(options, 1000)),
    ),
  )

/**
 * A residual network of 152 layers.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 60,192,808 parameters for 1000 classes. He et al., 2015.
 */
export const resnet152 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  resnet(
    sequential(
      input("N", 3, 224, 224),
      ...stem(),
      ["layer1", [bottleneckDown(64, 64, 256, 1), ...repeat(2, () => bottleneck(256, 64))]],
      ["layer2", [bottleneckDown(256, 128, 512, 2), ...repeat(7, () => bottleneck(512, 128))]],
      ["layer3", [bottleneckDown(512, 256, 1024, 2), ...repeat(35, () => bottleneck(1024, 256))]],
      ["layer4", [bottleneckDown(1024, 512, 2048, 2), ...repeat(2, () => bottleneck(2048, 512))]],
      ...head(2048, classes<K>(options, 1000)),
    ),
  )
