import { layerNorm as op } from "../../ops/layerNorm.ts"
import { type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Dim, type Fits, fits, type Shape, show, type ShowDim } from "../../shapes/Shape.ts"
import { firstFault, notSize, type Size } from "../../shapes/size.ts"
import { type By, type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"
import { type Scaling, scaling } from "./batchNorm2d.ts"
import { bool, float } from "./repr.ts"

export interface LayerNorm<F extends number, Affine extends boolean = true> extends Layer {
  readonly kind: "layerNorm"
  readonly "~": Typed<LayerNormRule<F>, Scaling<F, Affine>, `layerNorm(${F})`>
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

export interface LayerNormOptions<Affine = boolean> {
  /** added to the variance; 1e-5 when absent */
  readonly eps?: number
  /** whether there are a weight and a bias; true when absent */
  readonly elementwiseAffine?: Affine
}

/**
 * The last dimension shifted and scaled to mean 0 and variance 1, then by a weight and a bias for each feature.
 *
 * **Shapes** `[…, F] → […, F]`. PyTorch's `LayerNorm`; Ba, Kiros and Hinton, 2016.
 *
 * @example
 * Nn.layerNorm(64)
 */
export const layerNorm = <const F extends number, const Affine extends boolean = true>(
  features: Size<F>,
  options: LayerNormOptions<Affine> = {},
): LayerNorm<F, Affine> => {
  const { eps = 1e-5, elementwiseAffine = true }: LayerNormOptions = options
  // a guarded argument is the argument itself, or the call does not compile
  const f = features as number
  const fault = firstFault({ features: notSize(f) })
  return layer<LayerNorm<F, Affine>>({
    kind: "layerNorm",
    label: `layerNorm(${f})`,
    repr: `LayerNorm((${f},), eps=${float(eps)}, elementwise_affine=${bool(elementwiseAffine)})`,
    rule: (input, { by }) => {
      const last = input.at(-1)
      if (fault !== null) return fault
      if (last === undefined) return refuse(`expects at least one dimension but ${by} gives ${show(input)}`)
      return fits(last, f) ? input : refuse(`expects ${f} features but ${by} gives ${last}`)
    },
    params: elementwiseAffine ? scaling([f]) : [],
    forward: pure((x, { params: { weight = null, bias = null } }) => op(x, [f], { weight, bias, eps })),
  })
}
