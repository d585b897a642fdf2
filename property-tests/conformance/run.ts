/** Runs reference cases on the device that is there, in Node and in a page alike. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Device } from "../../src/gpu/Device.ts"
import type { Case, Cases } from "./Cases.ts"
import { runModel, runTraining, type Size } from "./models.ts"
import { runOp } from "./ops.ts"
import { runOptimizer } from "./optimizers.ts"
import { runSchedule } from "./schedules.ts"
import { failed, notSupported, type Verdict } from "./Verdict.ts"

/** what came of one case, as a page reports it too */
export interface Report {
  readonly name: string
  readonly verdict: Verdict
  readonly milliseconds: number
}

const runCase = (c: Case, cases: Cases, size: Size): Effect.Effect<Verdict, never, Device> => {
  const run = () => {
    switch (c.kind) {
      case "op":
        return runOp(c, cases)
      case "optimizer":
        return runOptimizer(c, cases)
      case "schedule":
        return Effect.succeed(runSchedule(c))
      case "model":
        return runModel(c, cases, size)
      case "training":
        return runTraining(c, size)
      default:
        // a folder may hold what this runner does not know of
        return Effect.succeed(notSupported(`cases of the kind ${String((c as { readonly kind?: unknown }).kind)}`))
    }
  }
  return Effect.suspend((): Effect.Effect<Verdict, unknown, Device> => Effect.scoped(run())).pipe(
    // an op that refuses, a device that fails, a tensor that the folder lacks: the case did not agree
    Effect.catchCause((cause) => Effect.succeed(failed(reason(cause)))),
  )
}

const reason = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")
}

/**
 * Runs the cases whose names contain `only` (all when absent), one after the other, and tells of each. Where computing
 * is slow, those of large models are not run unless `large` says so.
 */
export const runCases = (
  cases: Cases,
  onReport: (report: Report) => void,
  { only = "", large = false }: { readonly only?: string; readonly large?: boolean } = {},
): Effect.Effect<void, never, Device> =>
  Effect.forEach(
    cases.cases.filter((c) => c.name.includes(only)),
    (c) =>
      Effect.gen(function* () {
        const start = yield* Clock.currentTimeMillis
        const verdict = yield* runCase(c, cases, { large })
        onReport({ name: c.name, verdict, milliseconds: (yield* Clock.currentTimeMillis) - start })
        yield* Effect.yieldNow
      }),
    { discard: true },
  )
