import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Optim from "../../src/pipelines/Optim.ts"
import { pytorch } from "./pytorch.ts"

const { chained, cosine, everyEpoch, exponential, linear, reduceOnPlateau, sequential, step } = Optim.schedule

/** whether the rate after each number of steps is that of the list */
const follows = (schedule: Optim.Schedule, lrs: ReadonlyArray<number>): boolean =>
  schedule.refusal === undefined && lrs.every((lr, t) => Math.abs(schedule(t + 1) - lr) <= 1e-6 * lr + 1e-12)
const byName = (name: string, options: object): Optim.Schedule => {
  // the options of a case are those of its schedule
  const table = Optim.schedules as Readonly<Record<string, unknown>>
  return (table[name] as (options: object) => Optim.Schedule)(options)
}

/** a schedule's name and options, or a composition of some and its milestones */
type Made = readonly [name: string, of: object | readonly [ReadonlyArray<Made>, ReadonlyArray<number>?]]
/** computed by scripts/referenceSchedules.py */
const more: {
  readonly lr: number
  readonly schedules: ReadonlyArray<{ readonly of: Made; readonly lrs: ReadonlyArray<number> }>
  readonly plateau: typeof pytorch.plateau
} = JSON.parse(readFileSync(join(import.meta.dirname, "pytorchSchedules.json"), "utf8"))
const built = ([name, of]: Made, lr: number): Optim.Schedule => {
  if (!Array.isArray(of)) return byName(name, { lr, ...of })
  // of schedules at once one has the rate
  const [parts, milestones]: readonly [ReadonlyArray<Made>, ReadonlyArray<number>?] = [of[0], of[1]]
  return name === "chained"
    ? chained(...parts.map((part, i) => built(part, i === 0 ? lr : 1)))
    : sequential(
        parts.map((part) => built(part, lr)),
        { milestones: milestones ?? [] },
      )
}

interface GoldenCase {
  readonly name: string
  readonly kind: string
  readonly schedule: string
  readonly attrs: object
  readonly lrs: ReadonlyArray<number>
}
const golden: ReadonlyArray<GoldenCase> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../conformance/golden/cases.json"), "utf8"),
).cases

describe("schedules", () => {
  it.each(pytorch.schedules.map((c, i) => [`${c.schedule} ${i}`, c] as const))("%s is PyTorch's", (_, c) =>
    assert.isTrue(follows(byName(c.schedule, c.options), c.lrs)),
  )

  it.each(more.schedules.map((c) => [JSON.stringify(c.of), c] as const))("%s is PyTorch's over 30 steps", (_, c) => {
    assert.strictEqual(c.lrs.length, 30)
    assert.isTrue(follows(built(c.of, more.lr), c.lrs))
  })

  it.each(golden.filter((c) => c.kind === "schedule").map((c) => [c.name, c] as const))("%s is the reference", (_, c) =>
    assert.isTrue(follows(byName(c.schedule, c.attrs), c.lrs)),
  )

  it("one after the other is PyTorch's SequentialLR", () =>
    assert.isTrue(
      follows(
        sequential(
          [
            linear({ lr: 0.1, startFactor: 0.1, totalIters: 4 }),
            cosine({ lr: 0.1, tMax: 6, etaMin: 0.01 }),
            exponential({ lr: 0.1, gamma: 0.5 }),
          ],
          { milestones: [4, 10] },
        ),
        pytorch.composed.sequential,
      ),
    ))

  it("several at once are PyTorch's ChainedScheduler", () =>
    assert.isTrue(
      follows(
        chained(
          linear({ lr: 0.1, startFactor: 0.1, totalIters: 4 }),
          exponential({ lr: 1, gamma: 0.9 }),
          step({ lr: 1, stepSize: 5, gamma: 0.5 }),
        ),
        pytorch.composed.chained,
      ),
    ))

  it("once an epoch", () => {
    const schedule = everyEpoch(exponential({ lr: 1, gamma: 0.5 }), 3)
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 6, 7].map((s) => schedule(s)),
      [1, 1, 1, 0.5, 0.5, 0.5, 0.25],
    )
  })

  it("one cycle stays at its last rate", () => {
    const schedule = Optim.schedule.oneCycle({ maxLr: 0.1, totalSteps: 8 })
    assert.closeTo(schedule(8), 4e-7, 1e-12)
    assert.strictEqual(schedule(100), schedule(8))
  })

  const plateaus = [pytorch.plateau, more.plateau].flatMap(({ metrics, cases }) =>
    cases.map((c) => [JSON.stringify(c.options), { ...c, metrics }] as const),
  )
  it.each(plateaus)("reduceOnPlateau %s is PyTorch's", (_, c) => {
    const plateau = reduceOnPlateau(c.options)
    let [state, lr] = [plateau.initial, 0.1]
    for (const [i, metric] of c.metrics.entries()) {
      const next = plateau.next(state, metric, lr)
      state = next.state
      lr = next.lr
      assert.closeTo(lr, c.lrs[i]!, 1e-9, `after ${i + 1} metrics`)
    }
  })

  it.each([
    [step({ lr: -1, stepSize: 3 }), "step needs lr of at least 0, not -1"],
    [step({ lr: 1, stepSize: 0 }), "step needs stepSize to be a whole number of at least 1, not 0"],
    [exponential({ lr: 1, gamma: NaN }), "exponential needs a finite gamma, not NaN"],
    [linear({ lr: 1, startFactor: 2 }), "linear needs startFactor from 0 to 1, not 2"],
    [chained(), "chained needs at least one schedule"],
    [chained(step({ lr: 1, stepSize: 0 })), "step needs stepSize to be a whole number of at least 1, not 0"],
    [
      sequential([exponential({ lr: 1, gamma: 1 })], { milestones: [3] }),
      "sequential needs one milestone fewer than its 1 schedules, not 1",
    ],
    [
      everyEpoch(exponential({ lr: 1, gamma: 1 }), 0),
      "everyEpoch needs the steps of an epoch to be a whole number of at least 1, not 0",
    ],
    [reduceOnPlateau({ factor: 1 }), "reduceOnPlateau needs factor above 0 and below 1, not 1"],
  ])("an option that cannot be meant is told: %#", ({ refusal }, says) => assert.strictEqual(refusal, says))
})
