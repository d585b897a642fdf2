import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import type { DeviceError } from "../../gpu/Device.ts"
import type { StaleState } from "../../ops/State.ts"
import type { InvalidOption } from "../InvalidOption.ts"
import * as Safetensors from "../Safetensors.ts"
import { isCheckpoint, modelTensors } from "./checkpointNames.ts"
import type { HostParameters } from "./Model.ts"
import { type RunState, type Weights, withWeights } from "./RunState.ts"
import type { Saved, TrainEvent } from "./TrainEvent.ts"

/** parameters as the tensors of a file; what holds whole numbers in PyTorch is written as such */
const tensorsOf = (parameters: HostParameters): ReadonlyArray<readonly [string, Safetensors.Tensor]> =>
  Object.entries(parameters).map(([name, { shape, data }]): readonly [string, Safetensors.Tensor] => {
    const sizes = shape.map(Number)
    return name.endsWith("num_batches_tracked")
      ? [name, { dtype: "I64", shape: sizes, data: BigInt64Array.from(data, (x) => BigInt(Math.round(x))) }]
      : [name, { dtype: "F32", shape: sizes, data }]
  })

const writeState = Effect.fnUntraced(function* (
  path: string,
  epoch: number,
  state: RunState,
  { metadata: extra = {}, weights = "current" }: SaveOptions,
) {
  const { run, totalSteps } = state
  const metadata = {
    format: "pt",
    ...extra,
    epoch: String(epoch),
    steps: String(totalSteps),
    seed: String(run.seed),
  }
  yield* Safetensors.write(path, tensorsOf(yield* (yield* withWeights(state, weights)).parameters), metadata)
  const saved: Saved = { _tag: "Saved", epoch, totalSteps, path, state }
  return saved
})

/** What `save` can be told beside the path. */
export interface SaveOptions {
  /** texts for the file's header, beside epoch, steps and seed */
  readonly metadata?: Readonly<Record<string, string>>
  /** the parameters as they are, or the average that `Optim.average` keeps: `"current"` unless told */
  readonly weights?: Weights
  /** told of a file that was written because the run ended in the middle of an epoch: no event can tell of it */
  readonly onInterrupted?: (saved: Saved) => Effect.Effect<void>
}

/**
 * Writes the parameters to a safetensors file after each epoch, a `Saved` event following, and once more when an operator
 * before this one stops the run, or when it ends in the middle of an epoch: on interruption, when the stream is cut, on
 * a failure that left the parameters sound.
 *
 * The file is replaced whole or not at all. Fails with `SafetensorsError` where it cannot be written, and with
 * `StaleState` where an operator before this one buffers, and with `InvalidOption` where an average is to be written that
 * the optimiser does not keep.
 */
export const save =
  (path: string, options: SaveOptions = {}) =>
  <E, R>(
    self: Stream.Stream<TrainEvent, E, R>,
  ): Stream.Stream<
    TrainEvent,
    E | Safetensors.SafetensorsError | StaleState | DeviceError | InvalidOption,
    R | FileSystem.FileSystem | Path.Path
  > =>
    Stream.suspend(() => {
      let savedSteps = 0
      const last = (run: RunState["run"]) =>
        Effect.gen(function* () {
          const state = run.latest()
          if (state === undefined || state.totalSteps === savedSteps) return
          const saved = yield* writeState(path, run.epoch(), state, options)
          yield* options.onInterrupted?.(saved) ?? Effect.void
        })
      return self.pipe(
        Stream.rechunk(1),
        Stream.flatMap((event) => {
          const told = Stream.succeed<TrainEvent>(event)
          if (event._tag === "Start") {
            const { run } = event.state
            const register = Effect.flatMap(Effect.context<FileSystem.FileSystem | Path.Path>(), (context) =>
              run.beforeRelease(() => Effect.provideContext(last(run), context)),
            )
            return Stream.concat(Stream.fromEffectDrain(register), told)
          }
          if (event._tag !== "EpochEnd" && event._tag !== "Stopped") return told
          const saving = Effect.tap(writeState(path, event.epoch, event.state, options), ({ totalSteps }) =>
            Effect.sync(() => void (savedSteps = totalSteps)),
          )
          return Stream.concat(told, Stream.fromEffect(saving))
        }),
      )
    })

/**
 * The parameters of a safetensors file, by their names in the state_dict; of a checkpoint those of the model. Fails with
 * `SafetensorsError`.
 *
 * @example
 * const parameters = yield* Train.load("runs/lenet/model.safetensors")
 */
export const load = Effect.fnUntraced(function* (path: string) {
  const { tensors: all, metadata } = yield* Safetensors.read(path)
  const tensors = isCheckpoint(metadata) ? modelTensors(all) : all
  const parameters: HostParameters = Object.fromEntries(
    Array.from(tensors, ([name, tensor]) => [name, { shape: tensor.shape, data: Safetensors.toFloat32(tensor) }]),
  )
  return { parameters, metadata }
})
