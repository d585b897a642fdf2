import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import { TestClock, TestConsole } from "effect/testing"
import * as Train from "../../src/pipelines/Train.ts"

/** events of two epochs of three steps, without a run behind them */
const events = (tick: Effect.Effect<void>): Stream.Stream<Train.TrainEvent> => {
  // nothing that only shows a run asks for its state
  const state = {} as Train.RunState
  const rest = { epochs: 2, totalSteps: 0, loss: 0.5, accuracy: 0.75, seconds: 1, state }
  const ofEpoch = (epoch: number): ReadonlyArray<Train.TrainEvent> => [
    ...[1, 2, 3].map((step) => {
      const pace = { learningRate: 0.1, imagesPerSecond: 100, secondsLeft: 5 }
      return { _tag: "Step" as const, epoch, step, steps: 3, ...pace, ...rest }
    }),
    { _tag: "EpochEnd", epoch, ...rest },
    { _tag: "Evaluation", epoch, totalSteps: 0, data: "test", metrics: { accuracy: 0.5 }, seconds: 0.5, state },
  ]
  return Stream.fromIterable([1, 2].flatMap(ofEpoch)).pipe(
    Stream.rechunk(1),
    Stream.tap(() => tick),
  )
}

const terminal = (columns: number, shown: Array<string>) =>
  Terminal.make({
    columns: Effect.succeed(columns),
    rows: Effect.succeed(24),
    size: Effect.die("not asked"),
    readInput: Effect.die("not asked"),
    readLine: Effect.die("not asked"),
    display: (text) => Effect.sync(() => void shown.push(text)),
  })

const shownOn = (columns: number, tick: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const shown: Array<string> = []
    yield* Stream.runDrain(Train.progressBar(events(tick))).pipe(
      Effect.provideService(Terminal.Terminal, terminal(columns, shown)),
      Effect.provideService(TerminalCapabilities, { canAnimate: true, canColor: false, canPrompt: true }),
    )
    return { shown, lines: (yield* TestConsole.logLines).map(String) }
  })

const epochLines = [1, 2].map((n) => `epoch ${n}, loss 0.5000, train acc 0.750, test acc 0.500, time 1.5 sec`)

it.effect("on a terminal a line is drawn over, wiped, and the epoch's line stays", () =>
  Effect.gen(function* () {
    const { shown, lines } = yield* shownOn(80, TestClock.adjust("1 second"))
    assert.deepStrictEqual(lines, epochLines)
    const clear = "\r\u001b[2K"
    assert.isTrue(shown.every((text) => text.startsWith(clear)))
    // three drawings in each epoch, then wiped for the line that stays
    assert.deepStrictEqual(
      shown.map((text) => text.length > clear.length),
      [true, true, true, false, true, true, true, false],
    )
    assert.match(shown[0] ?? "", /epoch 1\/2 [█░]+ 1\/3 {2}loss 0\.5000 {2}acc 0\.750/)
    assert.isTrue(shown.every((text) => text.length - clear.length < 80))
  }),
)

it.effect("it is not drawn more than ten times a second, but for the last step", () =>
  Effect.gen(function* () {
    const { shown } = yield* shownOn(80, Effect.void)
    assert.strictEqual(shown.filter((text) => text.length > 10).length, 3)
  }),
)

it.effect("without columns there is no terminal", () =>
  Effect.gen(function* () {
    const { shown, lines } = yield* shownOn(0, Effect.void)
    assert.deepStrictEqual(shown, [])
    assert.strictEqual(lines.length, 2 * (3 + 1))
    assert.deepStrictEqual(
      lines.filter((line) => !line.includes("step")),
      epochLines,
    )
  }),
)
