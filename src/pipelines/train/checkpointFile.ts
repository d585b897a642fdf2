/**
 * Checkpoints as files: safetensors, whose header says in JSON how far the run is and what it remembers. The names of
 * the tensors are `model.<name in the state_dict>`, `optimizer.<slot>.<name>` and `memory.<operator>.<name>`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { Device } from "../../gpu/Device.ts"
import * as Random from "../../ops/random.ts"
import * as State from "../../ops/State.ts"
import { platformReason } from "../platformReason.ts"
import * as Safetensors from "../Safetensors.ts"
import { version } from "../version.ts"
import { CheckpointError } from "./CheckpointError.ts"
import { headerKey, memoryPrefix, tensorName } from "./checkpointNames.ts"
import type { Header } from "./checkpointSchema.ts"
import type { Identity } from "./Identity.ts"
import type { HostParameters } from "./Model.ts"
import type { Captured, TrainState } from "./RunState.ts"
import { schemas } from "./schemas.ts"

export type { Header }

/** What a checkpoint holds. */
export interface CheckpointContents {
  readonly tensors: HostParameters
  readonly header: Header
}

/** A checkpoint that was found sound, to go on from. */
export interface Checkpoint {
  readonly path: string
  readonly header: Header
  /** its numbers, read anew, so that they are in memory only while they are needed */
  readonly read: Effect.Effect<CheckpointContents, CheckpointError>
}

/** the arrays of a state, each read when it is written */
const sourcesOf = Effect.fnUntraced(function* (state: TrainState) {
  const device = yield* Device
  yield* State.valid(state)
  return state.leaves.map(({ path, buffer }) => ({
    name: tensorName(path),
    shape: buffer.shape,
    read: Effect.andThen(State.valid(state), device.read(buffer)),
  }))
})

/**
 * Writes a checkpoint, whole or not at all. `publish` wraps the moment at which it gets its name.
 *
 * Fails with `CheckpointError`, and with `StaleState` where the run goes on meanwhile: then nothing is written.
 */
export const write = Effect.fnUntraced(function* (
  path: string,
  captured: Captured,
  identity: Identity,
  publish: (
    rename: Effect.Effect<void, PlatformError>,
  ) => Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> = (rename) => rename,
) {
  const { info } = yield* Device
  const { encodeHeader } = yield* schemas
  const { progress, memories, live } = captured
  const seed = identity.seed
  const text = encodeHeader({
    format: "effect-nn checkpoint",
    version: 1,
    library: version,
    device: { name: info.name, backend: info.backend, description: info.description },
    identity,
    progress,
    generator: { seed, key: Array.from(Random.key(seed, progress.totalSteps + 1)) },
    memories: Object.fromEntries(Object.entries(memories).map(([name, { values }]) => [name, values])),
  })
  const remembered = Object.entries(memories).flatMap(([name, { tensors = {} }]) =>
    Object.entries(tensors).map(([path, { shape, data }]) => ({
      name: memoryPrefix(name) + path,
      shape: shape.map(Number),
      read: Effect.succeed(data),
    })),
  )
  // a run whose numbers are spoilt must not push the sound checkpoints out
  const finite = (name: string, data: Float32Array) =>
    data.every(Number.isFinite)
      ? Effect.succeed(data)
      : new CheckpointError({ path, reason: { _tag: "NotFinite", tensor: name, totalSteps: progress.totalSteps } })
  const sources = [...(yield* sourcesOf(live)), ...remembered].map((source) => ({
    ...source,
    read: Effect.flatMap(source.read, (data) => finite(source.name, data)),
  }))
  const stillCurrent = Effect.suspend(() =>
    captured.isCurrent() ? Effect.void : Effect.fail(new State.StaleState({ reason: "replaced" })),
  )
  const metadata = { format: "pt", [headerKey]: text }
  yield* Safetensors.writeFrom(path, sources, metadata, (rename) => Effect.andThen(stillCurrent, publish(rename))).pipe(
    Effect.catchTag("SafetensorsError", (error) => {
      const detail = error.reason._tag === "Unwritable" ? error.reason.detail : error.message
      return Effect.fail(new CheckpointError({ path, reason: { _tag: "Unwritable", detail } }))
    }),
  )
})

/** a checkpoint from the bytes of its file, or the end of the sentence that says why it is none */
const decoder = Effect.map(
  schemas,
  ({ decodeHeader }) =>
    (bytes: Uint8Array): Result.Result<CheckpointContents, string> => {
      const contents = Safetensors.decode(bytes, "")
      if (Result.isFailure(contents)) return Result.fail(contents.failure.message.trim())
      const { metadata, tensors } = contents.success
      const header = decodeHeader(metadata[headerKey])
      if (Result.isFailure(header)) {
        const detail = header.failure.message.replaceAll(/\s+/g, " ")
        return Result.fail(
          metadata[headerKey] === undefined ? "is no checkpoint" : `has a header of another form: ${detail}`,
        )
      }
      const { generator, progress } = header.success
      const key = Random.key(generator.seed, progress.totalSteps + 1)
      if (generator.key.join() !== key.join()) return Result.fail("was written with other random numbers")
      const host = Array.from(tensors, ([name, tensor]) => [
        name,
        { shape: tensor.shape, data: Safetensors.toFloat32(tensor) },
      ])
      return Result.succeed({ header: header.success, tensors: Object.fromEntries(host) })
    },
)

const bytesOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    fs.readFile(path),
    (error) => new CheckpointError({ path, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
  )
})

/** the names of the checkpoints of a folder, the latest first */
export const listed = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory(folder).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "NotFound",
      () => Effect.succeed<ReadonlyArray<string>>([]),
    ),
    Effect.mapError(
      (error) => new CheckpointError({ path: folder, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
    ),
  )
  return names
    .flatMap((name) => {
      const step = stepOf(name)
      return step === undefined ? [] : [{ name, step }]
    })
    .toSorted((a, b) => b.step - a.step)
})

/** the file of a checkpoint, by the steps that were done */
export const nameOf = (totalSteps: number): string => `step-${String(totalSteps).padStart(8, "0")}.safetensors`
const stepOf = (name: string): number | undefined => {
  const digits = /^step-(\d+)\.safetensors$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
/** the file of the best one */
export const bestName = "best.safetensors"

/**
 * The latest sound checkpoint of a folder, to give to `Train.fit` as `resume`. One that is half-written or altered is
 * skipped with a warning, for the one before it.
 *
 * Fails with `CheckpointError` where there is none, or none can be used.
 *
 * @example
 * Train.fit({ …, resume: yield* Train.resume("runs/lenet/checkpoints") })
 */
export const resume: (folder: string) => Effect.Effect<Checkpoint, CheckpointError, FileSystem.FileSystem | Path.Path> =
  Effect.fnUntraced(function* (folder) {
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    const paths = yield* Path.Path
    const fs = yield* FileSystem.FileSystem
    const decode = yield* decoder
    const best = paths.join(folder, bestName)
    const all = (yield* listed(folder)).map(({ name }) => paths.join(folder, name))
    // the best is older than the last ones, but better than nothing
    const candidates = (yield* Effect.orElseSucceed(fs.exists(best), () => false)) ? [...all, best] : all
    let newest: string | undefined
    for (const path of candidates) {
      const sound = yield* Effect.result(Effect.map(bytesOf(path), decode))
      const found = Result.isFailure(sound) ? Result.fail(`cannot be read: ${sound.failure.message}`) : sound.success
      if (Result.isSuccess(found)) {
        const read = Effect.flatMap(bytesOf(path), (bytes) =>
          Effect.mapError(
            Effect.fromResult(decode(bytes)),
            (detail) => new CheckpointError({ path, reason: { _tag: "Unreadable", detail } }),
          ),
        )
        return { path, header: found.success.header, read: Effect.provideContext(read, context) }
      }
      newest ??= `${paths.basename(path)} ${found.failure}`
      yield* Effect.logWarning(`the checkpoint ${path} ${found.failure}: it is skipped`)
    }
    const reason =
      newest === undefined
        ? ({ _tag: "Missing" } as const)
        : ({ _tag: "Unsound", files: candidates.length, detail: newest } as const)
    return yield* new CheckpointError({ path: folder, reason })
  })
