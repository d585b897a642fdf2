/** Schedules by the names of reference cases, and their cases. */
import * as Optim from "../../src/pipelines/Optim.ts"
import { bool, float, type Given, int, ints, type Kinds, oneOf, understood } from "./attributes.ts"
import type { ScheduleCase } from "./Cases.ts"
import { difference, notSupported, type Verdict, verdict } from "./Verdict.ts"

interface Entry {
  readonly kinds: Kinds
  readonly make: (attributes: Given<Kinds>) => Optim.Schedule
}

/** a schedule and what it takes; a case whose required attributes are missing is refused by the schedule */
const entry = (name: Optim.ScheduleName, kinds: Kinds): Entry => ({
  kinds: { lr: float, ...kinds },
  // `runSchedule` calls it only with attributes of these kinds
  make: Optim.schedules[name] as Entry["make"],
})

const table: Readonly<Record<Optim.ScheduleName, Entry>> = {
  constant: entry("constant", { factor: float, totalIters: int }),
  cosine: entry("cosine", { tMax: int, etaMin: float }),
  cosineRestarts: entry("cosineRestarts", { t0: int, tMult: int, etaMin: float }),
  exponential: entry("exponential", { gamma: float }),
  linear: entry("linear", { startFactor: float, endFactor: float, totalIters: int }),
  multiStep: entry("multiStep", { milestones: ints, gamma: float }),
  oneCycle: entry("oneCycle", {
    maxLr: float,
    totalSteps: int,
    pctStart: float,
    annealStrategy: oneOf("cos", "linear"),
    divFactor: float,
    finalDivFactor: float,
    threePhase: bool,
  }),
  polynomial: entry("polynomial", { totalIters: int, power: float }),
  step: entry("step", { stepSize: int, gamma: float }),
}

/** PyTorch's own names where ours are shorter */
const alias: Readonly<Record<string, Optim.ScheduleName>> = {
  cosineAnnealing: "cosine",
  cosineAnnealingWarmRestarts: "cosineRestarts",
  cosineWarmRestarts: "cosineRestarts",
}

/** Runs one case: the rate at each step, compared. */
export const runSchedule = (c: ScheduleCase): Verdict => {
  const plain = c.schedule.replace(/LR$/, "")
  const name = Object.hasOwn(alias, plain) ? alias[plain] : plain
  const found = Object.hasOwn(table, name ?? "") ? table[name as Optim.ScheduleName] : undefined
  if (found === undefined) return notSupported(`the schedule ${c.schedule}`)
  const given = understood(found.kinds, c.attrs)
  if ("unknown" in given) return notSupported(given.unknown)
  const schedule = found.make(given.given)
  if (schedule.refusal !== undefined) return notSupported(schedule.refusal)
  const shape = [c.lrs.length]
  const rates = c.lrs.map((_, done) => schedule(done + 1))
  const host = (data: ReadonlyArray<number>) => ({ shape, data: Float32Array.from(data) })
  return verdict([difference("lrs", host(rates), host(c.lrs), c.tol)])
}
