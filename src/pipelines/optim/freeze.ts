import { dual } from "effect/Function"
import { matches, type Names, unmatched } from "./names.ts"
import { from, only, type Optimizer } from "./Optimizer.ts"

/**
 * Leaves parameters as they are: they are not updated, nothing is kept for them, and their gradients are not computed.
 * Running statistics of a frozen layer still move, as in PyTorch. PyTorch's `requires_grad_(False)`.
 *
 * Where it stands among other transformations does not matter. A run refuses names that mean no parameter.
 *
 * @example
 * Optim.adam().pipe(Optim.freeze("features"))
 */
export const freeze: {
  (names: Names): (self: Optimizer) => Optimizer
  (self: Optimizer, names: Names): Optimizer
} = dual(2, (self: Optimizer, names: Names): Optimizer => {
  const isFree = (name: string) => !matches(names, name)
  return from({
    ...self,
    trains: (name) => isFree(name) && self.trains(name),
    init: (params) => self.init(only(params, isFree)),
    update: (step) => {
      const [params, gradients] = [only(step.params, isFree), only(step.gradients, isFree)]
      const next = self.update({ ...step, params, gradients })
      return { params: { ...step.params, ...next.params }, slots: next.slots }
    },
    refusalFor: (all) => unmatched("freeze", names, all) ?? self.refusalFor?.(all.filter(isFree)),
  })
})
