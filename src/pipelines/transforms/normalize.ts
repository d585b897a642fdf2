import { isRefusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Shape, type Show, show } from "../../shapes/Shape.ts"
import { image, type Image, make, type Rule, type Transform } from "./Transform.ts"

export interface NormalizeRule<N extends number> extends Rule {
  readonly out: Image<this["in"], Channels<this["in"], N>>
}
type Channels<S, N extends number> = S extends readonly [infer C, ...ReadonlyArray<unknown>]
  ? C extends number
    ? number extends C | N
      ? S
      : 1 extends N
        ? S
        : C extends N
          ? S
          : Refuse<`has ${N} means and deviations but the pictures are ${Show<S>}`>
    : S
  : Shape

/**
 * (x − mean) / std, for each channel: one number for each, or one for all.
 *
 * **Shapes** `[C, H, W] → [C, H, W]`. torchvision's `Normalize`.
 *
 * @example
 * mnist.train.pipe(Data.map(Transforms.normalize([0.1307], [0.3081])))
 */
export const normalize = <const M extends ReadonlyArray<number>>(
  mean: M,
  std: { readonly [K in keyof M]: number },
): Transform<NormalizeRule<M["length"]>> => {
  const fault =
    mean.length !== std.length
      ? `has ${mean.length} means but ${std.length} deviations`
      : mean.length === 0 || !mean.every(Number.isFinite)
        ? `has means [${mean.join(", ")}], which must be finite numbers, at least one`
        : !std.every((s) => Number.isFinite(s) && s !== 0)
          ? `has deviations [${std.join(", ")}], none of which may be 0 or infinite`
          : null
  return make({
    name: "normalize",
    shape: (s) => {
      const given = image(s)
      if (fault !== null) return refuse(fault)
      if (isRefusal(given) || typeof given[0] === "string" || mean.length === 1 || mean.length === given[0])
        return given
      return refuse(`has ${mean.length} means and deviations but the pictures are ${show(s)}`)
    },
    kernel: ([channels = 1, height = 1, width = 1]) => {
      const pixels = height * width
      const each = mean.length === 1 ? 0 : 1
      return (input, output) => {
        for (let c = 0; c < channels; c++) {
          const [m, s] = [mean[c * each]!, std[c * each]!]
          for (let i = c * pixels; i < (c + 1) * pixels; i++) output[i] = (input[i]! - m) / s
        }
      }
    },
  })
}
