import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/**
 * Makes a folder and those above it; one that is there already is left as it is.
 *
 * Node's own `recursive` never returns where a parent answers "not found" to every new child, as `/proc` does.
 */
export const makeFolder: (folder: string) => Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (folder) {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    if (yield* fs.exists(folder)) {
      if ((yield* fs.stat(folder)).type === "Directory") return
      return yield* fs.makeDirectory(folder)
    }
    const above = paths.dirname(folder)
    if (above !== folder) yield* makeFolder(above)
    // another process may have made it meanwhile
    yield* fs.makeDirectory(folder).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists",
        () => Effect.void,
      ),
    )
  })
