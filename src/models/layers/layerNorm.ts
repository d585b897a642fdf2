import { layerNorm as op } from "../../ops/layerNorm.ts"
import { type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Dim, type Fits, fits, type Shape, show, type ShowDim } from "../../shapes/Shape.ts"
import { firstFault, notSize, type Size } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, trainable, type Typed } from "../Layer.ts"
import { float } from "./repr.ts"

export interface LayerNorm<F extends number> extends Layer {
  readonly kind: "layerNorm"
  readonly "~": Typed<LayerNormRule<F>, { weight: [F]; bias: [F] }, `layerNorm(${F})`>
}
/** the shape stays, where its last dimension has `F` features */
export interface LayerNormRule<F extends number> extends Rule {
  readonly out: Features<this["in"], F, By<this["by"]>>
}
type Features<S, F extends number, B extends string> = S extends readonly [...Shape, infer F0 extends Dim]
  ? Fits<F0, F> extends true
    ? S
    : Refuse<`expects ${F} features but ${B} gives ${ShowDim<F0>}`>
  : S extends readonly []
    ? Refuse<`expects at least one dimension but ${B} gives a scalar`>
    : S

/**
 * The last dimension shifted and scaled to mean 0 and variance 1, then by a weight and a bias for each feature.
 *
 * **Shapes** `[…, F] → […, F]`. PyTorch's `LayerNorm`; Ba, Kiros and Hinton, 2016.
 *
 * @example
 * Nn.layerNorm(64)
 */
export const layerNorm = <const F extends number>(
  features: Size<F>,
  { eps = 1e-5 }: { /** added to the variance; 1e-5 when absent */ readonly eps?: number } = {},
): LayerNorm<F> => {
  // a guarded argument is the argument itself, or the call does not compile
  const f = features as number
  const fault = firstFault({ features: notSize(f) })
  return layer<LayerNorm<F>>({
    kind: "layerNorm",
    label: `layerNorm(${f})`,
    repr: `LayerNorm((${f},), eps=${float(eps)}, elementwise_affine=True)`,
    rule: (input, { by }) => {
      const last = input.at(-1)
      if (fault !== null) return fault
      if (last === undefined) return refuse(`expects at least one dimension but ${by} gives ${show(input)}`)
      return fits(last, f) ? input : refuse(`expects ${f} features but ${by} gives ${last}`)
    },
    params: [trainable("weight", [f], { _tag: "Fill", value: 1 }), trainable("bias", [f], { _tag: "Fill", value: 0 })],
    forward: pure((x, { params: { weight = null, bias = null } }) => op(x, [f], { weight, bias, eps })),
  })
}
