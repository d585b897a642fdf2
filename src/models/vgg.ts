import { classes, type Classes } from "./classes.ts"
import { fill, initWeights, kaimingNormal, normal } from "./initWeights.ts"
import type { Layer } from "./Layer.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { batchNorm2d } from "./layers/batchNorm2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { linear } from "./layers/linear.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { entitled, input, sequential } from "./sequential.ts"

const on = { inplace: true }
const conv = <const I extends number, const O extends number>(i: I, o: O) =>
  [conv2d(i, o, { kernelSize: 3, padding: 1 }), relu(on)] as const
/** with batch normalisation */
const norm = <const I extends number, const O extends number>(i: I, o: O) =>
  [conv2d(i, o, { kernelSize: 3, padding: 1 }), batchNorm2d(o), relu(on)] as const
const pool = () => maxPool2d({ kernelSize: 2, stride: 2 })
const classifier = <const K extends number>(k: K) =>
  [
    "classifier",
    [linear(25088, 4096), relu(on), dropout(), linear(4096, 4096), relu(on), dropout(), linear(4096, k)],
  ] as const
/** torchvision's name and first numbers */
const vgg = <H extends Layer>(net: H): H =>
  initWeights(entitled("VGG", net), {
    conv2d: { weight: kaimingNormal({ fan: "out" }), bias: fill(0) },
    linear: { weight: normal(0, 0.01), bias: fill(0) },
  })

/**
 * VGG of 11 layers with parameters.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 132,863,336 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg11 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...conv(3, 64),
          pool(),
          ...conv(64, 128),
          pool(),
          ...conv(128, 256),
          ...conv(256, 256),
          pool(),
          ...conv(256, 512),
          ...conv(512, 512),
          pool(),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 13 layers with parameters.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 133,047,848 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg13 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...conv(3, 64),
          ...conv(64, 64),
          pool(),
          ...conv(64, 128),
          ...conv(128, 128),
          pool(),
          ...conv(128, 256),
          ...conv(256, 256),
          pool(),
          ...conv(256, 512),
          ...conv(512, 512),
          pool(),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 16 layers with parameters.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 138,357,544 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg16 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...conv(3, 64),
          ...conv(64, 64),
          pool(),
          ...conv(64, 128),
          ...conv(128, 128),
          pool(),
          ...conv(128, 256),
          ...conv(256, 256),
          ...conv(256, 256),
          pool(),
          ...conv(256, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
          ...conv(512, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 19 layers with parameters.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 143,667,240 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg19 = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...conv(3, 64),
          ...conv(64, 64),
          pool(),
          ...conv(64, 128),
          ...conv(128, 128),
          pool(),
          ...conv(128, 256),
          ...conv(256, 256),
          ...conv(256, 256),
          ...conv(256, 256),
          pool(),
          ...conv(256, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
          ...conv(512, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          ...conv(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 11 layers with parameters, with batch normalisation.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 132,868,840 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg11Bn = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...norm(3, 64),
          pool(),
          ...norm(64, 128),
          pool(),
          ...norm(128, 256),
          ...norm(256, 256),
          pool(),
          ...norm(256, 512),
          ...norm(512, 512),
          pool(),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 13 layers with parameters, with batch normalisation.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 133,053,736 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg13Bn = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...norm(3, 64),
          ...norm(64, 64),
          pool(),
          ...norm(64, 128),
          ...norm(128, 128),
          pool(),
          ...norm(128, 256),
          ...norm(256, 256),
          pool(),
          ...norm(256, 512),
          ...norm(512, 512),
          pool(),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 16 layers with parameters, with batch normalisation.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 138,365,992 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg16Bn = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...norm(3, 64),
          ...norm(64, 64),
          pool(),
          ...norm(64, 128),
          ...norm(128, 128),
          pool(),
          ...norm(128, 256),
          ...norm(256, 256),
          ...norm(256, 256),
          pool(),
          ...norm(256, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
          ...norm(512, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )

/**
 * VGG of 19 layers with parameters, with batch normalisation.
 *
 * **Shapes** `[N, 3, 224, 224] → [N, numClasses]`; 143,678,248 parameters for 1000 classes. Simonyan and
 * Zisserman, 2014.
 */
export const vgg19Bn = <const K extends number = 1000>(options: Classes<K> = {}) =>
  vgg(
    sequential(
      input("N", 3, 224, 224),
      [
        "features",
        [
          ...norm(3, 64),
          ...norm(64, 64),
          pool(),
          ...norm(64, 128),
          ...norm(128, 128),
          pool(),
          ...norm(128, 256),
          ...norm(256, 256),
          ...norm(256, 256),
          ...norm(256, 256),
          pool(),
          ...norm(256, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
          ...norm(512, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          ...norm(512, 512),
          pool(),
        ],
      ] as const,
      ["avgpool", adaptiveAvgPool2d([7, 7])],
      flatten(),
      classifier(classes<K>(options, 1000)),
    ),
  )
