import type { Shape } from "../shapes/Shape.ts"
import { firstFault, notOneOf } from "../shapes/size.ts"
import { add } from "./add.ts"
import { erf } from "./erf.ts"
import { mul } from "./mul.ts"
import * as Op from "./Op.ts"
import { square } from "./square.ts"
import { tanh } from "./tanh.ts"
import type { Tensor } from "./Tensor.ts"

/**
 * `x·Φ(x)`, with the normal distribution's `Φ`, or its approximation by a hyperbolic tangent.
 *
 * **Shapes** `S → S`. **Gradient** `dy·(Φ(x) + x·φ(x))`. PyTorch's `gelu`; Hendrycks and Gimpel, 2016.
 */
export const gelu = <S extends Shape>(
  x: Tensor<S>,
  { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {},
): Tensor<S> => {
  const t: Tensor = x
  const fault = firstFault({ approximate: notOneOf(approximate, ["none", "tanh"]) })
  if (fault !== null) return Op.refused("gelu", [x], fault)
  const inner = (): Tensor => mul(add(t, mul(mul(t, square(t)), 0.044715)), Math.sqrt(2 / Math.PI))
  const share = approximate === "none" ? erf(mul(t, Math.SQRT1_2)) : tanh(inner())
  // element by element of `x`
  return mul(mul(t, 0.5), add(share, 1)) as Tensor<S>
}
