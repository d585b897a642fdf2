/**
 * What a run came to, to look at: one page with curves, confusion matrix, the worst mistakes and the model's table.
 *
 * @example
 * const page = yield* Report.write("runs/lenet")
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { summary } from "../models/summary.ts"
import { zoo } from "../models/zoo.ts"
import { atomicWrite } from "./atomicWrite.ts"
import { platformReason } from "./platformReason.ts"
import { html } from "./report/html.ts"
import { charts } from "./report/plots.ts"
import { parse } from "./report/runLog.ts"
import type { Results } from "./report/schemas.ts"
import * as RunFolder from "./RunFolder.ts"
import { OutputError } from "./train/OutputError.ts"

export { results } from "./report/results.ts"
export type { Results }

/** the names of what is written into the folder of a run */
export const files = { page: "report.html", results: "results.json" } as const

const writeText = Effect.fnUntraced(function* (path: string, text: string) {
  yield* Effect.mapError(
    atomicWrite(path, new TextEncoder().encode(text)),
    (error) => new OutputError({ path, reason: platformReason(error) }),
  )
})

/** Keeps what `results` found in the folder of a run, for `write`. Fails with `OutputError`. */
export const saveResults = Effect.fnUntraced(function* (folder: string, results: Results) {
  const path = (yield* Path.Path).join(folder, files.results)
  yield* writeText(path, `${JSON.stringify(results)}\n`)
})

/**
 * Writes `report.html` into the folder of a run, and the curves beside it as SVG: from its log, from its description,
 * and from what `saveResults` kept, where it did. Gives the path of the page.
 *
 * Drawing needs the optional packages `@observablehq/plot` and `linkedom`. Fails with `MissingPackage`,
 * `RunFolderError`, `OutputError`.
 */
export const write = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const run = yield* RunFolder.read(folder)
  const { log: logFile } = yield* RunFolder.filesOf(folder, run.files)
  const unreadable = (path: string) =>
    Effect.mapError(
      (error: PlatformError) =>
        new RunFolder.RunFolderError({ path, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
    )
  const { decodeResults } = yield* Effect.promise(() => import("./report/schemas.ts"))
  const log = yield* parse(yield* unreadable(logFile)(fs.readFileString(logFile)))
  const resultsFile = paths.join(folder, files.results)
  const hasResults = yield* unreadable(resultsFile)(fs.exists(resultsFile))
  const results = hasResults
    ? yield* Effect.mapError(
        Effect.flatMap(unreadable(resultsFile)(fs.readFileString(resultsFile)), decodeResults),
        (error) =>
          error._tag === "RunFolderError"
            ? error
            : new RunFolder.RunFolderError({
                path: resultsFile,
                reason: { _tag: "Invalid", detail: error.message.replaceAll(/\s+/g, " ").trim() },
              }),
      )
    : undefined
  const model = Object.hasOwn(zoo, run.model.name) ? zoo[run.model.name]?.() : undefined
  const drawn = yield* charts(log)
  for (const { file, svg } of drawn) yield* writeText(paths.join(folder, file), `${svg}\n`)
  const page = paths.join(folder, files.page)
  const table = model === undefined ? undefined : summary(model)
  yield* writeText(page, html({ run, log, charts: drawn, results, table }))
  return page
})
