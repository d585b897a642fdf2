import { groupNorm as op } from "../../ops/groupNorm.ts"
import { firstFault, type Groups, notGroups, notSize, type Size } from "../../shapes/size.ts"
import { type Layer, layer, pure, type Typed } from "../Layer.ts"
import { channels, type ChannelsRule, type Scaling, scaling } from "./batchNorm2d.ts"
import { bool, float } from "./repr.ts"

export interface GroupNorm<C extends number, Affine extends boolean = true> extends Layer {
  readonly kind: "groupNorm"
  readonly "~": Typed<ChannelsRule<C>, Scaling<C, Affine>, `groupNorm(${C})`>
}

export interface GroupNormOptions<Affine = boolean> {
  /** added to the variance; 1e-5 when absent */
  readonly eps?: number
  /** whether there are a weight and a bias; true when absent */
  readonly affine?: Affine
}

/**
 * The channels of each group, with all their positions, shifted and scaled to mean 0 and variance 1, then each channel
 * by a weight and a bias of its own.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H, W]`. PyTorch's `GroupNorm`; Wu and He, 2018.
 *
 * @example
 * Nn.groupNorm(8, 64)
 */
export const groupNorm = <const G extends number, const C extends number, const Affine extends boolean = true>(
  numGroups: Groups<G, C, C>,
  numChannels: Size<C>,
  options: GroupNormOptions<Affine> = {},
): GroupNorm<C, Affine> => {
  const { eps = 1e-5, affine = true }: GroupNormOptions = options
  // a guarded argument is the argument itself, or the call does not compile
  const [g, c] = [numGroups as number, numChannels as number]
  const fault = firstFault({ numChannels: notSize(c), numGroups: notGroups(g, c, c) })
  return layer<GroupNorm<C, Affine>>({
    kind: "groupNorm",
    label: `groupNorm(${c})`,
    repr: `GroupNorm(${g}, ${c}, eps=${float(eps)}, affine=${bool(affine)})`,
    rule: (input, { by }) => fault ?? channels(input, c, by),
    params: affine ? scaling([c]) : [],
    forward: pure((x, { params: { weight = null, bias = null } }) => op(x, g, { weight, bias, eps })),
  })
}
