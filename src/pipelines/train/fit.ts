/** Training as a stream of events: what observes a run is an operator on the stream, what changes a step is given here. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Device } from "../../gpu/Device.ts"
import * as HostTensor from "../../ops/HostTensor.ts"
import * as Ops from "../../ops/Ops.ts"
import * as Program from "../../ops/Program.ts"
import * as Random from "../../ops/random.ts"
import * as State from "../../ops/State.ts"
import * as Tensor from "../../ops/Tensor.ts"
import type { Shape } from "../../shapes/Shape.ts"
import type { ShapeMismatch } from "../../shapes/ShapeMismatch.ts"
import type { Batch, Batches } from "../data/batches.ts"
import { prefetch } from "../data/batches.ts"
import type { DataError } from "../DataError.ts"
import { InvalidOption } from "../InvalidOption.ts"
import type { Loss } from "../Loss.ts"
import * as Optimizer from "../optim/Optimizer.ts"
import { batchValues, countCorrect } from "./batchValues.ts"
import {
  forward,
  type HostParameters,
  init,
  joined,
  type Model,
  parametersRefusal,
  refusalOf,
  split,
  type Takes,
} from "./Model.ts"
import { averageOf, type Run, type RunState, type TrainState } from "./RunState.ts"
import { type EpochEnd, NonFiniteLoss, type Start, type Step, type TrainEvent } from "./TrainEvent.ts"

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
}

export type FitError = Tensor.GraphError | Program.RunError | DataError | NonFiniteLoss | InvalidOption

/** the options once they are known to fit */
interface Fitting {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer.Optimizer
  readonly data: Batches<ReadonlyArray<number>>
  readonly epochs: number
  readonly seed: number
  readonly parameters: HostParameters
}

const checkOptions = (options: Fitting): Effect.Effect<void, InvalidOption | ShapeMismatch> => {
  const { model, data, epochs, optimizer, seed } = options
  if (!Number.isInteger(epochs) || epochs < 1) {
    return new InvalidOption({ sentence: `epochs is ${epochs}, it must be a whole number of at least 1` })
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    return new InvalidOption({ sentence: `seed is ${seed}, it must be a whole number from 0 to 2^53 - 1` })
  }
  if (optimizer.refusal !== undefined) return new InvalidOption({ sentence: optimizer.refusal })
  const refused = refusalOf(model, data.shape, data.classes.length) ?? parametersRefusal(model, options.parameters)
  if (refused !== undefined) return refused
  const names = Object.keys(split(model, options.parameters).params)
  const sentence = optimizer.refusalFor?.(names)
  return sentence === undefined ? Effect.void : new InvalidOption({ sentence })
}

/** the whole step as one program: forward, loss, backward, update; only two numbers are read back */
const compileStep = (options: {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer.Optimizer
  readonly shape: ReadonlyArray<number>
  readonly state: TrainState
}) => {
  const { model, loss, optimizer, shape, state } = options
  const inputs = {
    state,
    images: Tensor.input("N", ...shape),
    labels: Tensor.labels("N"),
    scalars: optimizer.spec,
    seed: Tensor.input(Random.keyLimbs),
  }
  return Program.compile(
    inputs,
    ({ state, images, labels, scalars, seed }) => {
      const { logits, buffers } = forward(model, state, images, { training: true, seed })
      const mean = loss.mean(logits, labels)
      const gradients = Ops.grad(mean, state.params)
      const next = Optimizer.update(optimizer, { params: state.params, gradients, slots: state.slots, scalars })
      return { state: { ...next, buffers }, loss: mean, correct: countCorrect(logits, labels) }
    },
    { name: "train" },
  )
}

/** the key of a step's random numbers, as the program takes it */
const keyOf = (seed: number, step: number) => HostTensor.make([Random.keyLimbs], Random.key(seed, step))

interface Totals {
  loss: number
  correct: number
  samples: number
}

/** what holds a run together: allocated once, and the one place that changes from step to step */
const makeRun = Effect.fnUntraced(function* (options: Fitting): Effect.fn.Return<
  {
    readonly start: Effect.Effect<Start>
    readonly step: (
      batch: Batch<ReadonlyArray<number>>,
      at: { epoch: number; step: number; since: number; totals: Totals },
    ) => Effect.Effect<Step, FitError>
    readonly endOf: (epoch: number, since: number, totals: Totals) => Effect.Effect<EpochEnd>
    readonly begin: (epoch: number) => void
  },
  FitError,
  Device | Scope.Scope
> {
  yield* checkOptions(options)
  const { model, loss, optimizer, data, epochs, seed } = options
  const device = yield* Device
  const { params, buffers } = split(model, options.parameters)
  let live: TrainState = yield* State.make({ params, buffers, slots: Optimizer.init(optimizer, params) })
  const program = yield* compileStep({ model, loss, optimizer, shape: data.shape, state: live })
  let totalSteps = 0
  let currentEpoch = 1
  let isSound = true
  let rateScale = 1
  const finalizers: Array<(exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void, unknown>> = []
  yield* Effect.addFinalizer((exit) =>
    Effect.forEach(finalizers.toReversed(), (f) => Effect.ignoreCause(f(exit)), { discard: true }),
  )

  const run: Run = {
    model,
    seed,
    latest: () => (isSound ? stateNow() : undefined),
    epoch: () => currentEpoch,
    learningRate: () => optimizer.learningRate(totalSteps + 1) * rateScale,
    rateScale: () => rateScale,
    setRateScale: (scale) => Effect.sync(() => void (rateScale = scale)),
    beforeRelease: (finalizer) => Effect.sync(() => void finalizers.push(finalizer)),
  }
  const stateOf = (now: TrainState, average: () => RunState | undefined): RunState => {
    const parameters = Effect.map(State.read(now), (numbers) => joined(model, numbers))
    return { live: now, totalSteps, run, average, parameters: Effect.provideService(parameters, Device, device) }
  }
  const stateNow = (): RunState => {
    const now = live
    const average = (): RunState | undefined => {
      const averaged = averageOf(now)
      return averaged === undefined ? undefined : stateOf(averaged, average)
    }
    return stateOf(now, average)
  }

  const step = Effect.fnUntraced(function* (
    batch: Batch<ReadonlyArray<number>>,
    at: { epoch: number; step: number; since: number; totals: Totals },
  ) {
    const next = totalSteps + 1
    const scalars = optimizer.scalars(next, rateScale)
    const learningRate = optimizer.learningRate(next) * rateScale
    const values = { state: live, ...batchValues(batch), scalars, seed: keyOf(seed, next) }
    // an interruption must not come between the step and the handle that it returns
    const result = yield* Effect.uninterruptible(
      Effect.suspend(() => {
        isSound = false
        return Effect.map(program.run(values), (result) => {
          live = result.state
          totalSteps++
          isSound = Number.isFinite(result.loss)
          return result
        })
      }),
    )
    const { epoch, totals } = at
    if (!isSound) return yield* new NonFiniteLoss({ epoch, step: at.step, totalSteps, loss: result.loss })
    totals.loss += result.loss * batch.count
    totals.correct += result.correct
    totals.samples += batch.count
    const seconds = ((yield* Clock.currentTimeMillis) - at.since) / 1000
    const imagesPerSecond = totals.samples / Math.max(seconds, 1e-3)
    const samplesLeft = (epochs - epoch + 1) * data.samples - totals.samples
    const event: Step = {
      _tag: "Step",
      epoch,
      epochs,
      step: at.step,
      steps: data.steps,
      totalSteps,
      loss: result.loss,
      accuracy: totals.correct / totals.samples,
      learningRate,
      imagesPerSecond,
      seconds,
      secondsLeft: samplesLeft / imagesPerSecond,
      state: stateNow(),
    }
    // lets timers, signals and prefetching run; a device that computes without waiting would starve them
    yield* Effect.yieldNow
    return event
  })

  const endOf = (epoch: number, since: number, totals: Totals): Effect.Effect<EpochEnd> =>
    Effect.map(Clock.currentTimeMillis, (now) => ({
      _tag: "EpochEnd",
      epoch,
      epochs,
      totalSteps,
      loss: totals.loss / totals.samples,
      accuracy: totals.correct / totals.samples,
      seconds: (now - since) / 1000,
      state: stateNow(),
    }))

  const start = Effect.sync((): Start => ({
    _tag: "Start",
    device: device.info,
    epochs,
    steps: data.steps,
    samples: data.samples,
    batchSize: data.batchSize,
    optimizer: optimizer.name,
    seed,
    state: stateNow(),
  }))
  return { start, step, endOf, begin: (epoch) => void (currentEpoch = epoch) }
})

/** batches read ahead of the step that takes them */
const ahead = 1

/**
 * Trains a model: a stream of `Start`, then for each epoch its `Step`s and an `EpochEnd`. Nothing runs until the stream
 * does; a step is taken when its event is asked for; all memory is released with the stream, however it ends.
 *
 * One program does the whole step on the device. Two runs with the same options and seed on the same device give the
 * same parameters, bit for bit.
 *
 * Fails with `InvalidOption`, `ShapeMismatch` (the data do not fit the model), `DataError`, `DeviceError`,
 * `NonFiniteLoss`.
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
      const epochOf = (epoch: number): Stream.Stream<TrainEvent, FitError> =>
        Stream.unwrap(
          Effect.map(Clock.currentTimeMillis, (since): Stream.Stream<TrainEvent, FitError> => {
            run.begin(epoch)
            const totals: Totals = { loss: 0, correct: 0, samples: 0 }
            let step = 0
            return batches.epoch({ seed, epoch }).pipe(
              Stream.mapEffect((batch) => run.step(batch, { epoch, step: ++step, since, totals })),
              Stream.concat(Stream.fromEffect(run.endOf(epoch, since, totals))),
            )
          }),
        )
      return Stream.fromEffect(run.start).pipe(
        Stream.concat(Stream.range(1, options.epochs).pipe(Stream.rechunk(1), Stream.flatMap(epochOf))),
      )
    }),
  )
}
