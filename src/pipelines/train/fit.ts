/** Training as a stream of events: what observes a run is an operator on the stream, what changes a step is given here. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Device } from "../../gpu/Device.ts"
import type { Shape } from "../../shapes/Shape.ts"
import type { Batches } from "../data/batches.ts"
import { prefetch } from "../data/batches.ts"
import type { Loss } from "../Loss.ts"
import type * as Optimizer from "../optim/Optimizer.ts"
import type { Checkpoint } from "./checkpointFile.ts"
import { type FitError, makeRun } from "./makeRun.ts"
import { type HostParameters, init, type Model, type Takes } from "./Model.ts"
import type { AuxiliaryWeights } from "./stepProgram.ts"
import type { TrainEvent } from "./TrainEvent.ts"

/** What a run is made of. */
export interface FitOptions<In extends Shape, S extends ReadonlyArray<number>> {
  readonly model: Model<In>
  readonly loss: Loss
  readonly optimizer: Optimizer.Optimizer
  /** batches of what the model takes: others do not compile */
  readonly data: Takes<In, S, Batches<S>>
  readonly epochs: number
  /** decides the initial parameters, the order of the data and every other random choice; 0 unless told */
  readonly seed?: number
  /** the parameters to begin with, by their names in the state_dict; those of the seed unless told */
  readonly parameters?: HostParameters
  /** what the losses of the model's auxiliary heads count, if it has any: 0.3 each unless told, as in GoogLeNet's paper */
  readonly auxiliary?: AuxiliaryWeights
  /** a checkpoint of the same run to go on from, as `Train.resume` finds it; the run begins anew when absent */
  readonly resume?: Checkpoint | undefined
}

/** batches read ahead of the step that takes them */
const ahead = 1

/**
 * Trains a model: a stream of `Start`, then for each epoch its `Step`s and an `EpochEnd`. Nothing runs until the stream
 * does; a step is taken when its event is asked for; all memory is released with the stream, however it ends.
 *
 * One program does the whole step on the device. Two runs with the same options and seed on the same device give the
 * same parameters, bit for bit; so does one that was interrupted and goes on from a checkpoint.
 *
 * Fails with `InvalidOption`, `ShapeMismatch` (the data do not fit the model), `DataError`, `DeviceError`,
 * `NonFiniteLoss`, and with `CheckpointError` where `resume` is of another run.
 *
 * @example
 * Train.fit({
 *   model: Models.lenet(), loss: Loss.crossEntropy(), optimizer: Optim.adam(),
 *   data: mnist.train.pipe(Data.shuffle, Data.batch(64)), epochs: 2, seed: 1,
 * }).pipe(Train.evaluateEachEpoch(mnist.test, Evaluate.accuracy), Train.progressBar, Stream.runDrain)
 */
export const fit = <const In extends Shape, const S extends ReadonlyArray<number>>(
  options: FitOptions<In, S>,
): Stream.Stream<TrainEvent, FitError, Device> => {
  const { model, seed = 0 } = options
  // `data` are batches wherever the call compiles
  const data = options.data as Batches<S>
  const parameters = options.parameters ?? init(model, seed)
  return Stream.unwrap(
    Effect.map(makeRun({ ...options, data, seed, parameters }), (run) => {
      const batches = prefetch(data, ahead)
      const epochOf = (epoch: number): Stream.Stream<TrainEvent, FitError> => {
        const done = epoch === run.from.epoch ? run.from.step : 0
        return Stream.fromEffectDrain(run.begin(epoch)).pipe(
          Stream.concat(batches.epoch({ seed, epoch }, done).pipe(Stream.mapEffect(run.step))),
          Stream.concat(Stream.fromEffect(run.endOf)),
          Stream.withSpan("effect-nn.epoch", { attributes: { epoch } }),
        )
      }
      const retold = run.from.untold === null ? Stream.empty : Stream.fromEffect(run.retell)
      return Stream.fromEffect(run.start).pipe(
        Stream.concat(Stream.fromEffectDrain(run.dropped)),
        Stream.concat(retold),
        Stream.concat(Stream.range(run.from.epoch, options.epochs).pipe(Stream.rechunk(1), Stream.flatMap(epochOf))),
      )
    }),
  )
}
