/** What holds a run together: allocated once, and the one place that changes from step to step. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Device, type DeviceInfo } from "../../gpu/Device.ts"
import { parametersRefusal } from "../../models/StateDict.ts"
import * as HostTensor from "../../ops/HostTensor.ts"
import type * as Program from "../../ops/Program.ts"
import * as State from "../../ops/State.ts"
import type * as Tensor from "../../ops/Tensor.ts"
import type { ShapeMismatch } from "../../shapes/ShapeMismatch.ts"
import { show } from "../../shapes/Shape.ts"
import type { Batch, Batches } from "../data/batches.ts"
import type { DataError } from "../DataError.ts"
import { InvalidOption } from "../InvalidOption.ts"
import type { Loss } from "../Loss.ts"
import * as Optimizer from "../optim/Optimizer.ts"
import { version } from "../version.ts"
import { batchValues } from "./batchValues.ts"
import type { Checkpoint, CheckpointContents } from "./checkpointFile.ts"
import { memoriesOf, tensorName } from "./checkpointNames.ts"
import { CheckpointError } from "./CheckpointError.ts"
import { diagnose } from "./diagnose.ts"
import { difference, identify, type Identity } from "./Identity.ts"
import { type HostParameters, joined, type Model, refusalOf, split } from "./Model.ts"
import { stepDone } from "./metrics.ts"
import type { Memories, Memory, Progress } from "./Progress.ts"
import { averageOf, type Captured, type Run, type RunState, type TrainState } from "./RunState.ts"
import { type AuxiliaryWeights, compileStep, defaultAuxiliaryWeight } from "./stepProgram.ts"
import { type EpochEnd, NonFiniteLoss, type Start, type Step } from "./TrainEvent.ts"

export type FitError =
  | Tensor.GraphError
  | Program.RunError
  | DataError
  | NonFiniteLoss
  | InvalidOption
  | CheckpointError

/** the options once they are known to fit */
export interface Fitting {
  readonly model: Model
  readonly loss: Loss
  readonly optimizer: Optimizer.Optimizer
  readonly data: Batches<ReadonlyArray<number>>
  readonly epochs: number
  readonly seed: number
  readonly parameters: HostParameters
  readonly auxiliary?: AuxiliaryWeights | undefined
  readonly resume?: Checkpoint | undefined
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

/** what a run begins with on the device: that of its options, or of the checkpoint that it goes on from */
type HostState = {
  readonly params: HostParameters
  readonly buffers: HostParameters
  readonly slots: Optimizer.Slots<HostParameters>
}

/** the same arrays with the numbers of a checkpoint */
const restored = (
  fresh: HostState,
  { tensors }: CheckpointContents,
  path: string,
): Effect.Effect<HostState, CheckpointError> => {
  let wrong: CheckpointError | undefined
  const take = (all: HostParameters, ...at: ReadonlyArray<string>): HostParameters =>
    Object.fromEntries(
      Object.entries(all).map(([name, { shape, data }]) => {
        const key = tensorName([...at, name])
        const found = tensors[key]
        if (found === undefined || show(found.shape) !== show(shape)) {
          const was = found === undefined ? "missing" : show(found.shape)
          wrong ??= new CheckpointError({ path, reason: { _tag: "Mismatch", what: key, was, is: show(shape) } })
        }
        return [name, found ?? { shape, data }]
      }),
    )
  const state: HostState = {
    params: take(fresh.params, "params"),
    buffers: take(fresh.buffers, "buffers"),
    slots: Object.fromEntries(Object.entries(fresh.slots).map(([slot, all]) => [slot, take(all, "slots", slot)])),
  }
  return wrong === undefined ? Effect.succeed(state) : Effect.fail(wrong)
}

/** why a run that goes on may differ in some bits from one that was never interrupted */
const differencesOf = ({ header }: CheckpointContents, info: DeviceInfo): ReadonlyArray<string> => [
  ...(header.device.name === info.name
    ? []
    : [`it was written on the device ${header.device.name}, this is ${info.name}`]),
  ...(header.device.name !== info.name || header.device.backend === info.backend
    ? []
    : [`it was computed by ${header.device.backend} (multiply-adds fused or not), this is ${info.backend}`]),
  ...(header.library === version ? [] : [`it was written by effect-nn ${header.library}, this is ${version}`]),
]

const beginning: Progress = {
  epoch: 1,
  step: 0,
  totalSteps: 0,
  totals: { loss: 0, correct: 0, samples: 0, seconds: 0 },
  rateScale: 1,
  untold: null,
}

/** A run as `fit` drives it. */
export interface Driven {
  readonly start: Effect.Effect<Start>
  /** says what of a checkpoint no operator of this run remembers; after the start, of which all have heard by then */
  readonly dropped: Effect.Effect<void>
  /** where it begins, or goes on */
  readonly from: Progress
  /** the step that was done and not told when the checkpoint was written */
  readonly retell: Effect.Effect<Step>
  readonly begin: (epoch: number) => Effect.Effect<void>
  readonly step: (batch: Batch<ReadonlyArray<number>>) => Effect.Effect<Step, FitError>
  readonly endOf: Effect.Effect<EpochEnd>
}

export const makeRun = Effect.fnUntraced(function* (
  options: Fitting,
): Effect.fn.Return<Driven, FitError, Device | Scope.Scope> {
  yield* checkOptions(options)
  const { model, loss, optimizer, data, epochs, seed, resume, auxiliary = defaultAuxiliaryWeight } = options
  const device = yield* Device
  const contents = resume === undefined ? undefined : yield* resume.read
  const from = contents?.header.progress ?? beginning
  if (resume !== undefined && from.epoch > epochs) {
    const reason = { _tag: "Mismatch", what: "epoch", was: String(from.epoch), is: `at most ${epochs}` } as const
    return yield* new CheckpointError({ path: resume.path, reason })
  }
  const { params, buffers } = split(model, options.parameters)
  const fresh: HostState = { params, buffers, slots: Optimizer.init(optimizer, params) }
  // an identity that differs says more than a missing array does: it is asked for first, once the program is there
  const begun =
    contents === undefined || resume === undefined
      ? fresh
      : yield* Effect.orElseSucceed(restored(fresh, contents, resume.path), () => fresh)
  let live: TrainState = yield* State.make(begun)
  const program = yield* compileStep({ model, loss, auxiliary, optimizer, shape: data.shape, state: live })
  const identity = yield* Effect.cached(
    Effect.gen(function* () {
      const plan = yield* Effect.orDie(program.plan({ N: data.batchSize }))
      return yield* identify({ model, loss, optimizer, data, seed, plan })
    }),
  )
  if (contents !== undefined && resume !== undefined) {
    const was: Identity = contents.header.identity
    const is = yield* identity
    // another version may compute the same in another way
    const found = difference(was, contents.header.library === version ? is : { ...is, step: was.step })
    if (found !== undefined) {
      return yield* new CheckpointError({ path: resume.path, reason: { _tag: "Mismatch", ...found } })
    }
    yield* restored(fresh, contents, resume.path)
  }
  const differences = contents === undefined ? [] : differencesOf(contents, device.info)
  for (const sentence of differences) {
    yield* Effect.logWarning(`${resume?.path}: ${sentence}; the run goes on, but not bit for bit as it would have`)
  }

  // ---------- what changes from step to step

  let { epoch, step, totalSteps, rateScale, untold } = from
  const totals = { ...from.totals }
  /** the state of the device is that of the counters */
  let isSound = true
  /** steps of this process */
  let taken = 0
  /** the last checkpoint that was written, or that the run goes on from */
  let lastCheckpoint = resume?.path
  /** an operator has put other parameters in the place of the run's own */
  let isReplaced = false
  /** when the epoch began, less what it took before an interruption */
  let since = (yield* Clock.currentTimeMillis) - totals.seconds * 1000

  // what was remembered, and given back, when all had been told that there was: no event was on its way
  const remembered = contents === undefined ? {} : memoriesOf(contents)
  const keepers = new Map<string, () => Memory>()
  let isMemoryOpen = true
  let moment = 0
  let fiber: unknown
  let memories: Memories = remembered
  let quietRate = rateScale
  /** all that was told has been seen, by every operator: otherwise nobody would have asked for more */
  const quiet = () => {
    moment++
    fiber = Fiber.getCurrent()
    untold = null
    quietRate = rateScale
    memories = Object.fromEntries(Array.from(keepers, ([name, snapshot]) => [name, snapshot()]))
  }

  const finalizers: Array<(exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void, unknown>> = []
  const flushes: Array<Effect.Effect<void>> = []
  yield* Effect.addFinalizer((exit) =>
    Effect.forEach(finalizers.toReversed(), (f) => Effect.ignoreCause(f(exit)), { discard: true }),
  )

  const progressNow = (): Progress => ({
    epoch,
    step,
    totalSteps,
    totals: { ...totals },
    rateScale: quietRate,
    untold,
  })

  const run: Run = {
    model,
    seed,
    latest: () => (isSound ? stateNow() : undefined),
    epoch: () => epoch,
    learningRate: () => optimizer.learningRate(totalSteps + 1) * rateScale,
    rateScale: () => rateScale,
    setRateScale: (scale) => Effect.sync(() => void (rateScale = scale)),
    identity,
    replace: Effect.fnUntraced(function* (parameters) {
      const before = live
      yield* State.valid(before)
      isReplaced = true
      for (const { path, buffer } of before.leaves) {
        const [root, name = ""] = path
        const value = root === "params" || root === "buffers" ? parameters[name] : undefined
        if (value !== undefined) yield* device.write(buffer, value.data)
      }
      before["~validity"].current = "replaced"
      live = State.fromLeaves(before.leaves, before["~structure"])
      return stateNow()
    }, Effect.uninterruptible),
    remember: (name, snapshot) =>
      Effect.suspend(() => {
        if (!isMemoryOpen) {
          const sentence = `${name} stands after Train.checkpoint; put it before, so that a checkpoint holds what it remembers`
          return new InvalidOption({ sentence })
        }
        let own = name
        for (let n = 2; keepers.has(own); n++) own = `${name} ${n}`
        keepers.set(own, snapshot)
        return Effect.succeed(remembered[own])
      }),
    fiber: () => fiber,
    closeMemory: Effect.sync(() => void (isMemoryOpen = false)),
    beforeCheckpoint: (flush) => Effect.sync(() => void flushes.push(flush)),
    flush: Effect.suspend(() => Effect.all(flushes, { discard: true })),
    noteCheckpoint: (path) => Effect.sync(() => void (lastCheckpoint = path)),
    capture: () => {
      if (!isSound || isReplaced) return undefined
      const captured = live
      const at = moment
      const done = totalSteps
      const isCurrent = () => moment === at && totalSteps === done && live === captured && isSound
      return { live: captured, progress: progressNow(), memories, isCurrent } satisfies Captured
    },
    beforeRelease: (finalizer) => Effect.sync(() => void finalizers.push(finalizer)),
  }

  const stateOf = (now: TrainState, average: () => RunState | undefined): RunState => {
    const parameters = Effect.map(State.read(now), (numbers) => joined(model, numbers))
    const at = moment
    const current = Effect.suspend(() =>
      moment === at ? Effect.void : Effect.fail(new State.StaleState({ reason: "replaced" })),
    )
    return {
      live: now,
      totalSteps,
      run,
      average,
      current,
      parameters: Effect.provideService(parameters, Device, device),
    }
  }
  const stateNow = (): RunState => {
    const now = live
    const average = (): RunState | undefined => {
      const averaged = averageOf(now)
      return averaged === undefined ? undefined : stateOf(averaged, average)
    }
    return stateOf(now, average)
  }

  const told = (
    now: number,
    { loss, learningRate }: { readonly loss: number; readonly learningRate: number },
  ): Step => {
    totals.seconds = (now - since) / 1000
    const imagesPerSecond = totals.samples / Math.max(totals.seconds, 1e-3)
    const samplesLeft = (epochs - epoch + 1) * data.samples - totals.samples
    return {
      _tag: "Step",
      epoch,
      epochs,
      step,
      steps: data.steps,
      totalSteps,
      loss,
      accuracy: totals.correct / totals.samples,
      learningRate,
      imagesPerSecond,
      seconds: totals.seconds,
      secondsLeft: samplesLeft / imagesPerSecond,
      state: stateNow(),
    }
  }

  const takeStep = Effect.fnUntraced(function* (batch: Batch<ReadonlyArray<number>>) {
    quiet()
    const began = yield* Clock.currentTimeMillis
    const next = totalSteps + 1
    const scalars = optimizer.scalars(next, rateScale)
    const learningRate = optimizer.learningRate(next) * rateScale
    const values = { state: live, ...batchValues(batch), scalars, seed: HostTensor.seed(seed, next) }
    // an interruption must not come between the step and the handle that it returns
    const result = yield* Effect.uninterruptible(
      Effect.suspend(() => {
        isSound = false
        return Effect.map(program.run(values), (result) => {
          live = result.state
          totalSteps++
          step++
          taken++
          isSound = Number.isFinite(result.loss)
          untold = { loss: result.loss, learningRate }
          totals.loss += result.loss * batch.count
          totals.correct += result.correct
          totals.samples += batch.count
          return result
        })
      }),
    )
    if (!isSound) {
      const isFirst = taken === 1
      const given = { model, optimizer, state: live, batch, seed, step: totalSteps, isFirst }
      const origin = yield* Effect.provideService(diagnose(given), Device, device)
      return yield* new NonFiniteLoss({
        epoch,
        step,
        totalSteps,
        loss: result.loss,
        origin,
        checkpoint: lastCheckpoint,
      })
    }
    const now = yield* Clock.currentTimeMillis
    yield* stepDone({ loss: result.loss, learningRate, samples: batch.count, milliseconds: now - began })
    const event = told(now, { loss: result.loss, learningRate })
    // lets timers, signals and prefetching run; a device that computes without waiting would starve them
    yield* Effect.yieldNow
    return event
  })

  const endOf = Effect.map(Clock.currentTimeMillis, (now): EpochEnd => {
    quiet()
    totals.seconds = (now - since) / 1000
    return {
      _tag: "EpochEnd",
      epoch,
      epochs,
      totalSteps,
      loss: totals.loss / totals.samples,
      accuracy: totals.correct / totals.samples,
      seconds: totals.seconds,
      state: stateNow(),
    }
  })

  const begin = (which: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      // an epoch that was begun before goes on
      if (which === epoch) return void (since = now - totals.seconds * 1000)
      quiet()
      epoch = which
      step = 0
      Object.assign(totals, beginning.totals)
      since = now
    })

  const retell = Effect.map(Clock.currentTimeMillis, (now) => {
    const last = from.untold ?? { loss: Number.NaN, learningRate: Number.NaN }
    quiet()
    untold = last
    return told(now, last)
  })

  const start = Effect.sync((): Start => ({
    _tag: "Start",
    device: device.info,
    epochs,
    steps: data.steps,
    samples: data.samples,
    batchSize: data.batchSize,
    optimizer: optimizer.name,
    seed,
    ...(resume === undefined
      ? {}
      : {
          resumed: {
            path: resume.path,
            epoch,
            step,
            totalSteps,
            retold: from.untold !== null,
            differences,
          },
        }),
    state: stateNow(),
  }))

  const dropped = Effect.suspend(() =>
    Effect.forEach(
      Object.keys(remembered).filter((name) => name !== "checkpoint" && !keepers.has(name)),
      (name) =>
        Effect.logWarning(
          `${resume?.path} holds what ${name} remembers, and this run has no such operator: that is dropped; ` +
            `put Train.${name.replace(/ \d+$/, "")} before Train.checkpoint to keep it`,
        ),
      { discard: true },
    ),
  )

  return { start, dropped, from, retell, begin, step: takeStep, endOf }
})
