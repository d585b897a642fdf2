import type { Child, Init, Layer } from "./Layer.ts"

/** Which initialiser each parameter of each kind of layer gets: `{ linear: { weight: normal(0, 0.01), bias: fill(0) } }`. */
export interface Recipe {
  readonly [kind: string]: { readonly [param: string]: Init }
}

/** every number the same */
export const fill = (value: number): Init => ({ _tag: "Fill", value })
/** PyTorch's `normal_` */
export const normal = (mean: number, std: number): Init => ({ _tag: "Normal", mean, std })
/** PyTorch's `trunc_normal_`: without what lies below `from` or above `to`, which are ±2 when absent */
export const truncatedNormal = (mean: number, std: number, from: number = -2, to: number = 2): Init => ({
  _tag: "TruncatedNormal",
  mean,
  std,
  from,
  to,
})

export interface KaimingOptions {
  /** of the activation that follows: √2 of ReLU when absent */
  readonly gain?: number
  /** what keeps its variance: "in" the activations, "out" the gradients; "in" when absent */
  readonly fan?: "in" | "out"
}
/** PyTorch's `kaiming_uniform_`; He et al., 2015. */
export const kaimingUniform = ({ gain = Math.SQRT2, fan = "in" }: KaimingOptions = {}): Init => ({
  _tag: "Scaled",
  distribution: "uniform",
  fan,
  gain,
})
/** PyTorch's `kaiming_normal_`; He et al., 2015. */
export const kaimingNormal = ({ gain = Math.SQRT2, fan = "in" }: KaimingOptions = {}): Init => ({
  _tag: "Scaled",
  distribution: "normal",
  fan,
  gain,
})
/** PyTorch's `xavier_uniform_`; Glorot and Bengio, 2010. The gain is 1 when absent. */
export const xavierUniform = ({ gain = 1 }: { readonly gain?: number } = {}): Init => ({
  _tag: "Scaled",
  distribution: "uniform",
  fan: "mean",
  gain,
})
/** PyTorch's `xavier_normal_`; Glorot and Bengio, 2010. The gain is 1 when absent. */
export const xavierNormal = ({ gain = 1 }: { readonly gain?: number } = {}): Init => ({
  _tag: "Scaled",
  distribution: "normal",
  fan: "mean",
  gain,
})
const slope = (a: number): number => Math.sqrt(2 / (1 + a * a))
/** The gains of PyTorch's `calculate_gain`. */
export const gains = { linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, leakyRelu: slope, selu: 3 / 4 } as const

/**
 * The same model, whose parameters start as a recipe says; what it does not name stays.
 *
 * @example
 * Nn.initWeights(net, { conv2d: { weight: Nn.kaimingNormal({ fan: "out" }), bias: Nn.fill(0) } })
 */
export const initWeights = <H extends Layer>(net: H, recipe: Recipe): H => {
  const made = new Map<Layer, Layer>() // what is shared stays shared
  const change = (layer: Layer): Layer => {
    const before = made.get(layer)
    if (before !== undefined) return before
    const own = recipe[layer.kind]
    const params = layer.params.map((p) => ({ ...p, init: own?.[p.name] ?? p.init }))
    const children = layer.children.map((c): Child => ({ ...c, layer: change(c.layer) }))
    const after = { ...layer, params, children }
    made.set(layer, after)
    return after
  }
  // a layer with other initialisers is otherwise the same
  return change(net) as H
}
