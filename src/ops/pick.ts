import * as K from "../gpu/Kernel.ts"
import { refuse } from "../shapes/Refusal.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

interface Attributes {
  /** a class index that picks nothing: its element is 0 */
  readonly ignoreIndex: number
}

const without1 = (shape: Shape): Shape => shape.filter((_, d) => d !== 1)

const forward: Op.Primitive<Attributes> = Op.primitive({
  name: "pick",
  shape: ([x = [], index = []]) =>
    x.length >= 2 && fitsShape(without1(x), index)
      ? index
      : refuse(`expects classes of shape ${show(without1(x))} for an input of ${show(x)} but is given ${show(index)}`),
  kernel: ({ inputs: [x = []], at, attributes: { ignoreIndex } }) => {
    const label = K.load(1, at)
    const [n = K.int(0), ...rest] = at
    const valid = K.and(K.compare("ge", label, 0), K.compare("lt", label, x[1] ?? 0))
    const element = K.load(0, [n, K.toIndex(label), ...rest])
    // a class that does not exist must not pass unseen
    return [K.select(K.compare("eq", label, ignoreIndex), 0, K.select(valid, element, Number.NaN))]
  },
  gradient: Op.vjp(({ inputs: [x, index], attributes, dy }) =>
    x === undefined || index === undefined
      ? []
      : [Op.call(unpick, [dy, index], { ...attributes, shape: x.shape }), null],
  ),
})

const unpick: Op.Primitive<Attributes & { readonly shape: Shape }> = Op.primitive({
  name: "unpick",
  shape: (_, { shape }) => shape,
  kernel: ({ at, attributes: { ignoreIndex } }) => {
    const [n = K.int(0), c = K.int(0), ...rest] = at
    const label = K.load(1, [n, ...rest])
    const here = K.and(K.compare("eq", label, K.toFloat(c)), K.compare("ne", label, ignoreIndex))
    return [K.select(here, K.load(0, [n, ...rest]), 0)]
  },
  gradient: Op.vjp(({ inputs: [, index], attributes, dy }) =>
    index === undefined ? [] : [Op.call(forward, [dy, index], attributes), null],
  ),
})

/**
 * The element of each sample's own class, along dimension 1; 0 for `ignoreIndex`, NaN for a class that does not exist.
 *
 * **Shapes** `[N, C, …] × [N, …] → [N, …]`. **Gradient** `dy` in the place of the class, else 0.
 * PyTorch's `gather` along dimension 1, as `nllLoss` uses it.
 */
export const pick = (x: Tensor, index: Tensor, { ignoreIndex = -100 }: Partial<Attributes> = {}): Tensor =>
  Op.call(forward, [x, index], { ignoreIndex })
