import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Device } from "../../gpu/Device.ts"
import * as Evaluate from "../Evaluate.ts"
import type { InvalidOption } from "../InvalidOption.ts"
import type { Evaluation, TrainEvent } from "./TrainEvent.ts"
import { type TrainState, type Weights, withWeights } from "./RunState.ts"

/** What `evaluateEachEpoch` can be told beside the metrics. */
export interface EvaluateOptions extends Evaluate.ModeOptions {
  /** the parameters as they are, or the average that `Optim.average` keeps: `"current"` unless told */
  readonly weights?: Weights
}

/**
 * Evaluates the model after each epoch, with one metric or several by name: an `Evaluation` follows each `EpochEnd`.
 *
 * Uses the parameters on the device as they are at the event; fails with `StaleState` where an operator before this one
 * buffers, and with `InvalidOption` where an average is to be evaluated that the optimiser does not keep.
 *
 * @example
 * Train.fit(…).pipe(Train.evaluateEachEpoch(mnist.test, Evaluate.accuracy))
 */
export const evaluateEachEpoch =
  (data: Evaluate.EvaluationData, metric: Evaluate.Metric | NumberMetrics, options: EvaluateOptions = {}) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<TrainEvent, E | Evaluate.EvaluateError | InvalidOption, R | Device> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const scope = yield* Effect.scope
        const metrics: NumberMetrics = isMetric(metric) ? { [metric.name]: metric } : metric
        let compiled:
          | ((state: TrainState) => Effect.Effect<Evaluate.Figures<NumberMetrics>, Evaluate.EvaluateError>)
          | undefined
        return self.pipe(
          Stream.rechunk(1),
          Stream.flatMap((event) => {
            if (event._tag !== "EpochEnd") return Stream.succeed<TrainEvent>(event)
            const evaluation = Effect.gen(function* () {
              const began = yield* Clock.currentTimeMillis
              const { live, run } = yield* withWeights(event.state, options.weights ?? "current")
              compiled ??= yield* Evaluate.compile({ ...options, model: run.model, state: live, data, metrics }).pipe(
                Scope.provide(scope),
              )
              const figures = yield* compiled(live)
              const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
              const { epoch, totalSteps, state } = event
              const told: Evaluation = {
                _tag: "Evaluation",
                epoch,
                totalSteps,
                data: data.name,
                metrics: figures,
                seconds,
                state,
              }
              return told
            })
            return Stream.concat(Stream.succeed<TrainEvent>(event), Stream.fromEffect(evaluation))
          }),
        )
      }),
    )

/** metrics that give a number each, as an event tells them */
type NumberMetrics = { readonly [name: string]: Evaluate.Metric }

const isMetric = (metric: Evaluate.Metric | NumberMetrics): metric is Evaluate.Metric => metric._tag === "Metric"
