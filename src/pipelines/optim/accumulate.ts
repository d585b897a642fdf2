import { dual } from "effect/Function"
import * as Ops from "../../ops/Ops.ts"
import { fill } from "../../ops/Tensor.ts"
import { firstRefusal } from "../InvalidOption.ts"
import { from, named, only, type Optimizer } from "./Optimizer.ts"
import { countOf, extended, part, single } from "./scalars.ts"

const slot = "accumulated"

/**
 * Updates once every `batches` batches, with the mean of their gradients: each batch counts the same. A step of a run
 * is still one batch; the learning rate, its schedule and Adam's corrections count updates. Batches that are over at the
 * end of an epoch count for the next; those over at the end of the run are lost.
 *
 * @example
 * Optim.adam().pipe(Optim.clipNorm(1), Optim.accumulate(4))
 */
export const accumulate: {
  (batches: number): (self: Optimizer) => Optimizer
  (self: Optimizer, batches: number): Optimizer
} = dual(2, (self: Optimizer, batches: number): Optimizer => {
  const updates = (step: number) => Math.ceil(step / batches)
  const own = countOf(self)
  const isFirst = (step: number) => (step - 1) % batches === 0
  return from({
    ...self,
    ...extended(self, [(step) => (isFirst(step) ? 0 : 1), (step) => (step % batches === 0 ? 1 : 0)], updates),
    learningRate: (step) => self.learningRate(updates(step)),
    slots: [...self.slots, slot],
    init: (params) => {
      const zeros = Object.entries(only(params, self.trains)).map(([name, { shape, data }]) => {
        return [name, { shape, data: new Float32Array(data.length) }] as const
      })
      return { ...self.init(params), [slot]: Object.fromEntries(zeros) }
    },
    update: (step) => {
      const [goesOn, applies] = [single(step.scalars, own), single(step.scalars, own + 1)]
      const before = step.slots[slot] ?? {}
      const gradients = only(step.gradients, self.trains)
      // the sum itself is what is kept: it begins anew with the first batch, so that nothing needs to be cleared
      const sums = named(Object.keys(gradients), (name) => {
        const [g, sum] = [gradients[name] ?? goesOn, before[name] ?? goesOn]
        return Ops.add(g, Ops.where(goesOn, sum, 0))
      })
      const next = self.update({
        ...step,
        gradients: named(Object.keys(sums), (name) => Ops.mul(sums[name] ?? goesOn, fill(1 / batches))),
        scalars: part(step.scalars, 0, own),
        when: step.when === undefined ? applies : Ops.mul(applies, step.when),
      })
      const { when } = step
      const kept =
        when === undefined
          ? sums
          : named(Object.keys(sums), (name) => Ops.where(when, sums[name] ?? when, before[name] ?? when))
      return { params: next.params, slots: { ...next.slots, [slot]: kept } }
    },
    refusal:
      firstRefusal("accumulate", [
        [Number.isInteger(batches) && batches >= 1, `a whole number of batches of at least 1, not ${batches}`],
        [!self.slots.includes(slot), "to be given once"],
      ]) ?? self.refusal,
  })
})
