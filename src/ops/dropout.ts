import * as K from "../gpu/Kernel.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { firstFault, notCount, notShare } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { keyLimbs, uniformValue } from "./random.ts"
import type { Tensor } from "./Tensor.ts"

interface Attributes {
  readonly p: number
  readonly stream: number
}

const op: Op.Primitive<Attributes> = Op.primitive({
  name: "dropout",
  shape: ([x = [], key = []], { p, stream }) =>
    firstFault({
      p: notShare(p),
      stream: notCount(stream),
      key: fitsShape(key, [keyLimbs]) ? null : `a key has ${keyLimbs} numbers, not ${show(key)}`,
    }) ?? x,
  kernel: ({ output, at, attributes: { p, stream } }) => {
    if (p >= 1) return [K.constant(0)]
    const element = at.reduce((flat, i, d) => K.iadd(K.imul(flat, output[d] ?? 1), i), K.int(0))
    const key = Array.from({ length: keyLimbs }, (_, i) => K.toIndex(K.load(1, [K.int(i)])))
    const kept = K.compare("ge", uniformValue(key, stream, element), p)
    return [K.select(kept, K.mul(K.load(0, at), 1 / (1 - p)), 0)]
  },
  // the same elements, by the same key
  gradient: Op.vjp(({ inputs: [, key], attributes, dy }) =>
    key === undefined ? [] : [Op.call(op, [dy, key], attributes), null],
  ),
})

/**
 * Each element becomes 0 with probability `p`; the others are multiplied by `1 / (1 − p)`. Which ones depends on `key`
 * (an input of the program, `Tensor.seed`), on `stream` and on the element's position: the same everywhere.
 *
 * **Shapes** `S → S`. **Gradient** `dy` where the element was kept, multiplied alike. PyTorch's `dropout` in training.
 */
export const dropout = <S extends Shape>(
  x: Tensor<S>,
  { p = 0.5, key, stream }: { readonly p?: number; readonly key: Tensor<readonly [4]>; readonly stream: number },
): Tensor<S> => (p === 0 ? x : Op.call(op, [x, key], { p, stream }))
