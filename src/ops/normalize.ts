/** What the normalising ops share: zero mean and unit variance over some dimensions. */
import { add } from "./add.ts"
import { mean } from "./mean.ts"
import { mul } from "./mul.ts"
import { rsqrt } from "./rsqrt.ts"
import { square } from "./square.ts"
import { sub } from "./sub.ts"
import type { Tensor } from "./Tensor.ts"

/** the mean over `dim`, and the biased variance, the reduced dimensions kept with size 1 */
export const moments = (
  x: Tensor,
  dim: ReadonlyArray<number>,
): { readonly mean: Tensor; readonly variance: Tensor } => {
  const average = mean(x, { dim, keepDim: true })
  return { mean: average, variance: mean(square(sub(x, average)), { dim, keepDim: true }) }
}

/** `(x − mean) / √(variance + eps) · weight + bias`, where there are such */
export const affine = (
  x: Tensor,
  { mean: average, variance }: { readonly mean: Tensor; readonly variance: Tensor },
  eps: number,
  weight: Tensor | null,
  bias: Tensor | null,
): Tensor => {
  const unit = mul(sub(x, average), rsqrt(add(variance, eps)))
  const scaled = weight === null ? unit : mul(unit, weight)
  return bias === null ? scaled : add(scaled, bias)
}
