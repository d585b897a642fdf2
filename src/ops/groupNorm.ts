import { refuse } from "../shapes/Refusal.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { firstFault, notSize } from "../shapes/size.ts"
import { add } from "./add.ts"
import { mul } from "./mul.ts"
import { affine, moments } from "./normalize.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Tensor } from "./Tensor.ts"

/** The options of group normalisation. */
export interface GroupNormOptions {
  /** of length `C`; 1 when absent */
  readonly weight?: Tensor | null
  /** of length `C`; 0 when absent */
  readonly bias?: Tensor | null
  /** 1e-5 when absent */
  readonly eps?: number
}

const grouped: Op.Primitive<{ readonly numGroups: number }> = Op.primitive({
  name: "groupNorm",
  shape: ([x = []], { numGroups }) => {
    const [n, c, ...rest] = x
    if (n === undefined || c === undefined) return refuse(`expects [N, C, …] but the input gives ${show(x)}`)
    const fault = firstFault({ numGroups: notSize(numGroups) })
    if (fault !== null) return fault
    return Number(c) % numGroups === 0
      ? [n, numGroups, Number(c) / numGroups, ...rest]
      : refuse(`has ${numGroups} groups, which do not divide the ${c} channels of its input`)
  },
  kernel: () => "view",
  gradient: Op.linear((dy, { x }) => reshapeTo(dy, x.shape)),
})

/**
 * The channels of each group, with all their positions, shifted and scaled together to mean 0 and variance 1, then each
 * channel by `weight` and `bias`.
 *
 * **Shapes** `[N, C, …] → [N, C, …]`. **Gradient** through the statistics. PyTorch's `group_norm`; Wu and He, 2018.
 *
 * @example
 * Ops.groupNorm(x, 8, { weight, bias })
 */
export const groupNorm = <S extends Shape>(
  x: Tensor<S>,
  numGroups: number,
  { weight = null, bias = null, eps = 1e-5 }: GroupNormOptions = {},
): Tensor<S> => {
  const channels = x.shape.slice(1, 2)
  const wrong = [weight, bias].find((t) => t !== null && !fitsShape(t.shape, channels))
  if (wrong != null && x.shape.length >= 2)
    return Op.refused(
      "groupNorm",
      [x, wrong],
      refuse(`has ${show(channels)} channels but is given ${show(wrong.shape)}`),
    )
  const parts: Tensor = Op.call(grouped, [x], { numGroups })
  const dims = parts.shape.map((_, d) => d).slice(2)
  const unit = reshapeTo(affine(parts, moments(parts, dims), eps, null, null), x.shape)
  const wide = (t: Tensor): Tensor => reshapeTo(t, [t.shape[0] ?? 1, ...x.shape.slice(2).map(() => 1)])
  const scaled: Tensor = weight === null ? unit : mul(unit as Tensor, wide(weight))
  // element by element of `x`
  return (bias === null ? scaled : add(scaled, wide(bias))) as Tensor<S>
}
