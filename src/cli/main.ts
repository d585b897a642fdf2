/** The command line: its commands, and one sentence for whatever goes wrong. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import { devicesCommand } from "./devicesCommand.ts"
import { evaluateCommand } from "./evaluateCommand.ts"
import { predictCommand } from "./predictCommand.ts"
import { reportCommand } from "./reportCommand.ts"
import { summaryCommand } from "./summaryCommand.ts"
import { trainCommand } from "./trainCommand.ts"

const root = Command.make("effect-nn").pipe(
  Command.withDescription("Train and evaluate neural networks"),
  Command.withSubcommands([
    trainCommand,
    evaluateCommand,
    predictCommand,
    reportCommand,
    summaryCommand,
    devicesCommand,
  ]),
)

const meant = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`

/** what is wrong with a command line, in one sentence */
const sentence = (error: CliError.NonShowHelpErrors): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `there is no flag ${error.option}${meant(error.suggestions)}`
    case "UnknownSubcommand":
      return `there is no command ${error.subcommand}${meant(error.suggestions)}`
    case "UnexpectedArgument":
      return `${error.arguments.join(" ")} stands alone: everything is named by a flag, as in --model lenet`
    case "InvalidValue":
      return error.value === ""
        ? `--${error.option} needs a value: ${expectation(error.expected)}`
        : `--${error.option} is ${error.value}, it must be ${expectation(error.expected)}`
    default:
      return error.message
  }
}
/** effect's words for what a flag takes, in ours: a list of names, a number */
const expectation = (text: string): string => {
  const expected = text.replace(/^Expected:?\s*/, "")
  if (expected.includes('" | "')) return `one of ${expected.replaceAll('"', "").split(" | ").join(", ")}`
  return expected.replace("a string representing a finite number", "a number")
}

/** prints as usual, but for a command line that is wrong: that is told with every other failure, below */
const presenter: CliOutput.Presenter = {
  present: (event) => (event._tag === "InvalidInvocation" ? Effect.void : CliOutput.defaultPresenter.present(event)),
}

const say = (text: string) => Console.error(`effect-nn: ${text.replaceAll(/\s*\n\s*/g, " ").trim()}`)

/** a failure that has been told: what runs the program ends with exit code 1 and says no more */
const isTold = (failure: unknown): boolean =>
  CliError.isCliError(failure) && failure._tag === "ShowHelp" && failure.errors.length === 0

/** what is said of an ending that is no success: a sentence for a failure, all that is known for a defect */
const tell = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const failure = cause.reasons.find(Cause.isFailReason)?.error
  if (failure === undefined) return say(`this is a mistake in effect-nn, please report it: ${Cause.pretty(cause)}`)
  if (isTold(failure)) return Effect.void
  if (CliError.isCliError(failure) && failure._tag === "ShowHelp") {
    const [first] = failure.errors
    const help = `${failure.commandPath.join(" ")} --help`
    return first === undefined ? Effect.void : say(`${sentence(first)} (${help} lists what there is)`)
  }
  return say(failure instanceof Error ? failure.message : String(failure))
}

/** Runs the command line `args`; fails, having said why, where it could not be done. */
export const main = (args: ReadonlyArray<string>, version: string) =>
  Command.runWith(root, { version })(args).pipe(
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.tapCause(tell),
  )
