import { dual } from "effect/Function"
import * as Ops from "../../ops/Ops.ts"
import { fill } from "../../ops/Tensor.ts"
import { firstRefusal } from "../InvalidOption.ts"
import { from, named, only, type Optimizer } from "./Optimizer.ts"
import { countOf, extended, part, single } from "./scalars.ts"

/** the slot that holds the average of each parameter */
export const averageSlot = "average"

/** Options of `average`. */
export interface AverageOptions {
  /** how much of the average stays at a step, or that for each step (counted from 1): 0.999 unless told */
  readonly decay?: number | ((step: number) => number)
}

/**
 * Keeps a moving average of the parameters beside them: `a ← δa + (1 − δ)p` after each step, and `a ← p` at the first.
 * Training goes on with the parameters; `Train.evaluateEachEpoch` and `Train.save` take the average where they are told
 * `weights: "average"`. Running statistics are not averaged. PyTorch's `AveragedModel` with an exponential average;
 * `decay: (step) => 1 - 1 / step` gives its mean of all steps.
 *
 * @example
 * Optim.adam().pipe(Optim.average({ decay: 0.99 }))
 */
export const average: {
  (options?: AverageOptions): (self: Optimizer) => Optimizer
  (self: Optimizer, options?: AverageOptions): Optimizer
} = dual(
  (args) => typeof args[0] === "object" && "_tag" in args[0],
  (self: Optimizer, { decay = 0.999 }: AverageOptions = {}): Optimizer => {
    const decayAt = typeof decay === "function" ? decay : (step: number) => (step === 1 ? 0 : decay)
    const own = countOf(self)
    return from({
      ...self,
      ...extended(self, [decayAt, (step) => 1 - decayAt(step)]),
      slots: [...self.slots, averageSlot],
      init: (params) => {
        const copies = Object.entries(only(params, self.trains)).map(([name, { shape, data }]) => {
          return [name, { shape, data: Float32Array.from(data) }] as const
        })
        return { ...self.init(params), [averageSlot]: Object.fromEntries(copies) }
      },
      update: (step) => {
        const [stays, comes] = [single(step.scalars, own), single(step.scalars, own + 1)]
        const next = self.update({ ...step, scalars: part(step.scalars, 0, own) })
        const { when } = step
        const averages = named(Object.keys(only(step.params, self.trains)), (name) => {
          const before = step.slots[averageSlot]?.[name] ?? fill(0)
          const after = Ops.add(Ops.mul(before, stays), Ops.mul(next.params[name] ?? fill(0), comes))
          return when === undefined ? after : Ops.where(when, after, before)
        })
        return { params: next.params, slots: { ...next.slots, [averageSlot]: averages } }
      },
      refusal:
        firstRefusal("average", [
          [typeof decay === "function" || (decay >= 0 && decay <= 1), `decay from 0 to 1, not ${String(decay)}`],
          [!self.slots.includes(averageSlot), "to be given once"],
        ]) ?? self.refusal,
    })
  },
)
