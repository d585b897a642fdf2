import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import type { Device, DeviceError } from "../../gpu/Device.ts"
import type { StaleState } from "../../ops/State.ts"
import { partSuffix } from "../atomicWrite.ts"
import { InvalidOption } from "../InvalidOption.ts"
import { makeFolder } from "../makeFolder.ts"
import { platformReason } from "../platformReason.ts"
import { CheckpointError } from "./CheckpointError.ts"
import { bestName, listed, nameOf, write } from "./checkpointFile.ts"
import { dueOf, type Every } from "./every.ts"
import type { Captured, Run, RunState } from "./RunState.ts"
import type { Checkpoint, TrainEvent } from "./TrainEvent.ts"
import type { Kept } from "./checkpointSchema.ts"
import { schemas } from "./schemas.ts"
import { isBetter, type Watched, watchedValue } from "./watched.ts"

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /** `"1 epoch"` unless told; the end of the run always gives one */
  readonly every?: Every
  /** how many of the latest stay in the folder: 2 unless told, so that there is one where the latest is damaged */
  readonly keep?: number
  /** the best one stays too, as `best.safetensors`: by which figure, and whether less or more of it is better */
  readonly best?: { readonly metric: Watched; readonly mode: "min" | "max" }
  /** told of a checkpoint that was written because the run was interrupted: no event can tell of it */
  readonly onInterrupted?: (written: Checkpoint) => Effect.Effect<void>
}

/**
 * Writes all that the run goes on from to a folder, every so often and when it ends: parameters, running statistics,
 * what the optimiser and the operators before this one remember, and the place in the data. A `Checkpoint` event
 * follows. `Train.resume` finds the latest; a run that goes on from it takes the same steps as one that was never
 * interrupted, bit for bit.
 *
 * Put it after operators that remember (`reduceOnPlateau`, `earlyStopping`): those after it fail with `InvalidOption`.
 * Fails with `CheckpointError` where a file cannot be written (those before it stay), and with `StaleState` where an
 * operator before this one buffers. When the run is interrupted, one more is written at the step that it had reached.
 *
 * @example
 * Train.fit(…).pipe(
 *   Train.evaluateEachEpoch(mnist.test, Evaluate.accuracy),
 *   Train.checkpoint("runs/lenet/checkpoints", { every: "500 steps", keep: 3 }),
 * )
 */
export const checkpoint =
  (folder: string, options: CheckpointOptions = {}) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<
    TrainEvent,
    E | CheckpointError | StaleState | DeviceError | InvalidOption,
    R | Device | FileSystem.FileSystem | Path.Path
  > =>
    Stream.suspend(() => {
      const { every = "1 epoch", keep = 2, best } = options
      const due = dueOf("checkpoint", every)
      const refusal =
        typeof due === "string"
          ? due
          : Number.isInteger(keep) && keep >= 1
            ? undefined
            : `checkpoint needs keep of at least 1, not ${keep}`
      if (typeof due === "string" || refusal !== undefined) {
        return Stream.fail(new InvalidOption({ sentence: refusal ?? String(due) }))
      }
      let kept: Kept = { best: null, history: [] }
      let writtenAt = 0
      let last: { readonly totalSteps: number; readonly name: string } | undefined
      /** files of the folder that are not of this run: they go when the first of it is there */
      let foreign: ReadonlyArray<string> = []
      /** that of the last event: where it is that of the run's steps, nothing between them holds events back */
      let fiber: unknown

      const remove = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
        const [fs, paths] = [yield* FileSystem.FileSystem, yield* Path.Path]
        // what cannot be removed is only in the way of the next one, which says so
        for (const name of names) yield* Effect.ignore(fs.remove(paths.join(folder, name), { force: true }))
      })

      const writeNow = Effect.fnUntraced(function* (
        captured: Captured,
        identity: Run["identity"],
        isBest: boolean,
        isRegular: boolean,
      ) {
        const [fs, paths] = [yield* FileSystem.FileSystem, yield* Path.Path]
        const began = yield* Clock.currentTimeMillis
        const { epoch, step, totalSteps } = captured.progress
        const [name, ofBest] = [nameOf(totalSteps), paths.join(folder, bestName)]
        const path = isRegular ? paths.join(folder, name) : ofBest
        const makeRoom = Effect.suspend(() => {
          const names = foreign
          foreign = []
          return remove(names)
        })
        // one that goes on from a file, or ends where it wrote one, has it already
        if (last?.totalSteps !== totalSteps) {
          yield* write(path, captured, yield* identity, (rename) => Effect.andThen(makeRoom, rename))
        }
        if (isRegular) last = { totalSteps, name }
        if (isBest && last?.totalSteps === totalSteps) {
          // another name for the same bytes, or a copy where there are no such names
          const beside = `${ofBest}${partSuffix}`
          const source = paths.join(folder, last.name)
          yield* Effect.ignore(fs.remove(beside, { force: true }))
          yield* Effect.catch(fs.link(source, beside), () => fs.copyFile(source, beside)).pipe(
            Effect.andThen(fs.rename(beside, ofBest)),
            // renaming a name of a file to another of its names leaves both
            Effect.andThen(fs.remove(beside, { force: true })),
            Effect.mapError((error) => unwritable(ofBest, platformReason(error))),
          )
        }
        if (isRegular) {
          const olds = (yield* listed(folder)).filter((file) => file.step <= totalSteps).slice(keep)
          yield* remove(olds.map((file) => file.name))
        }
        const now = yield* Clock.currentTimeMillis
        writtenAt = now
        return { epoch, step, totalSteps, path: isRegular ? path : ofBest, best: isBest, seconds: (now - began) / 1000 }
      }, Effect.withSpan("effect-nn.checkpoint"))

      const take = (state: RunState, isBest: boolean, isRegular: boolean) =>
        Effect.gen(function* () {
          yield* state.current
          const captured = state.run.capture()
          if (captured === undefined) return undefined
          yield* state.run.flush
          const written = yield* writeNow(captured, state.run.identity, isBest, isRegular)
          yield* state.current
          if (isRegular) yield* state.run.noteCheckpoint(written.path)
          const told: Checkpoint = { _tag: "Checkpoint", ...written, state }
          return told
        })

      /** the last one of a run that ends in the middle of an epoch */
      const atTheEnd = (run: Run) =>
        Effect.gen(function* () {
          const [captured, state] = [run.capture(), run.latest()]
          // with an operator between that runs on its own, nobody knows what was seen: the last one stays
          if (captured === undefined || state === undefined || fiber !== run.fiber()) return
          if (captured.progress.totalSteps === last?.totalSteps || captured.progress.totalSteps === 0) return
          yield* run.flush
          const written = yield* writeNow(captured, run.identity, false, true)
          yield* options.onInterrupted?.({ _tag: "Checkpoint", ...written, state }) ?? Effect.void
        })

      const begin = Effect.fnUntraced(function* (event: Extract<TrainEvent, { readonly _tag: "Start" }>) {
        const [fs, paths] = [yield* FileSystem.FileSystem, yield* Path.Path]
        const { run } = event.state
        const { decodeKept, encodeKept } = yield* schemas
        const memory = yield* run.remember("checkpoint", () => ({ values: encodeKept(kept) }))
        yield* run.closeMemory
        kept = Option.getOrElse(decodeKept(memory?.values), () => kept)
        yield* Effect.mapError(makeFolder(folder), (error) => unwritable(folder, platformReason(error)))
        const from = event.resumed?.totalSteps ?? -1
        const files = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): ReadonlyArray<string> => [])
        foreign = (yield* listed(folder)).flatMap(({ name, step }) => (step > from ? [name] : []))
        if (event.resumed === undefined && files.includes(bestName)) foreign = [...foreign, bestName]
        // of a process that was killed while it wrote
        yield* remove(files.filter((name) => name.endsWith(partSuffix)))
        if (event.resumed !== undefined && paths.resolve(event.resumed.path, "..") === paths.resolve(folder)) {
          last = { totalSteps: event.resumed.totalSteps, name: paths.basename(event.resumed.path) }
        }
        writtenAt = yield* Clock.currentTimeMillis
        const context = yield* Effect.context<Device | FileSystem.FileSystem | Path.Path>()
        fiber = Fiber.getCurrent()
        yield* run.beforeRelease(() => Effect.provideContext(atTheEnd(run), context))
      })

      const note = (event: TrainEvent): void => {
        if (event._tag !== "EpochEnd" && event._tag !== "Evaluation") return
        const { _tag, epoch, totalSteps } = event
        const all = event._tag === "EpochEnd" ? { loss: event.loss, accuracy: event.accuracy } : event.metrics
        const figures = Object.fromEntries(
          Object.entries(all).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
        )
        kept = { ...kept, history: [...kept.history, { event: _tag, epoch, totalSteps, figures }] }
      }

      const after = Effect.fnUntraced(function* (event: TrainEvent) {
        fiber = Fiber.getCurrent()
        note(event)
        const isLast = event._tag === "EpochEnd" && event.epoch === event.epochs
        const isDue = isLast || due(event, yield* Clock.currentTimeMillis, writtenAt)
        const value = best === undefined ? undefined : yield* watchedValue("checkpoint", best.metric, event)
        const isBest = best !== undefined && value !== undefined && isBetter(value, kept.best, best.mode)
        if (isBest && value !== undefined) kept = { ...kept, best: value }
        if (!isDue && !isBest) return []
        const told = yield* take(event.state, isBest, isDue)
        return told === undefined ? [] : [told]
      })

      return self.pipe(
        Stream.rechunk(1),
        Stream.flatMap((event) => {
          const told = Stream.succeed<TrainEvent>(event)
          if (event._tag === "Start") return Stream.concat(Stream.fromEffectDrain(begin(event)), told)
          return Stream.concat(told, Stream.fromIterableEffect(after(event)))
        }),
      )
    })

const unwritable = (path: string, detail: string): CheckpointError =>
  new CheckpointError({ path, reason: { _tag: "Unwritable", detail } })
