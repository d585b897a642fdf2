import { refuse } from "../shapes/Refusal.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { affine, moments } from "./normalize.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

/** The options of layer normalisation. */
export interface LayerNormOptions {
  /** of the normalised shape; 1 when absent */
  readonly weight?: Tensor | null
  /** of the normalised shape; 0 when absent */
  readonly bias?: Tensor | null
  /** 1e-5 when absent */
  readonly eps?: number
}

/**
 * The trailing dimensions (as many as `normalizedShape` has) shifted and scaled together to mean 0 and variance 1, then
 * by `weight` and `bias`.
 *
 * **Shapes** `S → S`. **Gradient** through the statistics. PyTorch's `layer_norm`; Ba, Kiros and Hinton, 2016.
 *
 * @example
 * Ops.layerNorm(x, [64], { weight, bias })
 */
export const layerNorm = <S extends Shape>(
  x: Tensor<S>,
  normalizedShape: ReadonlyArray<number>,
  { weight = null, bias = null, eps = 1e-5 }: LayerNormOptions = {},
): Tensor<S> => {
  const own = x.shape.slice(-normalizedShape.length)
  const misfit = normalizedShape.length === 0 || !fitsShape(own, normalizedShape)
  const wrong = [weight, bias].find((t) => t !== null && !fitsShape(t.shape, normalizedShape))
  if (misfit || wrong != null) {
    const given =
      wrong == null || misfit ? `the input gives ${show(x.shape)}` : `is given a weight of ${show(wrong.shape)}`
    return Op.refused(
      "layerNorm",
      [x, ...[weight, bias].flatMap((t) => t ?? [])],
      refuse(`normalises ${show(normalizedShape)} but ${given}`),
    )
  }
  const dims = normalizedShape.map((_, i) => x.shape.length - normalizedShape.length + i)
  // element by element of `x`
  return affine(x, moments(x, dims), eps, weight, bias) as Tensor<S>
}
