/**
 * Elements that own resources, made ahead of their use. Each has a scope of its own, a child of the stream's: whoever
 * takes it closes it after use, and the stream closes those that nobody took, on its end, failure or interruption.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export interface Scoped<out A> {
  readonly value: A
  readonly scope: Scope.Closeable
}

/**
 * Each element with what `acquire` makes of it; at most `ahead` wait for their turn, one more is being made.
 *
 * Take them with `runScoped` (or close `scope` after use).
 */
export const mapScoped =
  <A, B, E2, R2>(
    acquire: (element: A) => Effect.Effect<B, E2, R2>,
    options: { readonly ahead: number; readonly concurrency?: number },
  ) =>
  <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<Scoped<B>, E | E2, R | Exclude<R2, Scope.Scope>> =>
    Stream.unwrap(
      Effect.map(Effect.scope, (stream) =>
        self.pipe(
          Stream.mapEffect(
            (element) =>
              Effect.uninterruptibleMask((restore) =>
                Effect.gen(function* () {
                  const scope = yield* Scope.fork(stream)
                  const value = yield* restore(Scope.provide(acquire(element), scope)).pipe(
                    Effect.onError(() => Scope.close(scope, Exit.void)),
                  )
                  return { value, scope }
                }),
              ),
            { concurrency: options.concurrency ?? 1 },
          ),
          Stream.rechunk(1),
          Stream.bufferArray({ capacity: options.ahead }),
        ),
      ),
    )

/** Runs `use` on each element in turn, and releases it however that ends. */
export const runScoped =
  <A, X, E2, R2>(use: (element: A) => Effect.Effect<X, E2, R2>) =>
  <E, R>(self: Stream.Stream<Scoped<A>, E, R>): Effect.Effect<void, E | E2, R | R2> =>
    Stream.runForEach(self, ({ value, scope }) => Effect.onExit(use(value), (exit) => Scope.close(scope, exit)))
