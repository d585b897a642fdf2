/** What a person sees of a run while it goes on. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ProgressLine from "../ProgressLine.ts"
import { epochLine, type TrainEvent } from "./TrainEvent.ts"

/** milliseconds between two drawings of the bar */
const drawEvery = 100

const clear = "\r\u001b[2K"

/** whole lines through the console, and the bar that is drawn over where there is a terminal */
const makeScreen = Effect.gen(function* () {
  // they bring in Effect's Schema and Config, which a program without a bar need not load
  const [Terminal, { TerminalCapabilities }] = yield* Effect.promise(() =>
    Promise.all([import("effect/Terminal"), import("effect/cli/TerminalCapabilities")]),
  )
  const terminal = Option.getOrUndefined(yield* Effect.serviceOption(Terminal.Terminal))
  const { canAnimate } = yield* TerminalCapabilities
  const animated = terminal !== undefined && canAnimate && (yield* terminal.columns) > 0 ? terminal : undefined
  let drawnAt = -Infinity
  let isDrawn = false
  // a terminal that is gone is no reason to end a run
  const display = (text: string) => (animated === undefined ? Effect.void : Effect.ignore(animated.display(text)))
  const wipe = Effect.suspend(() => {
    if (!isDrawn) return Effect.void
    isDrawn = false
    return display(clear)
  })
  const line = (text: string) => Effect.andThen(wipe, Console.log(text))
  const progress = Effect.fnUntraced(function* (now: ProgressLine.Progress) {
    if (animated === undefined) {
      if (ProgressLine.isMilestone(now)) yield* Console.log(ProgressLine.plain(now))
      return
    }
    const time = yield* Clock.currentTimeMillis
    if (time - drawnAt < drawEvery && now.step < now.steps) return
    drawnAt = time
    isDrawn = true
    yield* display(clear + ProgressLine.render(now, (yield* animated.columns) - 1))
  })
  return { wipe, line, progress }
})

/**
 * Shows a run: a line that is drawn over while an epoch goes on, and one that stays after it, with the test accuracy
 * where the run is evaluated. Without a terminal, plain lines at each quarter of an epoch. The events pass unchanged.
 *
 * Put it after `evaluateEachEpoch`, so that it sees the evaluations.
 */
export const progressBar = <E, R>(self: Stream.Stream<TrainEvent, E, R>): Stream.Stream<TrainEvent, E, R> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const screen = yield* makeScreen
      yield* Effect.addFinalizer(() => screen.wipe)
      let ended: Extract<TrainEvent, { readonly _tag: "EpochEnd" }> | undefined
      const flush = Effect.suspend(() => {
        const end = ended
        ended = undefined
        return end === undefined ? Effect.void : screen.line(epochLine(end))
      })
      const show = (event: TrainEvent): Effect.Effect<void> => {
        switch (event._tag) {
          case "Step":
            return Effect.andThen(flush, screen.progress(event))
          case "EpochEnd":
            // its line waits for an evaluation: that is the next event, where there is one
            ended = event
            return Effect.void
          case "Evaluation": {
            const end = ended
            ended = undefined
            return end === undefined ? Effect.void : screen.line(epochLine(end, event))
          }
          case "Stopped":
            return Effect.andThen(flush, screen.line(`stopped: ${event.reason}`))
          default:
            return Effect.void
        }
      }
      return self.pipe(Stream.tap(show), Stream.ensuring(flush))
    }),
  )
