import { classes, type Classes } from "./classes.ts"
import { adaptiveAvgPool2d } from "./layers/adaptiveAvgPool2d.ts"
import { conv2d } from "./layers/conv2d.ts"
import { dropout } from "./layers/dropout.ts"
import { flatten } from "./layers/flatten.ts"
import { maxPool2d } from "./layers/maxPool2d.ts"
import { relu } from "./layers/relu.ts"
import { input, sequential } from "./sequential.ts"

type Geometry<K extends number, S extends number, P extends number> = {
  readonly kernelSize: K
  readonly stride: S
  readonly padding: P
}
/** a convolution and two of 1×1, which are a small network at each position */
const block = <
  const I extends number,
  const O extends number,
  const K extends number,
  const S extends number,
  const P extends number,
>(
  i: I,
  o: O,
  { kernelSize, stride, padding }: Geometry<K, S, P>,
) =>
  [
    conv2d(i, o, { kernelSize, stride, padding }),
    relu(),
    conv2d(o, o, { kernelSize: 1 }),
    relu(),
    conv2d(o, o, { kernelSize: 1 }),
    relu(),
  ] as const
const pool = () => maxPool2d({ kernelSize: 3, stride: 2 })

export interface NinOptions<C extends number, K extends number> extends Classes<K> {
  /** of the images; 1 when absent */
  readonly inChannels?: C
}
/**
 * Network in Network, as in Dive into Deep Learning: no linear layer, the last block has a channel for each class.
 *
 * **Shapes** `[N, inChannels, 224, 224] → [N, numClasses]`; 1,992,166 parameters for 1 channel and 10 classes.
 * Lin, Chen and Yan, 2013.
 *
 * @example
 * Nn.nin({ inChannels: 3, numClasses: 100 })
 */
export const nin = <const C extends number = 1, const K extends number = 10>(options: NinOptions<C, K> = {}) => {
  // 1 is the default of C
  const c = (options.inChannels ?? 1) as C
  const k = classes<K>(options, 10)
  return sequential(
    input("N", c, 224, 224),
    block(c, 96, { kernelSize: 11, stride: 4, padding: 0 }),
    pool(),
    block(96, 256, { kernelSize: 5, stride: 1, padding: 2 }),
    pool(),
    block(256, 384, { kernelSize: 3, stride: 1, padding: 1 }),
    pool(),
    dropout(),
    block(384, k, { kernelSize: 3, stride: 1, padding: 1 }),
    adaptiveAvgPool2d([1, 1]),
    flatten(),
  )
}
