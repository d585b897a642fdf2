import { conv2d as op, type Conv2dOptions as OpOptions, sides } from "../../ops/conv2d.ts"
import { notEnough } from "../../ops/pad.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { type Conv2d as Shapes, conv2d as shapes, type Padding } from "../../shapes/conv2d.ts"
import type { FloorDiv } from "../../shapes/int.ts"
import { isRefusal, type Refusal } from "../../shapes/Refusal.ts"
import { numel, type Pair, pairX, pairY, type Shape, unknownDim, type X, type Y } from "../../shapes/Shape.ts"
import {
  type CountPair,
  firstFault,
  type Groups,
  notCount,
  notGroups,
  notOneOf,
  notSize,
  type Size,
  type SizePair,
} from "../../shapes/size.ts"
import { type By, fanIn, type Layer, layer, pure, type Rule, trainable, type Typed } from "../Layer.ts"
import { bool, tuple, unusual } from "./repr.ts"

export interface Conv2d<
  I extends number,
  O extends number,
  K extends Pair,
  S extends Pair = 1,
  P extends Padding = 0,
  D extends Pair = 1,
  G extends number = 1,
  Bias extends boolean = true,
> extends Layer {
  readonly kind: "conv2d"
  readonly "~": Typed<Conv2dRule<I, O, K, S, P, D>, Conv2dParams<I, O, K, G, Bias>, `conv2d(${I}, ${O})`>
}
export interface Conv2dRule<
  I extends number,
  O extends number,
  K extends Pair,
  S extends Pair,
  P extends Padding,
  D extends Pair,
> extends Rule {
  readonly out: Shapes<this["in"], I, O, K, S, P, D, By<this["by"]>>
}
type Conv2dParams<I extends number, O extends number, K, G extends number, Bias> = Bias extends false
  ? { weight: [O, FloorDiv<I, G>, Y<K>, X<K>] }
  : { weight: [O, FloorDiv<I, G>, Y<K>, X<K>]; bias: [O] }

export interface Conv2dOptions<I extends number, O extends number, K, S, P, D, G extends number, Bias> {
  /** of the window: one number, or [height, width] */
  readonly kernelSize: SizePair<K>
  /** 1 when absent */
  readonly stride?: SizePair<S>
  /** zeros on each side, "same" or "valid"; 0 when absent */
  readonly padding?: CountPair<P>
  /** 1 when absent */
  readonly dilation?: SizePair<D>
  /** 1 when absent; divides both numbers of channels */
  readonly groups?: Groups<G, I, O>
  /** true when absent */
  readonly bias?: Bias
  /** what stands beyond the border: "zeros" when absent */
  readonly paddingMode?: PaddingMode
}
type PaddingMode = NonNullable<OpOptions["paddingMode"]>

/**
 * A 2-D convolution (a cross-correlation) with a bias for each output channel.
 *
 * **Shapes** `[N, I, H, W] → [N, O, H′, W′]`, or both without `N`, with
 * `H′ = ⌊(H + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`. PyTorch's `Conv2d`.
 *
 * @example
 * Nn.conv2d(3, 64, { kernelSize: 11, stride: 4, padding: 2 })
 */
export const conv2d = <
  const I extends number,
  const O extends number,
  const K extends Pair,
  const S extends Pair = 1,
  const P extends Padding = 0,
  const D extends Pair = 1,
  const G extends number = 1,
  const Bias extends boolean = true,
>(
  inChannels: Size<I>,
  outChannels: Size<O>,
  options: Conv2dOptions<I, O, K, S, P, D, G, Bias>,
): Conv2d<I, O, K, S, P, D, G, Bias> => {
  // a guarded argument is the argument itself, or the call does not compile
  const [i, o] = [inChannels as number, outChannels as number]
  const {
    kernelSize,
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
    bias = true,
    paddingMode = "zeros",
  } = options as Widened
  const fault = firstFault({
    inChannels: notSize(i),
    outChannels: notSize(o),
    kernelSize: notSize(kernelSize),
    stride: notSize(stride),
    padding: typeof padding === "string" ? null : notCount(padding),
    dilation: notSize(dilation),
    groups: notGroups(groups, i, o),
    paddingMode: notOneOf(paddingMode, ["zeros", "reflect", "replicate", "circular"]),
  })
  const weight = [o, i / groups, pairY(kernelSize), pairX(kernelSize)] as const
  const taps = weight[1] * weight[2] * weight[3]
  const geometry = { kernelSize, stride, padding, dilation }
  const more = unusual([
    ["padding", typeof padding === "string" ? padding : tuple(padding), "(0, 0)"],
    ["dilation", tuple(dilation), "(1, 1)"],
    ["groups", `${groups}`, "1"],
    ["bias", bool(bias), "True"],
    ["padding_mode", paddingMode, "zeros"],
  ])
  return layer<Conv2d<I, O, K, S, P, D, G, Bias>>({
    kind: "conv2d",
    label: `conv2d(${i}, ${o})`,
    repr: `Conv2d(${i}, ${o}, kernel_size=${tuple(kernelSize)}, stride=${tuple(stride)}${more})`,
    rule: (input, { by }) => {
      const out = fault ?? shapes(input, { inChannels: i, outChannels: o, ...geometry }, by)
      return isRefusal(out) || paddingMode === "zeros" ? out : (tooWide(input, paddingMode, geometry) ?? out)
    },
    params:
      fault === null
        ? [trainable("weight", weight, fanIn(taps)), ...(bias ? [trainable("bias", [o], fanIn(taps))] : [])]
        : [],
    multiplyAdds: (_, output) => Number(numel(output)) * taps,
    forward: pure<{ weight: Tensor<[number, number, number, number]>; bias: Tensor<[number]> }>((x, { params }) =>
      op(x, params.weight, params.bias, { stride, padding, dilation, groups, paddingMode }),
    ),
  })
}
/** the refusal of a border that the image cannot give, or `null` */
const tooWide = (
  input: Shape,
  mode: Exclude<PaddingMode, "zeros">,
  { kernelSize: k, padding, dilation: d }: { kernelSize: Pair; padding: Padding; dilation: Pair },
): Refusal | null => {
  const [left, right, top, bottom] = sides(padding, [pairY(k), pairX(k)], [pairY(d), pairX(d)])
  const [h = unknownDim, w = unknownDim] = input.slice(-2)
  return notEnough(mode, h, Math.max(top, bottom)) ?? notEnough(mode, w, Math.max(left, right))
}
type Widened = {
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Padding
  readonly dilation?: Pair
  readonly groups?: number
  readonly bias?: boolean
  readonly paddingMode?: PaddingMode
}
