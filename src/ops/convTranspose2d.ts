import { type ConvTranspose2d as Rule, convTranspose2d as rule } from "../shapes/convTranspose2d.ts"
import { isRefusal, type Refusal, type Refuse, refuse } from "../shapes/Refusal.ts"
import { type Pair, pairX, pairY, type Shape, type Show, show, showPair } from "../shapes/Shape.ts"
import { firstFault, notCount, nothingIn, notSize } from "../shapes/size.ts"
import { add } from "./add.ts"
import { inputGradient } from "./conv2d.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import type { Checked, Option, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

/** The options of a transposed convolution, as PyTorch's, in camelCase. */
export interface ConvTranspose2dOptions {
  /** 1 when absent */
  readonly stride?: Pair
  /** 0 when absent */
  readonly padding?: Pair
  /** added to one side of the output, to choose among sizes that one stride makes equal; 0 when absent */
  readonly outputPadding?: Pair
  /** 1 when absent */
  readonly dilation?: Pair
  /** 1 when absent */
  readonly groups?: number
}

/** the shape of a transposed convolution of `X` with a weight `W`; unknown where the weight's is */
type Convolved<X, W, O> = W extends readonly [infer C, infer Out, infer KH, infer KW]
  ? Rule<
      X,
      C & number,
      Option<O, "groups", 1> extends 1 ? Out & number : number,
      readonly [KH & number, KW & number],
      Option<O, "stride", 1> & Pair,
      Option<O, "padding", 0> & Pair,
      Option<O, "outputPadding", 0> & Pair,
      Option<O, "dilation", 1> & Pair
    >
  : number extends W["length" & keyof W]
    ? Shape
    : Refuse<`expects a weight [C, O / groups, kH, kW] but is given ${Show<W>}`>

/** only refuses: what fits goes to `inputGradient` */
const refused: Op.Primitive<Required<ConvTranspose2dOptions>> = Op.primitive({
  name: "convTranspose2d",
  shape: ([x = [], weight = [], bias], options) => shapeOf(x, weight, bias, options),
  kernel: () => [],
  gradient: Op.zero,
})

const shapeOf = (
  x: Shape,
  weight: Shape,
  bias: Shape | undefined,
  options: Required<ConvTranspose2dOptions>,
): Shape | Refusal => {
  const [c, o, kh, kw] = weight.map(Number)
  if (weight.length !== 4)
    return refuse(`expects a weight [C, O / groups, kH, kW] but it has ${weight.length} dimensions`)
  const { stride, padding, outputPadding, dilation, groups } = options
  const small = [pairY, pairX].every((of) => of(outputPadding) < Math.max(of(stride), of(dilation)))
  const fault = firstFault({
    stride: notSize(stride),
    padding: notCount(padding),
    dilation: notSize(dilation),
    outputPadding:
      notCount(outputPadding) ?? (small ? null : `${showPair(outputPadding)} is not below the stride or the dilation`),
    groups: notSize(groups),
    weight: notSize(weight.filter((d) => typeof d === "number")),
  })
  const none = fault ?? nothingIn(x, x.slice(-2), "convolve")
  if (none !== null) return none
  if (Number(c) % groups !== 0) return refuse(`has ${groups} groups, which do not divide its ${c} input channels`)
  if (bias !== undefined && (bias.length !== 1 || bias[0] !== Number(o) * groups))
    return refuse(`expects a bias of ${Number(o) * groups} but is given ${show(bias)}`)
  return rule(x, {
    ...options,
    inChannels: c ?? 0,
    outChannels: (o ?? 0) * options.groups,
    kernelSize: [kh ?? 0, kw ?? 0],
  })
}

/**
 * The transpose of a convolution: the gradient of `conv2d` with respect to its input, as an op of its own.
 *
 * **Shapes** `[N, C, H, W] × [C, O / groups, kH, kW] (× [O]) → [N, O, H′, W′]`, or without `N`, with
 * `H′ = (H − 1)·stride − 2·padding + dilation·(kH − 1) + outputPadding + 1`. **Gradient** two convolutions and a sum.
 * PyTorch's `conv_transpose2d`.
 *
 * @example
 * Ops.convTranspose2d(x, weight, bias, { stride: 2, padding: 1, outputPadding: 1 })
 */
export const convTranspose2d = <X extends Shape, W extends Shape, const O extends ConvTranspose2dOptions = object>(
  x: Tensor<X>,
  weight: Checked<"convTranspose2d", Convolved<X, NoInfer<W>, O>, Tensor<W>>,
  bias?: Tensor | null,
  options?: O,
): Tensor<Result<Convolved<X, W, O>>> => {
  // the parameter's type is a sentence only where the call does not compile
  const filters = weight as Tensor
  const given: ConvTranspose2dOptions = options ?? {}
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = given
  const all = { stride, padding, outputPadding, dilation, groups }
  const image: Tensor = x.shape.length === 3 ? reshapeTo(x, [1, ...x.shape]) : x
  const shape = shapeOf(image.shape, filters.shape, bias?.shape, all)
  if (isRefusal(shape)) return Op.call(refused, bias == null ? [x, filters] : [x, filters, bias], all)
  const y: Tensor = Op.call(inputGradient, [image, filters], {
    shape,
    groups,
    stride: [pairY(stride), pairX(stride)],
    padding: [pairY(padding), pairX(padding)],
    dilation: [pairY(dilation), pairX(dilation)],
  })
  const shifted: Tensor = bias == null ? y : add(y, reshapeTo(bias, [shape[1] ?? 0, 1, 1]))
  // the value rule computed the shape that the type rule says
  return (x.shape.length === 3 ? reshapeTo(shifted, shape.slice(1)) : shifted) as Tensor<Result<Convolved<X, W, O>>>
}
