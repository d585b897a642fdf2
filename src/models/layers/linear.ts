import { linear as op } from "../../ops/linear.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { type Linear as Shapes, linear as shapes } from "../../shapes/linear.ts"
import { numel } from "../../shapes/Shape.ts"
import { firstFault, notSize, type Size } from "../../shapes/size.ts"
import { type By, fanIn, type Layer, layer, pure, type Rule, trainable, type Typed } from "../Layer.ts"
import { bool } from "./repr.ts"

export interface Linear<I extends number, O extends number, Bias extends boolean = true> extends Layer {
  readonly kind: "linear"
  readonly "~": Typed<LinearRule<I, O>, LinearParams<I, O, Bias>, `linear(${I}, ${O})`>
}
export interface LinearRule<I extends number, O extends number> extends Rule {
  readonly out: Shapes<this["in"], I, O, By<this["by"]>>
}
type LinearParams<I extends number, O extends number, Bias> = Bias extends false
  ? { weight: [O, I] }
  : { weight: [O, I]; bias: [O] }

/**
 * `x · weightᵀ + bias` on the last dimension.
 *
 * **Shapes** `[…, I] → […, O]`. PyTorch's `Linear`.
 *
 * @example
 * Nn.linear(400, 120)
 */
export const linear = <const I extends number, const O extends number, const Bias extends boolean = true>(
  inFeatures: Size<I>,
  outFeatures: Size<O>,
  options: { readonly bias?: Bias } = {},
): Linear<I, O, Bias> => {
  // a guarded argument is the argument itself, or the call does not compile
  const [i, o] = [inFeatures as number, outFeatures as number]
  const bias: boolean = options.bias ?? true
  const fault = firstFault({ inFeatures: notSize(i), outFeatures: notSize(o) })
  return layer<Linear<I, O, Bias>>({
    kind: "linear",
    label: `linear(${i}, ${o})`,
    repr: `Linear(in_features=${i}, out_features=${o}, bias=${bool(bias)})`,
    rule: (input, { by }) => fault ?? shapes(input, i, o, by),
    params:
      fault === null
        ? [trainable("weight", [o, i], fanIn(i)), ...(bias ? [trainable("bias", [o], fanIn(i))] : [])]
        : [],
    multiplyAdds: (_, output) => Number(numel(output)) * i,
    forward: pure<{ weight: Tensor<[number, number]>; bias: Tensor<[number]> }>((x, { params }) =>
      op(x, params.weight, params.bias),
    ),
  })
}
