import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { DeviceError } from "../../gpu/Device.ts"
import type { StaleState } from "../../ops/State.ts"
import { firstRefusal, InvalidOption } from "../InvalidOption.ts"
import type { HostParameters } from "./Model.ts"
import type { Stopping } from "./checkpointSchema.ts"
import { type RunState, type Weights, withWeights } from "./RunState.ts"
import { schemas } from "./schemas.ts"
import type { Stopped, TrainEvent } from "./TrainEvent.ts"
import { isBetter, type Watched, watchedValue } from "./watched.ts"

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** `"loss"` of an epoch's training, unless told; or that metric of an `Evaluation` */
  readonly metric?: Watched
  /** whether a smaller or a larger metric is better: `"min"` unless told */
  readonly mode?: "min" | "max"
  /** how many metrics in a row may be no better: 10 unless told */
  readonly patience?: number
  /** how much better is better: 0 unless told */
  readonly minDelta?: number
  /** whether the run ends with the parameters of its best metric: true unless told */
  readonly restoreBest?: boolean
  /** which parameters are kept as the best: `"current"` unless told */
  readonly weights?: Weights
}

/**
 * Ends the run when a metric has not become better for some time, and gives it its best parameters back: a `Stopped` event is
 * the last. They come back too where the run ends by itself after a better moment.
 *
 * Put it after `evaluateEachEpoch` where it watches an evaluation, and before `checkpoint` and `save`. Fails with
 * `StaleState` where an operator before this one buffers, and with `InvalidOption`.
 *
 * @example
 * Train.fit(…).pipe(
 *   Train.evaluateEachEpoch(mnist.test, Evaluate.accuracy),
 *   Train.earlyStopping({ metric: { evaluation: "accuracy" }, mode: "max", patience: 3 }),
 *   Train.save("runs/lenet/model.safetensors"),
 * )
 */
export const earlyStopping =
  (options: EarlyStoppingOptions = {}) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<TrainEvent, E | StaleState | DeviceError | InvalidOption, R> =>
    Stream.suspend(() => {
      const { metric = "loss", mode = "min", patience = 10, minDelta = 0, restoreBest = true } = options
      const { weights = "current" } = options
      const sentence = firstRefusal("earlyStopping", [
        [Number.isInteger(patience) && patience >= 0, `a whole number of at least 0 for patience, not ${patience}`],
        [minDelta >= 0, `minDelta of at least 0, not ${minDelta}`],
      ])
      if (sentence !== undefined) return Stream.fail(new InvalidOption({ sentence }))
      let remembered: Stopping = { best: null, bad: 0, bestSteps: 0 }
      let parameters: HostParameters | undefined
      let lastStep = Infinity

      const begin = Effect.fnUntraced(function* (event: Extract<TrainEvent, { readonly _tag: "Start" }>) {
        lastStep = event.epochs * event.steps
        const { decodeStopping, encodeStopping } = yield* schemas
        const memory = yield* event.state.run.remember("earlyStopping", () => {
          const values = encodeStopping(remembered)
          return parameters === undefined ? { values } : { values, tensors: parameters }
        })
        remembered = Option.getOrElse(decodeStopping(memory?.values), () => remembered)
        parameters = memory?.tensors
      })

      const stop = Effect.fnUntraced(function* (
        { epoch, totalSteps }: { readonly epoch: number; readonly totalSteps: number },
        given: RunState,
        reason: string,
      ) {
        const back = restoreBest && parameters !== undefined && remembered.bestSteps !== totalSteps
        const state = back && parameters !== undefined ? yield* given.run.replace(parameters) : given
        const restored = back ? { restored: remembered.bestSteps } : {}
        const told: Stopped = { _tag: "Stopped", epoch, totalSteps, reason, ...restored, state }
        return told
      })

      const after = Effect.fnUntraced(function* (event: TrainEvent) {
        const value = yield* watchedValue("earlyStopping", metric, event)
        // what is watched is an end of an epoch or an evaluation
        if (value === undefined || (event._tag !== "EpochEnd" && event._tag !== "Evaluation")) return []
        yield* event.state.current
        const { totalSteps } = event
        if (isBetter(value, remembered.best, mode, minDelta)) {
          if (restoreBest) parameters = yield* (yield* withWeights(event.state, weights)).parameters
          remembered = { best: value, bad: 0, bestSteps: totalSteps }
        } else remembered = { ...remembered, bad: remembered.bad + 1 }
        const name = metric === "loss" ? "loss" : metric.evaluation
        const times = `${remembered.bad} ${remembered.bad === 1 ? "time" : "times"}`
        if (remembered.bad > patience) {
          return [yield* stop(event, event.state, `${name} was no better than ${remembered.best} for ${times}`)]
        }
        const isOver = totalSteps === lastStep && remembered.bestSteps !== totalSteps && restoreBest
        return isOver ? [yield* stop(event, event.state, `the run is over, and ${name} was best before its end`)] : []
      })

      return self.pipe(
        Stream.rechunk(1),
        Stream.flatMap((event) => {
          const told = Stream.succeed(event)
          // before the operators after this one hear of the beginning: a checkpoint asks who remembers
          if (event._tag === "Start") return Stream.concat(Stream.fromEffectDrain(begin(event)), told)
          return Stream.concat(told, Stream.fromIterableEffect(after(event)))
        }),
        Stream.takeUntil((event) => event._tag === "Stopped"),
      )
    })
