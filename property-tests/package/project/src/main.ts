/** Runs the files of this project on one device, and says what came of it as one line of JSON. */
import { Data, Device, deviceLayer, deviceNames, Evaluate, Loss, Optim, Train } from "effect-nn"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { lenet } from "./lenet.js"
import { laws, lawsOfTheWrongOne } from "./ownOp.js"
import { ownLayer } from "./ownLayer.js"
import { ownLoop } from "./ownLoop.js"

declare const process: { readonly argv: ReadonlyArray<string> }

const handles = Effect.gen(function* () {
  return (yield* (yield* Device).live).handles
})

/** what is live after it succeeded, after it failed, and the most that was live after interruption at fifty moments */
const leaves = Effect.fnUntraced(function* <A, E, E2>(
  self: Effect.Effect<A, E, Device>,
  failing: Effect.Effect<unknown, E2, Device>,
) {
  const start = Date.now()
  const result = yield* self
  const took = Date.now() - start
  const succeeded = yield* handles
  const failed = Result.isFailure(yield* Effect.result(failing))
  const afterFailure = yield* handles
  let interrupted = 0
  for (let i = 0; i < 50; i++) {
    const fiber = yield* Effect.forkChild(self)
    if (i % 2 === 0) yield* Effect.sleep(Math.random() * took)
    else for (let n = Math.floor(Math.random() * 100); n > 0; n--) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    interrupted = Math.max(interrupted, yield* handles)
  }
  return { result, failed, live: { succeeded, failed: afterFailure, interrupted }, took }
})

const quiet = () => Effect.void
const stopAt = (last: number) => (step: number) => (step === last ? Effect.fail("stop") : Effect.void)

const twentySteps = Effect.gen(function* () {
  const { train, test } = yield* Data.synthetic({ seed: 1, train: 320, test: 64 })
  const events = yield* Train.fit({
    model: lenet,
    loss: Loss.crossEntropy(),
    optimizer: Optim.adam({ lr: 0.003 }),
    data: train.pipe(Data.shuffle, Data.batch(32)),
    epochs: 2,
    seed: 1,
  }).pipe(Train.evaluateEachEpoch(test, Evaluate.accuracy), Stream.runCollect)
  return events.flatMap((e) => (e._tag === "Step" ? [e.loss] : []))
})

const broken = Effect.forEach(lawsOfTheWrongOne, (law) =>
  Effect.map(Effect.result(law.check), (r) => (Result.isFailure(r) ? [r.failure.message] : [])),
)

const program = Effect.gen(function* () {
  const { info } = yield* Device
  const lenetLosses = yield* twentySteps
  const lenetLive = yield* handles
  const loop = yield* leaves(ownLoop(quiet), ownLoop(stopAt(7)))
  const layer = yield* leaves(ownLayer(quiet), ownLayer(stopAt(2)))
  const checked = Effect.forEach(laws, (law) => Effect.as(law.check, law.name))
  const op = yield* leaves(
    checked,
    Effect.forEach(lawsOfTheWrongOne, (law) => law.check),
  )
  const wrong = (yield* broken).flat()
  return { device: info.name, description: info.description, lenetLosses, lenetLive, loop, layer, op, wrong }
})

const name = deviceNames.find((n) => n === process.argv[2]) ?? "wasm"
Effect.runPromise(Effect.provide(program, deviceLayer(name))).then((outcome) => console.log(JSON.stringify(outcome)))
