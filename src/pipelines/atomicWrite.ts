import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { makeFolder } from "./makeFolder.ts"

/** what a file is called until it is whole */
export const partSuffix = ".part"

/**
 * Writes a file so that at every moment the path holds either the old content or the new, whole: beside it, flushed to
 * the disk, then renamed. Missing folders are made; what was begun is removed on failure and interruption.
 *
 * `publish` wraps the moment of renaming, for what must happen right before or after it.
 */
export const atomicWriteWith = Effect.fnUntraced(function* <E, R, E2 = never, R2 = never>(
  path: string,
  write: (file: FileSystem.File) => Effect.Effect<void, E, R>,
  publish: (rename: Effect.Effect<void, PlatformError>) => Effect.Effect<void, PlatformError | E2, R2> = (rename) =>
    rename,
) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder = paths.dirname(path)
  yield* makeFolder(folder)
  // a name of our own, so that two writers never share one; it need not be random, only unused
  const unique = `${Date.now().toString(36)}-${Math.floor(Math.random() * 2 ** 32).toString(36)}`
  const beside = `${path}.${unique}${partSuffix}`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* fs.open(beside, { flag: "wx" })
      yield* write(file)
      yield* file.sync
    }),
  ).pipe(
    Effect.andThen(publish(fs.rename(beside, path))),
    Effect.onError(() => Effect.ignoreCause(fs.remove(beside, { force: true }))),
  )
  // the name is in the folder, whose own content is to survive a loss of power; not every system opens folders
  yield* Effect.ignoreCause(Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (file) => file.sync)))
})

/** Writes bytes to a file, whole or not at all. */
export const atomicWrite = (path: string, bytes: Uint8Array) => atomicWriteWith(path, (file) => file.writeAll(bytes))
