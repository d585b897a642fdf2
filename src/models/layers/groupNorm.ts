import { groupNorm as op } from "../../ops/groupNorm.ts"
import { firstFault, type Groups, notGroups, notSize, type Size } from "../../shapes/size.ts"
import { type Layer, layer, pure, trainable, type Typed } from "../Layer.ts"
import { channels, type ChannelsRule } from "./batchNorm2d.ts"
import { float } from "./repr.ts"

export interface GroupNorm<C extends number> extends Layer {
  readonly kind: "groupNorm"
  readonly "~": Typed<ChannelsRule<C>, { weight: [C]; bias: [C] }, `groupNorm(${C})`>
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
export const groupNorm = <const G extends number, const C extends number>(
  numGroups: Groups<G, C, C>,
  numChannels: Size<C>,
  { eps = 1e-5 }: { /** added to the variance; 1e-5 when absent */ readonly eps?: number } = {},
): GroupNorm<C> => {
  // a guarded argument is the argument itself, or the call does not compile
  const [g, c] = [numGroups as number, numChannels as number]
  const fault = firstFault({ numChannels: notSize(c), numGroups: notGroups(g, c, c) })
  return layer<GroupNorm<C>>({
    kind: "groupNorm",
    label: `groupNorm(${c})`,
    repr: `GroupNorm(${g}, ${c}, eps=${float(eps)}, affine=True)`,
    rule: (input, { by }) => fault ?? channels(input, c, by),
    params: [trainable("weight", [c], { _tag: "Fill", value: 1 }), trainable("bias", [c], { _tag: "Fill", value: 0 })],
    forward: pure((x, { params: { weight = null, bias = null } }) => op(x, g, { weight, bias, eps })),
  })
}
