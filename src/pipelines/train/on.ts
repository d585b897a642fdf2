import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { TrainEvent } from "./TrainEvent.ts"

/** the events of a tag */
type Tagged<T> = Extract<TrainEvent, { readonly _tag: T }>

/**
 * A callback of one's own for one kind of event. The run waits for it, and its state is valid meanwhile; the events pass
 * unchanged.
 *
 * @example
 * Train.fit(…).pipe(Train.on("EpochEnd", ({ epoch, loss }) => Console.log(`epoch ${epoch}: ${loss}`)))
 */
export const on =
  <T extends TrainEvent["_tag"], X, E2, R2>(tag: T, f: (event: Tagged<T>) => Effect.Effect<X, E2, R2>) =>
  <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E | E2, R | R2> =>
    self.pipe(
      Stream.rechunk(1),
      Stream.tap((event) => (is(event, tag) ? f(event) : Effect.void)),
    )

const is = <T extends TrainEvent["_tag"]>(event: TrainEvent, tag: T): event is Tagged<T> => event._tag === tag
