/** Runs that end before their last epoch. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { InvalidOption } from "../InvalidOption.ts"
import type { Step, Stopped, TrainEvent } from "./TrainEvent.ts"

/** ends the run after the first step for which there is a reason */
const endWith =
  (reason: (step: Step, now: number, began: number) => string | undefined) =>
  <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E, R> =>
    Stream.unwrap(
      Effect.map(Clock.currentTimeMillis, (began) => {
        const after = Effect.fnUntraced(function* (event: TrainEvent) {
          if (event._tag !== "Step") return []
          const found = reason(event, yield* Clock.currentTimeMillis, began)
          if (found === undefined) return []
          const { epoch, totalSteps, state } = event
          const told: Stopped = { _tag: "Stopped", epoch, totalSteps, reason: found, state }
          return [told]
        })
        return self.pipe(
          Stream.rechunk(1),
          Stream.flatMap((event) => Stream.concat(Stream.succeed(event), Stream.fromIterableEffect(after(event)))),
          Stream.takeUntil((event) => event._tag === "Stopped"),
        )
      }),
    )

/**
 * Ends the run after so many steps, those before a checkpoint counted: a `Stopped` event is the last. Put it before
 * `save` and `checkpoint`, which then write what was reached.
 *
 * @example
 * Train.fit(…).pipe(Train.limitSteps(1000))
 */
export const limitSteps =
  (steps: number) =>
  <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E | InvalidOption, R> =>
    Number.isInteger(steps) && steps >= 1
      ? endWith(({ totalSteps }) => (totalSteps >= steps ? `${steps} steps are done` : undefined))(self)
      : Stream.fail(new InvalidOption({ sentence: `limitSteps needs a whole number of at least 1, not ${steps}` }))

/**
 * Ends the run after the step during which so much time has passed: a `Stopped` event is the last.
 *
 * @example
 * Train.fit(…).pipe(Train.limitTime("10 minutes"))
 */
export const limitTime = (time: Duration.Input) => {
  const limit = Duration.fromInputUnsafe(time)
  return endWith((_, now, began) =>
    now - began >= Duration.toMillis(limit) ? `${Duration.format(limit)} are over` : undefined,
  )
}
