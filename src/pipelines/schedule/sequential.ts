import { firstRefusal } from "../InvalidOption.ts"
import { type Schedule, withRefusal } from "./make.ts"

/**
 * One schedule after the other: the next begins, with its own first rate, when as many steps are done as its milestone
 * says. There is one milestone fewer than schedules. PyTorch's `SequentialLR`.
 *
 * @example
 * const { cosine, linear, sequential } = Optim.schedule
 * sequential([linear({ lr: 0.1, totalIters: 500 }), cosine({ lr: 0.1, tMax: 9500 })], { milestones: [500] })
 */
export const sequential = (
  schedules: ReadonlyArray<Schedule>,
  { milestones }: { readonly milestones: ReadonlyArray<number> },
): Schedule => {
  const rises = milestones.every((m, i) => Number.isInteger(m) && m > (milestones[i - 1] ?? 0))
  return withRefusal(
    firstRefusal("sequential", [
      [schedules.length > 0, "at least one schedule"],
      [
        milestones.length === schedules.length - 1,
        `one milestone fewer than its ${schedules.length} schedules, not ${milestones.length}`,
      ],
      [rises, `milestones that rise, whole and above 0, not ${milestones.join(", ")}`],
    ]) ?? schedules.find((s) => s.refusal)?.refusal,
    (step) => {
      const reached = milestones.filter((m) => m <= step - 1)
      return schedules[reached.length]?.(step - (reached.at(-1) ?? 0)) ?? Number.NaN
    },
  )
}
