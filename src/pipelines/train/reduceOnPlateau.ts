import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { StaleState } from "../../ops/State.ts"
import { InvalidOption } from "../InvalidOption.ts"
import { type PlateauOptions, type PlateauState, reduceOnPlateau as rule } from "../schedule/reduceOnPlateau.ts"
import type { Plateau } from "./checkpointSchema.ts"
import { schemas } from "./schemas.ts"
import type { TrainEvent } from "./TrainEvent.ts"
import { type Watched, watchedValue } from "./watched.ts"

/** Options of `reduceOnPlateau`: PyTorch's, and what is watched. */
export interface ReduceOnPlateauOptions extends PlateauOptions {
  /** `"loss"` of an epoch's training, unless told; or that metric of its `Evaluation` */
  readonly metric?: Watched
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
  <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E | StaleState | InvalidOption, R> =>
    Stream.suspend(() => {
      const { metric = "loss" } = options
      const plateau = rule(options)
      let remembered = plateau.initial
      const act = Effect.fnUntraced(function* (event: TrainEvent) {
        if (event._tag === "Start") {
          const memory = yield* event.state.run.remember("reduceOnPlateau", () => ({ values: encode(remembered) }))
          const found = Option.getOrUndefined((yield* schemas).decodePlateau(memory?.values))
          if (found !== undefined) remembered = { ...found, best: found.best ?? plateau.initial.best }
          return
        }
        const found = yield* watchedValue("reduceOnPlateau", metric, event)
        if (found === undefined) return
        yield* event.state.current
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

const encode = (state: PlateauState): Plateau => ({ ...state, best: Number.isFinite(state.best) ? state.best : null })
