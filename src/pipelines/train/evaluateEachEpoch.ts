import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Device } from "../../gpu/Device.ts"
import * as Evaluate from "../Evaluate.ts"
import { InvalidOption } from "../InvalidOption.ts"
import { dueOf, type Every } from "./every.ts"
import type { EpochEnd, Evaluation, Step, TrainEvent } from "./TrainEvent.ts"
import { type TrainState, type Weights, withWeights } from "./RunState.ts"

/** What an evaluation of a run can be told beside the metrics. */
export interface EvaluateOptions extends Evaluate.ModeOptions {
  /** the parameters as they are, or the average that `Optim.average` keeps: `"current"` unless told */
  readonly weights?: Weights
}

/**
 * Evaluates the model every so often, with one metric or several by name: an `Evaluation` follows the `Step` or
 * `EpochEnd`.
 *
 * Uses the parameters on the device as they are at the event; fails with `StaleState` where an operator before this one
 * buffers, and with `InvalidOption` where an average is to be evaluated that the optimiser does not keep.
 *
 * @example
 * Train.fit(…).pipe(Train.evaluateEvery("200 steps", mnist.test, Evaluate.accuracy))
 */
export const evaluateEvery =
  (
    every: Every,
    data: Evaluate.EvaluationData,
    metric: Evaluate.Metric | NumberMetrics,
    options: EvaluateOptions = {},
  ) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<TrainEvent, E | Evaluate.EvaluateError | InvalidOption, R | Device> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const due = dueOf("evaluateEvery", every)
        if (typeof due === "string") return yield* new InvalidOption({ sentence: due })
        const scope = yield* Effect.scope
        const metrics: NumberMetrics = isMetric(metric) ? { [metric.name]: metric } : metric
        let since = yield* Clock.currentTimeMillis
        let compiled:
          | ((state: TrainState) => Effect.Effect<Evaluate.Figures<NumberMetrics>, Evaluate.EvaluateError>)
          | undefined
        const evaluate = Effect.fnUntraced(function* (event: Step | EpochEnd, began: number) {
          const { live, run } = yield* withWeights(event.state, options.weights ?? "current")
          compiled ??= yield* Evaluate.compile({ ...options, model: run.model, state: live, data, metrics }).pipe(
            Scope.provide(scope),
          )
          const figures = yield* compiled(live)
          since = yield* Clock.currentTimeMillis
          const seconds = (since - began) / 1000
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
        }, Effect.withSpan("effect-nn.evaluate"))
        const after = Effect.fnUntraced(function* (event: Step | EpochEnd) {
          const now = yield* Clock.currentTimeMillis
          return due(event, now, since) ? [yield* evaluate(event, now)] : []
        })
        return self.pipe(
          Stream.rechunk(1),
          Stream.flatMap((event) => {
            const told = Stream.succeed<TrainEvent>(event)
            return event._tag === "EpochEnd" || event._tag === "Step"
              ? Stream.concat(told, Stream.fromIterableEffect(after(event)))
              : told
          }),
        )
      }),
    )

/** `evaluateEvery("1 epoch", …)`: an `Evaluation` follows each `EpochEnd`. */
export const evaluateEachEpoch = (
  data: Evaluate.EvaluationData,
  metric: Evaluate.Metric | NumberMetrics,
  options: EvaluateOptions = {},
) => evaluateEvery("1 epoch", data, metric, options)

/** metrics that give a number each, as an event tells them */
type NumberMetrics = { readonly [name: string]: Evaluate.Metric }

const isMetric = (metric: Evaluate.Metric | NumberMetrics): metric is Evaluate.Metric => metric._tag === "Metric"
