import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { makeFolder } from "../makeFolder.ts"
import { platformReason } from "../platformReason.ts"
import { OutputError } from "./OutputError.ts"
import { schemas } from "./schemas.ts"
import { type Resumed, type Start, toJson, type TrainEvent } from "./TrainEvent.ts"

/** milliseconds that a step's line may wait, so that a step does not wait for the disk */
const flushEvery = 1000

/** the lines of a log from before the moment at which a run goes on: it tells the others once more */
const before = Effect.fnUntraced(function* (text: string, resumed: Resumed) {
  const { decodeLine } = yield* schemas
  return text
    .split("\n")
    .filter((line) => {
      const { event, totalSteps = 0 } = Option.getOrElse(decodeLine(line), () => ({
        event: "broken",
        totalSteps: Infinity,
      }))
      if (totalSteps !== resumed.totalSteps || totalSteps === 0) return totalSteps < resumed.totalSteps
      return resumed.step === 0 || (event === "Step" && !resumed.retold)
    })
    .map((line) => `${line}\n`)
    .join("")
})

/**
 * Writes a run's events to a file as JSON lines, one object each with `event` and `time` (milliseconds since 1970).
 * The events pass unchanged. What was logged before an interruption is in the file; a run that goes on from a checkpoint
 * goes on with the file, where it has the lines up to there.
 *
 * Fails with `OutputError` where the file cannot be written.
 */
export const log =
  (path: string) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<TrainEvent, E | OutputError, R | FileSystem.FileSystem | Path.Path> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const paths = yield* Path.Path
        const refused = Effect.mapError(
          (error: PlatformError) => new OutputError({ path, reason: platformReason(error) }),
        )
        yield* refused(makeFolder(paths.dirname(path)))
        const file = yield* refused(fs.open(path, { flag: "a+" }))
        let waiting = ""
        let flushedAt = 0
        const flush = Effect.suspend(() => {
          const text = waiting
          waiting = ""
          return text === "" ? Effect.void : file.writeAll(new TextEncoder().encode(text))
        })
        // a finaliser never fails: what could not be written by then is lost with the disk
        yield* Effect.addFinalizer(() => Effect.ignoreCause(flush))
        const begin = Effect.fnUntraced(function* ({ resumed, state }: Start) {
          const kept = resumed === undefined ? "" : yield* before(yield* refused(fs.readFileString(path)), resumed)
          yield* refused(file.truncate(0))
          waiting = kept
          // what a checkpoint holds, the log has too
          yield* state.run.beforeCheckpoint(Effect.ignore(flush))
        })
        const write = Effect.fnUntraced(function* (event: TrainEvent) {
          if (event._tag === "Start") yield* begin(event)
          const time = yield* Clock.currentTimeMillis
          waiting += `${JSON.stringify({ time, ...toJson(event) })}\n`
          if (event._tag === "Step" && time - flushedAt < flushEvery) return
          flushedAt = time
          yield* refused(flush)
        })
        return Stream.tap(self, write)
      }),
    )
