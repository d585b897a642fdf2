/**
 * The folder of a run, and `run.json` in it: what was trained on what, so that whoever reads the folder later can build
 * the same model and prepare pictures as its data were.
 *
 *     runs/lenet/run.json            this description
 *     runs/lenet/model.safetensors   the parameters, as last saved
 *     runs/lenet/log.jsonl           the events, one JSON object a line
 *     runs/lenet/checkpoints/        what a run goes on from
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { atomicWrite } from "./atomicWrite.ts"
import { platformReason } from "./platformReason.ts"
import type { RunDescription } from "./RunDescription.ts"
import { version } from "./version.ts"

export type { RunDescription }

/** the name of the description in its folder */
export const fileName = "run.json"

/** where things of a run lie in its folder, unless told */
export const defaultFiles: RunDescription["files"] = {
  parameters: "model.safetensors",
  log: "log.jsonl",
  checkpoints: "checkpoints",
}

/** A description of a run that could not be written, or not be read. */
export class RunFolderError extends Data.TaggedError("RunFolderError")<{
  readonly path: string
  readonly reason:
    | { readonly _tag: "Missing" }
    | { readonly _tag: "Unreadable"; readonly detail: string }
    | { readonly _tag: "Unwritable"; readonly detail: string }
    | { readonly _tag: "Invalid"; readonly detail: string }
}> {
  override get message(): string {
    switch (this.reason._tag) {
      case "Missing":
        return `there is no ${this.path}; name a folder that train wrote`
      case "Unreadable":
        return `${this.path} cannot be read (${this.reason.detail}); check the path and its permissions`
      case "Unwritable":
        return `${this.path} cannot be written (${this.reason.detail}); check the folder, its permissions and the free space`
      case "Invalid":
        return `${this.path} is no description of a run (${this.reason.detail}); train again, or name another folder`
    }
  }
}

/**
 * A description from what is known of a run; form, version and files are filled in.
 *
 * @example
 * RunFolder.describe({ model: { name: "lenet", options: {}, input: [1, 28, 28], parameters: 61610 }, … })
 */
export const describe = (
  parts: Omit<RunDescription, "format" | "version" | "library" | "files"> & Partial<Pick<RunDescription, "files">>,
): RunDescription => ({ format: "effect-nn run", version: 1, library: version, files: defaultFiles, ...parts })

const schema = Effect.promise(() => import("./RunDescription.ts"))

/** Writes `run.json` into the folder, whole or not at all. Fails with `RunFolderError`. */
export const write = Effect.fnUntraced(function* (folder: string, description: RunDescription) {
  const path = (yield* Path.Path).join(folder, fileName)
  const { encode } = yield* schema
  const json = yield* Effect.mapError(
    encode(description),
    (error) => new RunFolderError({ path, reason: { _tag: "Invalid", detail: oneLine(error.message) } }),
  )
  const bytes = new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`)
  yield* Effect.mapError(
    atomicWrite(path, bytes),
    (error) => new RunFolderError({ path, reason: { _tag: "Unwritable", detail: platformReason(error) } }),
  )
})

/**
 * The description of the run in that folder. Fails with `RunFolderError`.
 *
 * @example
 * const { model, classes, normalization } = yield* RunFolder.read("runs/lenet")
 */
export const read = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).join(folder, fileName)
  const text = yield* Effect.mapError(fs.readFileString(path), (error) => {
    const missing = error.reason._tag === "NotFound"
    const reason = missing
      ? ({ _tag: "Missing" } as const)
      : ({ _tag: "Unreadable", detail: platformReason(error) } as const)
    return new RunFolderError({ path, reason })
  })
  const { decode } = yield* schema
  return yield* Effect.mapError(
    decode(text),
    (error) => new RunFolderError({ path, reason: { _tag: "Invalid", detail: oneLine(error.message) } }),
  )
})

/** the paths of what lies in the folder of a run */
export const filesOf = Effect.fnUntraced(function* (folder: string, files: RunDescription["files"] = defaultFiles) {
  const paths = yield* Path.Path
  return {
    parameters: paths.join(folder, files.parameters),
    log: paths.join(folder, files.log),
    checkpoints: paths.join(folder, files.checkpoints),
  }
})

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()
