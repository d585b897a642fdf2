import * as K from "../gpu/Kernel.ts"
import { type Refusal, refuse } from "../shapes/Refusal.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { detach } from "./detach.ts"
import { elementwise } from "./elementwise.ts"
import { sizeOf } from "./mean.ts"
import { mul } from "./mul.ts"
import { affine, moments } from "./normalize.ts"
import * as Op from "./Op.ts"
import { reshapeTo } from "./reshape.ts"
import { rsqrt } from "./rsqrt.ts"
import { sub } from "./sub.ts"
import { sum } from "./sum.ts"
import { fill, type Tensor } from "./Tensor.ts"

/** The options of batch normalisation, as PyTorch's, in camelCase. */
export interface BatchNorm2dOptions {
  /** of length `C`; what training keeps of the batches that it saw */
  readonly runningMean?: Tensor | null
  readonly runningVar?: Tensor | null
  /** of length `C`; 1 when absent */
  readonly weight?: Tensor | null
  /** of length `C`; 0 when absent */
  readonly bias?: Tensor | null
  /** whether the batch's own statistics are used, and kept */
  readonly training: boolean
  /** the share of the new batch in the running statistics, a number or a scalar: 0.1 when absent */
  readonly momentum?: number | Tensor
  /** 1e-5 when absent */
  readonly eps?: number
}

/** the normalised batch, and the running statistics after it */
export interface BatchNormed<S extends Shape> {
  readonly output: Tensor<S>
  readonly runningMean: Tensor | null
  readonly runningVar: Tensor | null
}

/** why a batch cannot be normalised with what there is for each channel, if it cannot */
const misfit = (x: Shape, own: ReadonlyArray<Tensor | null>, ofBatch: boolean): Refusal | null => {
  const [, c = 0] = x
  if (x.length !== 4) return refuse(`expects [N, C, H, W] but the input gives ${show(x)}`)
  const wrong = own.find((t) => t !== null && !fitsShape(t.shape, [c]))
  if (wrong != null) return refuse(`expects ${show(wrong.shape)} channels but the input gives ${c}`)
  const count = sizeOf(x, [0, 2, 3])
  return ofBatch && count <= 1
    ? refuse(`needs more than one value for each channel but the input gives ${show(x)}`)
    : null
}

const zero = K.constant(0)

/**
 * `(x − mean) · scale · weight + bias`, of the mean and the inverse deviation of `x` itself. Its gradient goes to `x`
 * with what goes through those two, in two sums and one pass; the sums are the gradients of bias and weight.
 */
const normalized: Op.Primitive<object> = elementwise({
  name: "batchNorm2d",
  kernel: ([x = zero, average = zero, scale = zero, weight = zero, bias = zero]) =>
    K.add(K.mul(K.sub(x, average), K.mul(scale, weight)), bias),
  gradient: Op.vjp(({ inputs: [x, average, scale, weight], dy }) => {
    if (x === undefined || average === undefined || scale === undefined || weight === undefined) return []
    const over = { dim: [0, 2, 3], keepDim: true }
    // made anew for each reader, which computes it on the way: cheaper than an array of it
    const unit = () => mul(sub(x, average), scale)
    const [shift, stretch] = [sum(dy, over), sum(mul(dy, unit()), over)]
    // dx = scale · weight · (dy − mean(dy) − unit · mean(dy · unit))
    const share = 1 / sizeOf(x.shape, over.dim)
    const centred = sub(sub(dy, mul(shift, share)), mul(unit(), mul(stretch, share)))
    return [mul(centred, mul(scale, weight)), null, null, stretch, shift]
  }),
})

/**
 * Each channel shifted and scaled to mean 0 and variance 1, then by `weight` and `bias`.
 *
 * In training the (biased) statistics of the batch are used, and the running ones move towards them by `momentum`, with
 * the unbiased variance. Otherwise the running ones are used and stay.
 *
 * **Shapes** `[N, C, H, W] → [N, C, H, W]`. **Gradient** through the statistics in training. PyTorch's `batch_norm`;
 * Ioffe and Szegedy, 2015.
 *
 * @example
 * const { output, runningMean, runningVar } = Ops.batchNorm2d(x, { ...params, training: true })
 */
export const batchNorm2d = <S extends Shape>(x: Tensor<S>, options: BatchNorm2dOptions): BatchNormed<S> => {
  const { runningMean = null, runningVar = null, weight = null, bias = null, training } = options
  const { momentum = 0.1, eps = 1e-5 } = options
  const given = [weight, bias, runningMean, runningVar]
  const own = training || runningMean === null || runningVar === null
  const fault = misfit(x.shape, given, own)
  // a refused input stays so
  const image: Tensor = fault === null ? x : Op.refused("batchNorm2d", [x, ...given.flatMap((t) => t ?? [])], fault)
  if (fault !== null) return { output: image as Tensor<S>, runningMean: image, runningVar: image }
  const wide = (t: Tensor): Tensor => reshapeTo(t, [1, t.shape[0] ?? 1, 1, 1])
  const used = own ? moments(image, [0, 2, 3]) : { mean: wide(detach(runningMean)), variance: wide(detach(runningVar)) }
  const [scale, shift] = [weight === null ? null : wide(weight), bias === null ? null : wide(bias)]
  const y = own
    ? Op.call(normalized, [image, used.mean, rsqrt(add(used.variance, eps)), scale ?? fill(1), shift ?? fill(0)], {})
    : affine(image, used, eps, scale, shift)
  // element by element of `x`
  const output = y as Tensor<S>
  if (!training) return { output, runningMean, runningVar }
  const count = sizeOf(x.shape, [0, 2, 3])
  const moved = (running: Tensor | null, batch: Tensor, correction: number): Tensor | null =>
    running === null
      ? null
      : typeof momentum === "number"
        ? add(mul(running, 1 - momentum), mul(reshapeTo(detach(batch), running.shape), momentum * correction))
        : add(mul(running, sub(1, momentum)), mul(mul(reshapeTo(detach(batch), running.shape), correction), momentum))
  return {
    output,
    runningMean: moved(runningMean, used.mean, 1),
    runningVar: moved(runningVar, used.variance, count / (count - 1)),
  }
}
