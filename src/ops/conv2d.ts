import type { Contraction, Conv2d } from "../gpu/Contraction.ts"
import { type Conv2d as Rule, conv2d as rule, type Padding, zeros } from "../shapes/conv2d.ts"
import { type Refuse, refuse } from "../shapes/Refusal.ts"
import { type Pair, pairX, pairY, type Shape, type Show } from "../shapes/Shape.ts"
import { firstFault, notCount, nothingIn, notOneOf, notSize } from "../shapes/size.ts"
import * as Op from "./Op.ts"
import { pad, type PadMode } from "./pad.ts"
import { reshapeTo } from "./reshape.ts"
import { slice } from "./slice.ts"
import { sum } from "./sum.ts"
import type { Checked, Option, Result } from "./Result.ts"
import type { Tensor } from "./Tensor.ts"

type Two = readonly [number, number]

interface Geometry {
  readonly stride: Two
  readonly padding: Two | "same"
  readonly dilation: Two
  readonly groups: number
}

/** a gradient knows two of the three shapes from its inputs, and the third from here */
interface Pass extends Geometry {
  readonly shape: Shape
}

const form = (
  pass: Conv2d["pass"],
  [x, weight, y]: readonly [ReadonlyArray<number>, ReadonlyArray<number>, ReadonlyArray<number>],
  { stride, padding, dilation, groups }: Geometry,
  bias = false,
): Contraction => {
  const [n = 1, c = 1, h = 1, w = 1] = x
  const [o = 1, , kh = 1, kw = 1] = weight
  const [, , oh = 1, ow = 1] = y
  /** "same" puts an odd zero behind the last */
  const before: Two =
    padding === "same" ? [Math.floor((dilation[0] * (kh - 1)) / 2), Math.floor((dilation[1] * (kw - 1)) / 2)] : padding
  return {
    _tag: "Contraction",
    name: pass === "forward" ? "conv2d" : `conv2d ${pass}`,
    form: { _tag: "Conv2d", pass, n, c, h, w, o, oh, ow, kernel: [kh, kw], stride, padding: before, dilation, groups },
    bias,
  }
}

const known = (d: Shape[number] | undefined): number => (typeof d === "number" ? d : 0)

const forward: Op.Primitive<Geometry> = Op.primitive({
  name: "conv2d",
  shape: ([x = [], weight = [], bias], { stride, padding, dilation, groups }) => {
    const [o, i, kh, kw] = [known(weight[0]), known(weight[1]), known(weight[2]), known(weight[3])]
    if (weight.length !== 4)
      return refuse(`expects a weight [O, C / groups, kH, kW] but it has ${weight.length} dimensions`)
    const fault = firstFault({
      stride: notSize(stride),
      padding: padding === "same" ? null : notCount(padding),
      dilation: notSize(dilation),
      groups: notSize(groups),
      weight: notSize(weight.filter((d) => typeof d === "number")),
    })
    const none = fault ?? nothingIn(x, x.slice(-2), "convolve")
    if (none !== null) return none
    if (o % groups !== 0) return refuse(`has ${groups} groups, which do not divide its ${o} output channels`)
    if (bias !== undefined && (bias.length !== 1 || bias[0] !== o))
      return refuse(`expects a bias of ${o} but is given ${bias.join("×")}`)
    return rule(x, { inChannels: i * groups, outChannels: o, kernelSize: [kh, kw], stride, padding, dilation })
  },
  kernel: ({ inputs: [x = [], weight = [], bias], output, attributes }) =>
    form("forward", [x, weight, output], attributes, bias !== undefined),
  gradient: Op.vjp(({ inputs: [x, weight, bias], attributes, dy }) =>
    x === undefined || weight === undefined
      ? []
      : [
          Op.call(inputGradient, [dy, weight], { ...attributes, shape: x.shape }),
          Op.call(weightGradient, [x, dy], { ...attributes, shape: weight.shape }),
          ...(bias === undefined ? [] : [sum(dy, { dim: [0, 2, 3] })]),
        ],
  ),
})

/** the gradient of a convolution with respect to its input, which is also the transposed convolution */
export const inputGradient: Op.Primitive<Pass> = Op.primitive({
  name: "conv2d inputGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ inputs: [dy = [], weight = []], output, attributes }) =>
    form("inputGradient", [output, weight, dy], attributes),
  gradient: Op.bilinear(
    (d, { inputs: [dy, weight], attributes }) =>
      dy === undefined || weight === undefined ? d : within(dy.shape, Op.call(forward, [d, weight], attributes)),
    (d, { inputs: [dy, weight], attributes }) =>
      Op.call(weightGradient, dy === undefined ? [] : [d, dy], { ...attributes, shape: weight?.shape ?? [] }),
  ),
})

const weightGradient: Op.Primitive<Pass> = Op.primitive({
  name: "conv2d weightGradient",
  shape: (_, { shape }) => shape,
  kernel: ({ inputs: [x = [], dy = []], output, attributes }) => form("weightGradient", [x, output, dy], attributes),
  gradient: Op.bilinear(
    (d, { inputs: [x, dy], attributes }) =>
      Op.call(inputGradient, dy === undefined ? [] : [dy, d], { ...attributes, shape: x?.shape ?? [] }),
    (d, { inputs: [x, dy], attributes }) =>
      x === undefined || dy === undefined ? d : within(dy.shape, Op.call(forward, [x, d], attributes)),
  ),
})
/** a transposed convolution whose output padding is a stride or more leaves windows out, which then give nothing */
const within = (shape: Shape, t: Tensor): Tensor =>
  [2, 3].reduce<Tensor>((cut, dim) => (cut.shape[dim] === shape[dim] ? cut : slice(cut, dim, 0, known(shape[dim]))), t)

/** The options of a convolution, as PyTorch's, in camelCase. */
export interface Conv2dOptions {
  /** 1 when absent */
  readonly stride?: Pair
  /** 0 when absent; "same" keeps the size at stride 1, "valid" is 0 */
  readonly padding?: Padding
  /** 1 when absent */
  readonly dilation?: Pair
  /** 1 when absent */
  readonly groups?: number
  /** what stands beyond the border: "zeros" when absent */
  readonly paddingMode?: "zeros" | Exclude<PadMode, "constant">
}

const two = (p: Pair): Two => [pairY(p), pairX(p)]

/** the shape of a convolution of `X` with a weight `W`; unknown where the weight's is */
type Convolved<X, W, O> = W extends readonly [infer Out, infer C, infer KH, infer KW]
  ? Rule<
      X,
      Option<O, "groups", 1> extends 1 ? C & number : number,
      Out & number,
      readonly [KH & number, KW & number],
      Option<O, "stride", 1> & Pair,
      Option<O, "padding", 0> & Padding,
      Option<O, "dilation", 1> & Pair
    >
  : number extends W["length" & keyof W]
    ? Shape
    : Refuse<`expects a weight [O, C / groups, kH, kW] but is given ${Show<W>}`>

/**
 * The cross-correlation of images with a weight, plus a bias for each output channel.
 *
 * **Shapes** `[N, C, H, W] × [O, C / groups, kH, kW] (× [O]) → [N, O, H′, W′]`, or all without `N`, with
 * `H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1`. **Gradient** two convolutions and a sum.
 * PyTorch's `conv2d`.
 *
 * @example
 * Ops.conv2d(x, weight, bias, { stride: 2, padding: 1 })
 */
export const conv2d = Op.composed(
  "conv2d",
  <X extends Shape, W extends Shape, const O extends Conv2dOptions = object>(
    x: Tensor<X>,
    weight: Checked<"conv2d", Convolved<X, NoInfer<W>, O>, Tensor<W>>,
    bias?: Tensor | null,
    options?: O,
  ): Tensor<Result<Convolved<X, W, O>>> => {
    // the parameter's type is a sentence only where the call does not compile
    const filters = weight as Tensor
    const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = "zeros" }: Conv2dOptions = options ?? {}
    const fault = firstFault({
      paddingMode: notOneOf(paddingMode, ["zeros", "reflect", "replicate", "circular"]),
      // what is padded by hand is padded before the convolution sees it
      padding: typeof padding === "string" ? notOneOf(padding, ["same", "valid"]) : notCount(padding),
      dilation: notSize(dilation),
    })
    if (fault !== null) return Op.refused("conv2d", [x, filters], fault)
    const [, , kh, kw] = filters.shape
    const batched = x.shape.length === 3 ? reshapeTo(x, [1, ...x.shape]) : x
    const geometry = { stride: two(stride), dilation: two(dilation), groups }
    const inputs = (image: Tensor): ReadonlyArray<Tensor> => (bias == null ? [image, filters] : [image, filters, bias])
    const y =
      paddingMode === "zeros"
        ? Op.call(forward, inputs(batched), {
            ...geometry,
            padding: padding === "same" ? padding : two(zeros(padding)),
          })
        : Op.call(
            forward,
            inputs(pad(batched, sides(padding, [known(kh), known(kw)], geometry.dilation), { mode: paddingMode })),
            {
              ...geometry,
              padding: [0, 0],
            },
          )
    // the value rule computed the shape that the type rule says
    return (x.shape.length === 3 ? reshapeTo(y, y.shape.slice(1)) : y) as Tensor<never>
  },
)

/** left, right, top, bottom, as `pad` takes them */
export const sides = (padding: Padding, kernel: Two, dilation: Two): readonly [number, number, number, number] => {
  if (padding !== "same") {
    const [y, x] = two(zeros(padding))
    return [x, x, y, y]
  }
  const total = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)] as const
  const first = [Math.floor(total[0] / 2), Math.floor(total[1] / 2)] as const
  return [first[1], total[1] - first[1], first[0], total[0] - first[0]]
}
