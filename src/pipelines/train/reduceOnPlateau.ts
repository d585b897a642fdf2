import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as State from "../../ops/State.ts"
import { InvalidOption } from "../InvalidOption.ts"
import { type PlateauOptions, reduceOnPlateau as rule } from "../schedule/reduceOnPlateau.ts"
import type { TrainEvent } from "./TrainEvent.ts"

/** Options of `reduceOnPlateau`: PyTorch's, and what is watched. */
export interface ReduceOnPlateauOptions extends PlateauOptions {
  /** `"loss"` of an epoch's training, unless told; or that metric of its `Evaluation` */
  readonly metric?: "loss" | { readonly evaluation: string }
}

/**
 * Lowers the learning rate of the epochs that follow when a metric no longer gets better. The events pass unchanged.
 * The one operator that acts on the run: the rate is the optimiser's own, schedule included, times what this has made of
 * it. PyTorch's `ReduceLROnPlateau`.
 *
 * Put it after `evaluateEachEpoch` where it watches an evaluation. Fails with `StaleState` where an operator before this
 * one buffers, so that the step at which a rate changes is always the same, and with `InvalidOption`.
 *
 * @example
 * Train.fit(…).pipe(
 *   Train.evaluateEachEpoch(mnist.test, Evaluate.accuracy),
 *   Train.reduceOnPlateau({ metric: { evaluation: "accuracy" }, mode: "max", patience: 2 }),
 * )
 */
export const reduceOnPlateau =
  (options: ReduceOnPlateauOptions = {}) =>
  <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E | State.StaleState | InvalidOption, R> =>
    Stream.suspend(() => {
      const { metric = "loss" } = options
      const plateau = rule(options)
      let remembered = plateau.initial
      const watched = (event: TrainEvent): Effect.Effect<number | undefined, InvalidOption> => {
        if (metric === "loss") return Effect.succeed(event._tag === "EpochEnd" ? event.loss : undefined)
        if (event._tag !== "Evaluation") return Effect.undefined
        const found = event.metrics[metric.evaluation]
        const known = Object.keys(event.metrics).join(", ")
        const sentence = `reduceOnPlateau: the evaluation has no ${metric.evaluation}; it has ${known}`
        return found === undefined ? new InvalidOption({ sentence }) : Effect.succeed(found)
      }
      const act = Effect.fnUntraced(function* (event: TrainEvent) {
        const found = yield* watched(event)
        if (found === undefined) return
        yield* State.valid(event.state.live)
        const { run } = event.state
        const before = run.learningRate()
        const { state, lr } = plateau.next(remembered, found, before)
        remembered = state
        if (lr !== before) yield* run.setRateScale((run.rateScale() * lr) / before)
      })
      return plateau.refusal === undefined
        ? self.pipe(Stream.rechunk(1), Stream.tap(act))
        : Stream.fail(new InvalidOption({ sentence: plateau.refusal }))
    })
