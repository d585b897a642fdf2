/** How good a model is on data that it was not trained on: every figure is weighted by samples. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Device, DeviceError } from "../gpu/Device.ts"
import * as Program from "../ops/Program.ts"
import * as State from "../ops/State.ts"
import * as Tensor from "../ops/Tensor.ts"
import type { Shape } from "../shapes/Shape.ts"
import { type Batches, batch } from "./data/batches.ts"
import type { Dataset } from "./data/Dataset.ts"
import type { DataError } from "./DataError.ts"
import { crossEntropy, type Loss } from "./Loss.ts"
import { batchValues, countCorrect } from "./train/batchValues.ts"
import {
  forward,
  type HostParameters,
  type Model,
  type Parameters,
  parametersRefusal,
  refusalOf,
  split,
  type Takes,
} from "./train/Model.ts"

/** A figure of a whole data set: totals of its batches, added up in float64, then a number from them. */
export interface Metric {
  readonly _tag: "Metric"
  readonly name: string
  /** what a batch adds: of any shape; a row whose label is negative is padding and adds nothing */
  readonly total: (logits: Tensor.Tensor, labels: Tensor.Tensor) => Tensor.Tensor
  readonly finish: (total: Float64Array, samples: number) => number
}

/** The share of samples whose class has the largest logit, 0 to 1. */
export const accuracy: Metric = {
  _tag: "Metric",
  name: "accuracy",
  total: countCorrect,
  finish: ([correct = 0], samples) => correct / samples,
}

/** The mean of a loss over the samples; that of the cross-entropy unless told. */
export const meanLoss = (loss: Loss = crossEntropy()): Metric => ({
  _tag: "Metric",
  name: "loss",
  total: loss.sum,
  finish: ([total = 0], samples) => total / samples,
})

/** samples of a batch where the caller has not made batches */
const defaultBatchSize = 256

/** Data to evaluate on: a data set, taken in batches of 256 with the last one padded, or batches of one's own. */
export type EvaluationData = Dataset<ReadonlyArray<number>> | Batches<ReadonlyArray<number>>

export type Metrics = { readonly [name: string]: Metric }
export type Figures<M> = { readonly [K in keyof M]: number }

export type EvaluateError = Tensor.GraphError | Program.RunError | DataError

/** a state that holds parameters, whatever else it holds */
type WithParameters = State.State<{ readonly params: Parameters; readonly buffers: Parameters }>

/** an evaluation that is compiled once, for any number of moments of one state */
export const compile = Effect.fnUntraced(function* <const M extends Metrics>(options: {
  readonly model: Model
  readonly state: WithParameters
  readonly data: EvaluationData
  readonly metrics: M
}): Effect.fn.Return<
  (state: WithParameters) => Effect.Effect<Figures<M>, EvaluateError>,
  Tensor.GraphError | DeviceError,
  Device | Scope.Scope
> {
  const { model, data, metrics } = options
  const batches = data._tag === "Batches" ? data : batch(data, defaultBatchSize, { last: "pad" })
  const names = Object.keys(metrics)
  const refused = refusalOf(model, batches.shape, batches.classes.length)
  if (refused !== undefined) return yield* refused
  const program = yield* Program.compile(
    { state: options.state, images: Tensor.input("N", ...batches.shape), labels: Tensor.labels("N") },
    ({ state, images, labels }) => {
      const { logits } = forward(model, state, images, { training: false })
      return { totals: names.map((name) => metrics[name]!.total(logits, labels)) }
    },
    { name: "evaluate" },
  )
  return Effect.fnUntraced(function* (state: WithParameters) {
    const sums: Array<Float64Array> = []
    let samples = 0
    yield* Stream.runForEach(batches.epoch({ seed: 0, epoch: 1 }), (batch) =>
      Effect.gen(function* () {
        const { totals } = yield* program.run({ state, ...batchValues(batch) })
        for (const [i, total] of totals.entries()) {
          const values = typeof total === "number" ? [total] : total.data
          const sum = (sums[i] ??= new Float64Array(values.length))
          values.forEach((value, j) => (sum[j]! += value))
        }
        samples += batch.count
        yield* Effect.yieldNow
      }),
    )
    const figures = names.map((name, i) => [name, metrics[name]!.finish(sums[i] ?? new Float64Array(), samples)])
    // one figure for each metric, by its name
    return Object.fromEntries(figures) as Figures<M>
  })
})

/**
 * Evaluates a model with given parameters: one number for each metric.
 *
 * Fails with `ShapeMismatch`, `DataError`, `DeviceError`.
 *
 * @example
 * const { accuracy, loss } = yield* Evaluate.run({
 *   model: net, parameters, data: mnist.test, metrics: { accuracy: Evaluate.accuracy, loss: Evaluate.meanLoss() } })
 */
export const run = <const In extends Shape, const S extends ReadonlyArray<number>, const M extends Metrics>(options: {
  readonly model: Model<In>
  readonly parameters: HostParameters
  /** samples of what the model takes: others do not compile */
  readonly data: Takes<In, S, Dataset<S> | Batches<S>>
  readonly metrics: M
}): Effect.Effect<Figures<M>, EvaluateError, Device> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { model, parameters, metrics } = options
      // `data` are samples wherever the call compiles
      const data = options.data as Dataset<S> | Batches<S>
      const refused = parametersRefusal(model, parameters)
      if (refused !== undefined) return yield* refused
      const state: WithParameters = yield* State.make({ ...split(model, parameters) })
      const evaluate = yield* compile({ model, state, data, metrics })
      return yield* evaluate(state)
    }),
  )
