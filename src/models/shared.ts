import type { Layer, Typed } from "./Layer.ts"

/** a layer in a further place: it computes the same, and its parameters are those of its first place */
export interface Shared<H extends Layer> extends Layer {
  readonly kind: H["kind"]
  readonly "~": Typed<H["~"]["rule"], object, H["~"]["label"]>
}

/**
 * A layer in a further place of a model. One layer object in two places is one layer, with one set of parameters, whose
 * gradients add up and whose running statistics move at each use, as PyTorch's do; a type cannot see that two objects
 * are one, and this says it: parameters have the names of the first place only.
 *
 * @example
 * const fc = Nn.linear(4, 4)
 * Nn.sequential(Nn.input("N", 4), ["a", fc], Nn.relu(), ["b", Nn.shared(fc)]) // a.weight, a.bias
 */
export const shared = <H extends Layer>(layer: H): Shared<H> => {
  const same: Layer = layer
  // the same layer, of which the type shows no parameters
  return same as Shared<H>
}
