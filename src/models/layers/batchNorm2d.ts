import { batchNorm2d as op } from "../../ops/batchNorm2d.ts"
import { fill, type Tensor } from "../../ops/Tensor.ts"
import { add } from "../../ops/add.ts"
import { div } from "../../ops/div.ts"
import { type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type Dim, type Fits, fits, numel, type Shape, type Show, show, type ShowDim } from "../../shapes/Shape.ts"
import { firstFault, notSize, type Size } from "../../shapes/size.ts"
import { type By, type Layer, layer, type Param, type Rule, trainable, type Typed } from "../Layer.ts"
import { bool, float } from "./repr.ts"

export interface BatchNorm2d<
  C extends number,
  Affine extends boolean = true,
  Track extends boolean = true,
> extends Layer {
  readonly kind: "batchNorm2d"
  readonly "~": Typed<ChannelsRule<C>, Scaling<C, Affine> & Running<C, Track>, `batchNorm2d(${C})`>
}
/** the weight and the bias of a norm, where it has them */
export type Scaling<C extends number, Affine> = Affine extends false ? object : { weight: [C]; bias: [C] }
type Running<C extends number, Track> = Track extends false
  ? object
  : { running_mean: [C]; running_var: [C]; num_batches_tracked: [] }
/** the shape stays, where it is a batch of images of `C` channels */
export interface ChannelsRule<C extends number> extends Rule {
  readonly out: Channels<this["in"], C, By<this["by"]>>
}
type Channels<S, C extends number, B extends string> = S extends readonly [
  infer N extends Dim,
  infer C0 extends Dim,
  infer H extends Dim,
  infer W extends Dim,
]
  ? Fits<C0, C> extends true
    ? [N, C, H, W]
    : Refuse<`expects ${C} channels but ${B} gives ${ShowDim<C0>}`>
  : number extends (S & Shape)["length"]
    ? [Dim, C, Dim, Dim]
    : Refuse<`expects [N, C, H, W] but ${B} gives ${Show<S>}`>
export const channels = (s: Shape, c: number, by: string) => {
  const given = s[1]
  if (s.length !== 4 || given === undefined) return refuse(`expects [N, C, H, W] but ${by} gives ${show(s)}`)
  return fits(given, c) ? s : refuse(`expects ${c} channels but ${by} gives ${given}`)
}

/** the weight and the bias that a norm starts with: they change nothing */
export const scaling = (shape: ReadonlyArray<number>): ReadonlyArray<Param> => [
  trainable("weight", shape, { _tag: "Fill", value: 1 }),
  trainable("bias", shape, { _tag: "Fill", value: 0 }),
]

export interface BatchNorm2dOptions<Affine = boolean, Track = boolean> {
  /** added to the variance; 1e-5 when absent */
  readonly eps?: number
  /** the share of the new batch in the running statistics, `null` for the mean of all batches; 0.1 when absent */
  readonly momentum?: number | null
  /** whether there are a weight and a bias; true when absent */
  readonly affine?: Affine
  /** whether running statistics are kept; without them evaluation too takes the batch's own. True when absent */
  readonly trackRunningStats?: Track
}

/**
 * Each channel shifted and scaled to mean 0 and variance 1 (of the batch in training, of what training saw in
 * evaluation), then by a weight and a bias of its own.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H, W]`. PyTorch's `BatchNorm2d`; Ioffe and Szegedy, 2015.
 *
 * @example
 * Nn.batchNorm2d(64)
 */
export const batchNorm2d = <
  const C extends number,
  const Affine extends boolean = true,
  const Track extends boolean = true,
>(
  numFeatures: Size<C>,
  options: BatchNorm2dOptions<Affine, Track> = {},
): BatchNorm2d<C, Affine, Track> => {
  const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNorm2dOptions = options
  // a guarded argument is the argument itself, or the call does not compile
  const c = numFeatures as number
  const fault = firstFault({ numFeatures: notSize(c) })
  const buffer = (name: string, shape: ReadonlyArray<number>, value: number) => ({
    ...trainable(name, shape, { _tag: "Fill", value }),
    requiresGrad: false,
  })
  return layer<BatchNorm2d<C, Affine, Track>>({
    kind: "batchNorm2d",
    label: `batchNorm2d(${c})`,
    repr: `BatchNorm2d(${c}, eps=${float(eps)}, momentum=${momentum === null ? "None" : float(momentum)}, affine=${bool(affine)}, track_running_stats=${bool(trackRunningStats)})`,
    rule: (input, { by }) => fault ?? channels(input, c, by),
    params: [
      ...(affine ? scaling([c]) : []),
      ...(trackRunningStats
        ? [buffer("running_mean", [c], 0), buffer("running_var", [c], 1), buffer("num_batches_tracked", [], 0)]
        : []),
    ],
    mixesSamples: !trackRunningStats,
    multiplyAdds: (_, output) => 2 * Number(numel(output)),
    forward: (x, { params, training }) => {
      const { weight = null, bias = null, running_mean = null, running_var = null, num_batches_tracked } = params
      const statistics = { runningMean: running_mean, runningVar: running_var }
      // with this batch, so many were seen: each has the same share in their mean
      const seen: Tensor = add(num_batches_tracked ?? fill(0), 1)
      const share = momentum ?? div(1, seen)
      const options = { weight, bias, ...statistics, training, eps, momentum: share }
      const { output, runningMean, runningVar } = op(x, options)
      if (!training || runningMean === null || runningVar === null || num_batches_tracked === undefined)
        return { output, updates: {} }
      return {
        output,
        updates: { running_mean: runningMean, running_var: runningVar, num_batches_tracked: seen },
      }
    },
  })
}
