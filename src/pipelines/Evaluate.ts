/** How good a model is on data that it was not trained on: every figure is weighted by samples. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Device, DeviceError } from "../gpu/Device.ts"
import { mixesSamples } from "../models/Layer.ts"
import { parametersRefusal } from "../models/StateDict.ts"
import * as HostTensor from "../ops/HostTensor.ts"
import * as Program from "../ops/Program.ts"
import * as State from "../ops/State.ts"
import * as Tensor from "../ops/Tensor.ts"
import type { Shape } from "../shapes/Shape.ts"
import { type Batches, batch } from "./data/batches.ts"
import type { Dataset } from "./data/Dataset.ts"
import type { DataError } from "./DataError.ts"
import { InvalidOption } from "./InvalidOption.ts"
import { crossEntropy, type Loss } from "./Loss.ts"
import { accuracy } from "./metrics/accuracy.ts"
import { meanLoss } from "./metrics/meanLoss.ts"
import { meanOfBatches } from "./metrics/meanOfBatches.ts"
import type { Figures, Metrics } from "./metrics/Metric.ts"
import { batchValues } from "./train/batchValues.ts"
import {
  forward,
  type HostParameters,
  type Model,
  type Parameters,
  refusalOf,
  split,
  type Takes,
} from "./train/Model.ts"

export type { Average, Averaged } from "./metrics/averaged.ts"
export type { Figures, Metric, Metrics } from "./metrics/Metric.ts"
export { accuracy } from "./metrics/accuracy.ts"
export { type ConfusionMatrix, confusionMatrix } from "./metrics/confusionMatrix.ts"
export { f1 } from "./metrics/f1.ts"
export { meanLoss } from "./metrics/meanLoss.ts"
export { meanOfBatches } from "./metrics/meanOfBatches.ts"
export { precision } from "./metrics/precision.ts"
export { recall } from "./metrics/recall.ts"
export { topK } from "./metrics/topK.ts"

/** samples of a batch where the caller has not made batches */
const defaultBatchSize = 256

/** Data to evaluate on: a data set, taken in batches of 256 with the last one padded, or batches of one's own. */
export type EvaluationData = Dataset<ReadonlyArray<number>> | Batches<ReadonlyArray<number>>

export type EvaluateError = Tensor.GraphError | Program.RunError | DataError | InvalidOption

/** How a model is evaluated, beside what on. */
export interface ModeOptions {
  /**
   * As in training: batch norm takes the statistics of each batch and dropout drops (by `seed`). The running statistics
   * stay as they are. Not unless told; such batches are not padded, nor are those of a model without running statistics.
   */
  readonly training?: boolean
  /** of what is random in training mode; 0 unless told */
  readonly seed?: number
}

/** a state that holds parameters, whatever else it holds */
type WithParameters = State.State<{ readonly params: Parameters; readonly buffers: Parameters }>

/** an evaluation that is compiled once, for any number of moments of one state */
export const compile = Effect.fnUntraced(function* <const M extends Metrics>(
  options: {
    readonly model: Model
    readonly state: WithParameters
    readonly data: EvaluationData
    readonly metrics: M
  } & ModeOptions,
): Effect.fn.Return<
  (state: WithParameters) => Effect.Effect<Figures<M>, EvaluateError>,
  Tensor.GraphError | DeviceError | InvalidOption,
  Device | Scope.Scope
> {
  const { model, data, metrics, training = false, seed = 0 } = options
  const mixed = training || mixesSamples(model)
  const batches = data._tag === "Batches" ? data : batch(data, defaultBatchSize, { last: mixed ? "keep" : "pad" })
  if (mixed && batches.last === "pad") {
    // rows of zeros would be part of the statistics of a batch
    const who = training ? "training mode" : "a model without running statistics"
    const sentence = `${batches.name} pads its last batch, which ${who} cannot tell from samples; give last: "keep"`
    return yield* new InvalidOption({ sentence })
  }
  const names = Object.keys(metrics)
  const refused = refusalOf(model, batches.shape, batches.classes.length)
  if (refused !== undefined) return yield* refused
  const program = yield* Program.compile(
    {
      state: options.state,
      images: Tensor.input("N", ...batches.shape),
      labels: Tensor.labels("N"),
      key: Tensor.seed(),
    },
    ({ state, images, labels, key }) => {
      const { logits } = forward(model, state, images, training ? { training, seed: key } : { training })
      return { totals: names.map((name) => metrics[name]!.total(logits, labels)) }
    },
    { name: "evaluate" },
  )
  return Effect.fnUntraced(function* (state: WithParameters) {
    const sums: Array<Float64Array> = []
    let [samples, step] = [0, 0]
    yield* Stream.runForEach(batches.epoch({ seed: 0, epoch: 1 }), (batch) =>
      Effect.gen(function* () {
        const key = HostTensor.seed(seed, ++step)
        const { totals } = yield* program.run({ state, key, ...batchValues(batch) })
        for (const [i, total] of totals.entries()) {
          const exact = Float64Array.from(typeof total === "number" ? [total] : total.data)
          const values = metrics[names[i]!]?.ofBatch?.(exact, batch.count) ?? exact
          const sum = (sums[i] ??= new Float64Array(values.length))
          values.forEach((value, j) => (sum[j]! += value))
        }
        samples += batch.count
        yield* Effect.yieldNow
      }),
    )
    const figures = names.map((name, i) => [name, metrics[name]!.finish(sums[i] ?? new Float64Array(), samples)])
    // one figure for each metric, by its name and as it gives it
    return Object.fromEntries(figures) as Figures<M>
  })
})

/**
 * Evaluates a model with given parameters: one figure for each metric, weighted by samples.
 *
 * Fails with `ShapeMismatch`, `DataError`, `DeviceError`, and with `InvalidOption` where batches that are padded are to
 * be evaluated in training mode or by a model without running statistics.
 *
 * @example
 * const { accuracy, loss } = yield* Evaluate.run({
 *   model: net, parameters, data: mnist.test, metrics: { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() } })
 */
export const run = <const In extends Shape, const S extends ReadonlyArray<number>, const M extends Metrics>(
  options: {
    readonly model: Model<In>
    readonly parameters: HostParameters
    /** samples of what the model takes: others do not compile */
    readonly data: Takes<In, S, Dataset<S> | Batches<S>>
    readonly metrics: M
  } & ModeOptions,
): Effect.Effect<Figures<M>, EvaluateError, Device> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { model, parameters, metrics, training = false, seed = 0 } = options
      // `data` are samples wherever the call compiles
      const data = options.data as Dataset<S> | Batches<S>
      const refused = parametersRefusal(model, parameters)
      if (refused !== undefined) return yield* refused
      const state: WithParameters = yield* State.make({ ...split(model, parameters) })
      const evaluate = yield* compile({ model, state, data, metrics, training, seed })
      return yield* evaluate(state)
    }),
  )

/** what `eval_model` of the book Learn PyTorch gives, under its names */
export interface ModelResults {
  /** the class that PyTorch would have for it */
  readonly model_name: string
  readonly model_loss: number
  /** in percent */
  readonly model_acc: number
}

/**
 * Name, mean loss and accuracy in percent, as `eval_model` of the book Learn PyTorch returns them. Weighted by samples;
 * with `mean: "batches"` the mean of the batches' figures, which is what that function computes.
 *
 * Fails as `run` does.
 *
 * @example
 * yield* Evaluate.model({ model: net, parameters, data: Data.batch(test, 32), mean: "batches" })
 */
export const model = <const In extends Shape, const S extends ReadonlyArray<number>>(
  options: {
    readonly model: Model<In>
    readonly parameters: HostParameters
    readonly data: Takes<In, S, Dataset<S> | Batches<S>>
    /** the cross-entropy unless told */
    readonly loss?: Loss
    /** what has the same weight in the means: `"samples"` unless told */
    readonly mean?: "samples" | "batches"
  } & ModeOptions,
): Effect.Effect<ModelResults, EvaluateError, Device> => {
  const { mean = "samples", loss: lossOf = crossEntropy(), ...rest } = options
  const asked = mean === "batches" ? meanOfBatches : (metric: typeof accuracy) => metric
  const metrics = { loss: asked(meanLoss(lossOf)), accuracy: asked(accuracy) }
  return Effect.map(run({ ...rest, metrics }), ({ loss, accuracy }) => ({
    model_name: options.model.repr,
    model_loss: loss,
    model_acc: 100 * accuracy,
  }))
}
