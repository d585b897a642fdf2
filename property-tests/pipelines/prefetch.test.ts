import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Prefetch from "../../src/pipelines/Prefetch.ts"

/** handles that know how many of them live, and how many lived at most */
const meter = () => {
  const live = new Set<number>()
  const seen = { next: 0, most: 0 }
  const acquire = (n: number) =>
    Effect.acquireRelease(
      Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => {
          const id = seen.next++
          live.add(id)
          seen.most = Math.max(seen.most, live.size)
          return { id, n }
        }),
      ),
      ({ id }) => Effect.sync(() => live.delete(id)),
    )
  return { live, seen, acquire }
}

const run = <E>(m: ReturnType<typeof meter>, use: (n: number) => Effect.Effect<void, E>, count = 40) =>
  Stream.range(0, count - 1).pipe(
    Stream.rechunk(1),
    Prefetch.mapScoped(m.acquire, { ahead: 2 }),
    Prefetch.runScoped(({ n }) => use(n)),
  )

describe("Prefetch", () => {
  it.live("each element is used in order, and few are alive at once", () =>
    Effect.gen(function* () {
      const m = meter()
      const used: Array<number> = []
      yield* run(m, (n) =>
        Effect.andThen(
          Effect.sleep(1),
          Effect.sync(() => void used.push(n)),
        ),
      )
      assert.deepStrictEqual(
        used,
        Array.from({ length: 40 }, (_, i) => i),
      )
      assert.strictEqual(m.live.size, 0)
      assert.isAtMost(m.seen.most, 4)
      assert.isAtLeast(m.seen.most, 3)
    }),
  )

  it.live.each([
    ["failure", Effect.fail("no")],
    ["defect", Effect.die(new Error("defect"))],
    ["interruption of the use", Effect.interrupt],
  ] as const)("nothing is left after %s", ([, ending]) =>
    Effect.gen(function* () {
      const m = meter()
      const exit = yield* Effect.exit(run(m, (n) => (n === 7 ? ending : Effect.yieldNow)))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(m.live.size, 0)
      assert.isAtLeast(m.seen.next, 7)
    }),
  )

  it.live("nothing is left after a failing acquisition, a timeout, an early end", () =>
    Effect.gen(function* () {
      const failing = meter()
      const source = Stream.range(0, 20).pipe(Stream.rechunk(1))
      const acquire = (n: number) => Effect.tap(failing.acquire(n), () => (n === 5 ? Effect.fail("no") : Effect.void))
      const failed = yield* Effect.exit(
        source.pipe(
          Prefetch.mapScoped(acquire, { ahead: 3 }),
          Prefetch.runScoped(() => Effect.yieldNow),
        ),
      )
      assert.isTrue(Exit.isFailure(failed))
      assert.strictEqual(failing.live.size, 0)

      const slow = meter()
      yield* Effect.timeoutOption(
        run(slow, () => Effect.sleep(5)),
        20,
      )
      assert.strictEqual(slow.live.size, 0)
      assert.isAtLeast(slow.seen.next, 1)

      const few = meter()
      yield* source.pipe(
        Prefetch.mapScoped(few.acquire, { ahead: 3 }),
        Stream.take(3),
        Prefetch.runScoped(() => Effect.void),
      )
      assert.strictEqual(few.live.size, 0)
    }),
  )

  it.live("nothing is left after interruption at any of 100 moments", () =>
    Effect.gen(function* () {
      for (let moment = 0; moment < 100; moment++) {
        const m = meter()
        const fiber = yield* Effect.forkChild(run(m, () => Effect.yieldNow))
        for (let i = 0; i < moment; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(m.live.size, 0, `after ${moment} turns`)
      }
    }),
  )
})
