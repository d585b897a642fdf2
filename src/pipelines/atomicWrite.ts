import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { makeFolder } from "./makeFolder.ts"

/**
 * Writes a file so that at every moment the path holds either the old content or the new, whole: beside it, flushed to
 * the disk, then renamed. Missing folders are made; what was begun is removed on failure and interruption.
 */
export const atomicWrite = Effect.fnUntraced(function* (path: string, bytes: Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  yield* makeFolder(paths.dirname(path))
  // a name of our own, so that two writers never share one; it need not be random, only unused
  const beside = `${path}.${Date.now().toString(36)}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.part`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* fs.open(beside, { flag: "wx" })
      yield* file.writeAll(bytes)
      yield* file.sync
    }),
  ).pipe(
    Effect.andThen(fs.rename(beside, path)),
    Effect.onError(() => Effect.ignoreCause(fs.remove(beside, { force: true }))),
  )
})
