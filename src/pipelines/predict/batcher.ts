/** Calls that come one by one, answered in batches: by size, and by the time that the first of a batch has waited. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/** What batches are cut by. */
export interface BatcherOptions {
  readonly batchSize: number
  readonly maxDelay: Duration.Input
}

interface Waiting<A, B, E> {
  readonly value: A
  /** when it came, in milliseconds */
  readonly since: number
  readonly answer: Deferred.Deferred<B, E>
}

/**
 * A function that answers one call, from one that answers many. A call waits until `batchSize` of them are there or the
 * first has waited for `maxDelay`, whichever is earlier, and while another batch is being answered.
 *
 * `answer` gives a result for each value, in order; what it fails with, all calls of the batch fail with. A call that is
 * interrupted leaves the batch it waits for; one that comes, or still waits, when the scope closes fails with `closed`.
 */
export const makeBatcher = Effect.fnUntraced(function* <A, B, E, E2, E3, R>(
  answer: (values: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<Effect.Effect<B, E>>, E2, R>,
  closed: () => E3,
  { batchSize, maxDelay }: BatcherOptions,
) {
  const waiting: Array<Waiting<A, B, E | E2 | E3>> = []
  let isClosed = false
  const [some, full] = [yield* Latch.make(), yield* Latch.make()]
  /** brings the latches to what `waiting` holds */
  const tell = () => {
    if (waiting.length === 0) some.closeUnsafe()
    else some.openUnsafe()
    if (waiting.length < batchSize) full.closeUnsafe()
    else full.openUnsafe()
  }

  const ready = Effect.gen(function* () {
    yield* some.await
    const first = waiting[0]
    if (first === undefined) return
    const left = first.since + Duration.toMillis(maxDelay) - (yield* Clock.currentTimeMillis)
    if (left > 0) yield* Effect.raceFirst(full.await, Effect.sleep(left))
  })
  // a batch that is begun is answered, also when the scope closes meanwhile
  const serve = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      yield* restore(ready)
      const batch = waiting.splice(0, batchSize)
      tell()
      // all who were waiting may have been interrupted
      if (batch.length === 0) return
      const exit = yield* Effect.exit(answer(batch.map(({ value }) => value)))
      for (const [i, call] of batch.entries()) {
        yield* exit._tag === "Failure"
          ? Deferred.failCause(call.answer, exit.cause)
          : Deferred.completeWith(call.answer, exit.value[i] ?? Effect.die(new Error("an answer is missing")))
      }
    }),
  )
  yield* Effect.forever(serve).pipe(Effect.forkScoped)
  // runs before the fiber above is interrupted
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosed = true
      return Effect.forEach(waiting.splice(0), (w) => Deferred.fail(w.answer, closed()), { discard: true })
    }),
  )

  return Effect.fnUntraced(function* (value: A) {
    if (isClosed) return yield* Effect.fail(closed())
    const call: Waiting<A, B, E | E2 | E3> = {
      value,
      since: yield* Clock.currentTimeMillis,
      answer: yield* Deferred.make<B, E | E2 | E3>(),
    }
    waiting.push(call)
    tell()
    return yield* Deferred.await(call.answer).pipe(
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          const at = waiting.indexOf(call)
          if (at >= 0) waiting.splice(at, 1)
          tell()
        }),
      ),
    )
  })
})
