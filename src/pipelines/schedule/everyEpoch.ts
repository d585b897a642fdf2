import { dual } from "effect/Function"
import { firstRefusal } from "../InvalidOption.ts"
import { count, type Schedule, withRefusal } from "./make.ts"

/**
 * A schedule that goes on once an epoch, as PyTorch's examples do: all `steps` steps of an epoch have the same rate.
 *
 * @example
 * Optim.schedule.everyEpoch(Optim.schedule.step({ lr: 0.1, stepSize: 30 }), data.steps)
 */
export const everyEpoch: {
  (steps: number): (self: Schedule) => Schedule
  (self: Schedule, steps: number): Schedule
} = dual(2, (self: Schedule, steps: number): Schedule =>
  withRefusal(self.refusal ?? firstRefusal("everyEpoch", [count("the steps of an epoch", steps)]), (step) =>
    self(1 + Math.floor((step - 1) / steps)),
  ),
)
