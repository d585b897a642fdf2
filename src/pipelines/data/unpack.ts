/** Files out of a packed archive. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as Tar from "effect/encoding/Tar"
import { DataError, type DataReason } from "../DataError.ts"
import { platformReason } from "../platformReason.ts"
import { unwritable } from "./files.ts"

/** unpacks those files of an archive that are asked for, to a folder that appears with all of them or not at all */
export const unpack = Effect.fnUntraced(function* (archive: string, names: ReadonlyArray<string>, to: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const fail = (reason: DataReason) => new DataError({ source: archive, reason })
  // a name of our own; it need not be random, only unused
  const beside = `${to}.${Date.now().toString(36)}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.part`
  const packed = Stream.mapError(fs.stream(archive, { chunkSize: 1 << 18 }), (error) =>
    fail({ _tag: "Unreadable", detail: platformReason(error) }),
  )
  const spoilt = (cause: unknown) =>
    fail({ _tag: "BadArchive", detail: cause instanceof Error ? cause.message : String(cause) })
  const plain = Stream.fromReadableStream({
    evaluate: () =>
      Stream.toReadableStream(
        // a copy with a buffer of its own: what the platform's stream takes
        Stream.map(packed, (bytes) => new Uint8Array(bytes)),
      ).pipeThrough<Uint8Array>(new DecompressionStream("gzip")),
    onError: (cause) => (cause instanceof DataError ? cause : spoilt(cause)),
  })
  const wanted = new Set(names)
  const written = Effect.gen(function* () {
    yield* Effect.mapError(fs.makeDirectory(beside), (error) => fail(unwritable(error)))
    yield* plain.pipe(
      Stream.pipeThroughChannel(Tar.decode()),
      Stream.mapError((error) => (error instanceof DataError ? error : spoilt(error))),
      Stream.runForEach((entry) => {
        const name = path.basename(entry.header.path)
        const body = Stream.mapError(entry.body, (error) => (error instanceof DataError ? error : spoilt(error)))
        if (entry.header.type !== "File" || !wanted.delete(name)) return Stream.runDrain(body)
        return Effect.scoped(
          Effect.gen(function* () {
            const writing = <A, R>(effect: Effect.Effect<A, Parameters<typeof unwritable>[0], R>) =>
              Effect.mapError(effect, (error) => fail(unwritable(error)))
            const file = yield* writing(fs.open(path.join(beside, name), { flag: "wx" }))
            yield* Stream.runForEach(body, (bytes) => writing(file.writeAll(bytes)))
            yield* writing(file.sync)
          }),
        )
      }),
    )
    const [missing] = wanted
    if (missing !== undefined) return yield* fail({ _tag: "BadArchive", detail: `it holds no ${missing}` })
    // another process may have been faster: its files are as good
    const renamed = yield* Effect.result(fs.rename(beside, to))
    if (renamed._tag === "Failure" && !(yield* Effect.orElseSucceed(fs.exists(to), () => false))) {
      return yield* fail(unwritable(renamed.failure))
    }
  })
  yield* Effect.ensuring(written, Effect.ignore(fs.remove(beside, { recursive: true, force: true })))
})
