import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Pipeable from "effect/Pipeable"
import type { Shape } from "../../shapes/Shape.ts"
import { DataError } from "../DataError.ts"
import type { Dataset, EpochKey, Samples } from "./Dataset.ts"

/** the samples that a worker is asked for */
export interface Wanted {
  readonly samples: Uint32Array
  readonly key: EpochKey
}
/** what a worker answers, to its being started and to each `Wanted` */
export type Answer =
  | { readonly opened: number }
  | { readonly read: Samples }
  | { readonly error: Pick<DataError, "source" | "reason"> }
  | { readonly broken: string }

/** the worker's end of what connects it with its host */
interface Port {
  readonly on: (event: "message", receive: (wanted: Wanted) => void) => void
  readonly postMessage: (answer: Answer, transfer?: ReadonlyArray<ArrayBuffer>) => void
}

/** How a data set is opened, such that a worker can do it too: the export `name` of the module `url`, called with `given`. */
export interface Recipe<out S extends Shape> extends Pipeable.Pipeable {
  readonly _tag: "Recipe"
  readonly url: string
  readonly name: string
  /** plain data */
  readonly given: ReadonlyArray<unknown>
  readonly open: Effect.Effect<Dataset<S>, DataError>
  /** opens it in a worker, and reads what its host asks for */
  readonly serve: (port: Port) => void
}

const text = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const answerOf = (exit: Exit.Exit<Answer, DataError>): Answer => {
  if (exit._tag === "Success") return exit.value
  const error = Cause.squash(exit.cause)
  return error instanceof DataError
    ? { error: { source: error.source, reason: error.reason } }
    : { broken: text(error) }
}

/** an array with memory of its own, which can be handed over: a part of another's is cut out */
const own = (array: Float32Array): Float32Array<ArrayBuffer> =>
  array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength
    ? new Float32Array(array.buffer)
    : new Float32Array(array)

const serve = (open: Effect.Effect<Dataset<Shape>, DataError>, port: Port): void => {
  const answer = (exit: Exit.Exit<Answer, DataError>): void => {
    const given = answerOf(exit)
    try {
      if (!("read" in given)) return port.postMessage(given)
      const [images, labels] = [own(given.read.images), own(given.read.labels)]
      port.postMessage({ read: { ...given.read, images, labels } }, [...new Set([images.buffer, labels.buffer])])
    } catch (cause) {
      port.postMessage({ broken: `what it gave cannot be handed over: ${text(cause)}` })
    }
  }
  const begin = Effect.map(open, (set): Answer => {
    port.on("message", ({ samples, key }) => {
      const reading = Effect.map(set.read(samples, key), (read): Answer => ({ read }))
      void Effect.runPromiseExit(reading).then(answer)
    })
    return { opened: set.length }
  })
  void Effect.runPromiseExit(begin).then(answer)
}

/**
 * How a data set is opened, for `Data.workers`: `url` is `import.meta.url` of the module that exports it, `name` the name
 * of that export. Functions cannot be sent to a worker, so each imports the module and opens the set for itself; what
 * `open` is given has to be plain data. It may use everything: sources, `map` with transforms of one's own, `relabel`.
 *
 * The module should do nothing else, since every worker runs it.
 *
 * @example
 * // photos.ts
 * export const photos = Data.recipe(import.meta.url, "photos", (folder: string) =>
 *   Data.imageFolder(folder).pipe(
 *     Effect.map(Data.map(Transforms.randomResizedCrop(224))),
 *     Effect.provide(NodeServices.layer),
 *   ))
 */
export const recipe =
  <Given extends ReadonlyArray<unknown>, const S extends Shape>(
    url: string,
    name: string,
    open: (...given: Given) => Effect.Effect<Dataset<S>, DataError>,
  ): ((...given: Given) => Recipe<S>) =>
  (...given) => {
    const opened = Effect.suspend(() => open(...given))
    return {
      ...Pipeable.Prototype,
      _tag: "Recipe",
      url,
      name,
      given,
      open: opened,
      serve: (port) => serve(opened, port),
    }
  }
