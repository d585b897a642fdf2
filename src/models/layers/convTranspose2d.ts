import { convTranspose2d as op } from "../../ops/convTranspose2d.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { type ConvTranspose2d as Shapes, convTranspose2d as shapes } from "../../shapes/convTranspose2d.ts"
import type { FloorDiv } from "../../shapes/int.ts"
import { numel, type Pair, pairX, pairY, type X, type Y } from "../../shapes/Shape.ts"
import {
  type CountPair,
  type Groups,
  notCount,
  notGroups,
  notSize,
  type Size,
  type SizePair,
} from "../../shapes/size.ts"
import { type By, fanIn, type Layer, layer, pure, type Rule, trainable, type Typed } from "../Layer.ts"
import { firstFault } from "../../shapes/size.ts"
import { bool, tuple, unusual } from "./repr.ts"

export interface ConvTranspose2d<
  I extends number,
  O extends number,
  K extends Pair,
  S extends Pair = 1,
  P extends Pair = 0,
  OP extends Pair = 0,
  D extends Pair = 1,
  G extends number = 1,
  Bias extends boolean = true,
> extends Layer {
  readonly kind: "convTranspose2d"
  readonly "~": Typed<
    ConvTranspose2dRule<I, O, K, S, P, OP, D>,
    ConvTranspose2dParams<I, O, K, G, Bias>,
    `convTranspose2d(${I}, ${O})`
  >
}
export interface ConvTranspose2dRule<
  I extends number,
  O extends number,
  K extends Pair,
  S extends Pair,
  P extends Pair,
  OP extends Pair,
  D extends Pair,
> extends Rule {
  readonly out: Shapes<this["in"], I, O, K, S, P, OP, D, By<this["by"]>>
}
type ConvTranspose2dParams<I extends number, O extends number, K, G extends number, Bias> = Bias extends false
  ? { weight: [I, FloorDiv<O, G>, Y<K>, X<K>] }
  : { weight: [I, FloorDiv<O, G>, Y<K>, X<K>]; bias: [O] }

export interface ConvTranspose2dLayerOptions<I extends number, O extends number, K, S, P, OP, D, G extends number, B> {
  /** of the window: one number, or [height, width] */
  readonly kernelSize: SizePair<K>
  /** 1 when absent */
  readonly stride?: SizePair<S>
  /** taken away on each side; 0 when absent */
  readonly padding?: CountPair<P>
  /** added on one side, to choose among sizes that one stride makes equal; 0 when absent */
  readonly outputPadding?: CountPair<OP>
  /** 1 when absent */
  readonly dilation?: SizePair<D>
  /** 1 when absent; divides both numbers of channels */
  readonly groups?: Groups<G, I, O>
  /** true when absent */
  readonly bias?: B
}

/**
 * The transpose of a convolution, which makes images larger, with a bias for each output channel.
 *
 * **Shapes** `[N, I, H, W] → [N, O, H′, W′]`, or both without `N`, with
 * `H′ = (H − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1`. PyTorch's `ConvTranspose2d`.
 *
 * @example
 * Nn.convTranspose2d(64, 32, { kernelSize: 4, stride: 2, padding: 1 })
 */
export const convTranspose2d = <
  const I extends number,
  const O extends number,
  const K extends Pair,
  const S extends Pair = 1,
  const P extends Pair = 0,
  const OP extends Pair = 0,
  const D extends Pair = 1,
  const G extends number = 1,
  const Bias extends boolean = true,
>(
  inChannels: Size<I>,
  outChannels: Size<O>,
  options: ConvTranspose2dLayerOptions<I, O, K, S, P, OP, D, G, Bias>,
): ConvTranspose2d<I, O, K, S, P, OP, D, G, Bias> => {
  // a guarded argument is the argument itself, or the call does not compile
  const [i, o] = [inChannels as number, outChannels as number]
  const { kernelSize, stride = 1, padding = 0, outputPadding = 0, ...rest } = options as Widened
  const { dilation = 1, groups = 1, bias = true } = rest
  const fault = firstFault({
    inChannels: notSize(i),
    outChannels: notSize(o),
    kernelSize: notSize(kernelSize),
    stride: notSize(stride),
    padding: notCount(padding),
    outputPadding: notCount(outputPadding),
    dilation: notSize(dilation),
    groups: notGroups(groups, i, o),
  })
  const weight = [i, o / groups, pairY(kernelSize), pairX(kernelSize)] as const
  const taps = weight[1] * weight[2] * weight[3]
  const geometry = { stride, padding, outputPadding, dilation }
  const more = unusual([
    ["padding", tuple(padding), "(0, 0)"],
    ["dilation", tuple(dilation), "(1, 1)"],
    ["output_padding", tuple(outputPadding), "(0, 0)"],
    ["groups", `${groups}`, "1"],
    ["bias", bool(bias), "True"],
  ])
  return layer<ConvTranspose2d<I, O, K, S, P, OP, D, G, Bias>>({
    kind: "convTranspose2d",
    label: `convTranspose2d(${i}, ${o})`,
    repr: `ConvTranspose2d(${i}, ${o}, kernel_size=${tuple(kernelSize)}, stride=${tuple(stride)}${more})`,
    rule: (input, { by }) => fault ?? shapes(input, { inChannels: i, outChannels: o, kernelSize, ...geometry }, by),
    // PyTorch takes the fan of the transposed weight's second dimension
    params:
      fault === null
        ? [trainable("weight", weight, fanIn(taps)), ...(bias ? [trainable("bias", [o], fanIn(taps))] : [])]
        : [],
    multiplyAdds: (input) => Number(numel(input)) * taps,
    forward: pure<{ weight: Tensor; bias: Tensor | undefined }>((x, { params }) =>
      op<typeof x.shape, Tensor["shape"]>(x, params.weight, params.bias, { ...geometry, groups }),
    ),
  })
}
type Widened = {
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Pair
  readonly outputPadding?: Pair
  readonly dilation?: Pair
  readonly groups?: number
  readonly bias?: boolean
}
