import { dual } from "effect/Function"
import { input } from "../../ops/Tensor.ts"
import { matches, type Names, unmatched } from "./names.ts"
import { from, type Named, only, type Optimizer, type Slots } from "./Optimizer.ts"
import { countOf, part } from "./scalars.ts"

/** Parameters by name, and the optimiser that they have. */
export type Group = readonly [names: Names, optimizer: Optimizer]

/** what each optimiser keeps, together: no parameter has two */
const joined = <A>(all: ReadonlyArray<Slots<Named<A>>>): Slots<Named<A>> => {
  const slots: Record<string, Named<A>> = {}
  for (const one of all) for (const [slot, kept] of Object.entries(one)) slots[slot] = { ...slots[slot], ...kept }
  return slots
}

/**
 * Gives some parameters an optimiser of their own, with its own rate, decay and slots: each parameter has that of the
 * first group that means it, and the others the one that is piped. Events tell the learning rate of the latter.
 * PyTorch's parameter groups.
 *
 * A run refuses names that mean no parameter.
 *
 * @example
 * // no decay for biases and norms
 * Optim.adamw({ lr }).pipe(Optim.groups([[[/bias$/, /norm/], Optim.adamw({ lr, weightDecay: 0 })]]))
 */
export const groups: {
  (groups: ReadonlyArray<Group>): (self: Optimizer) => Optimizer
  (self: Optimizer, groups: ReadonlyArray<Group>): Optimizer
} = dual(2, (self: Optimizer, groups: ReadonlyArray<Group>): Optimizer => {
  const optimizers = [...groups.map(([, optimizer]) => optimizer), self]
  const groupOf = (name: string): number => {
    const found = groups.findIndex(([names]) => matches(names, name))
    return found < 0 ? groups.length : found
  }
  const isOf = (group: number) => (name: string) => groupOf(name) === group
  const starts = optimizers.map((_, i) => optimizers.slice(0, i).reduce((n, o) => n + countOf(o), 0))
  const length = optimizers.reduce((n, o) => n + countOf(o), 0)
  return from({
    name: self.name,
    learningRate: self.learningRate,
    slots: [...new Set(optimizers.flatMap((o) => o.slots))],
    spec: input(length),
    scalars: (step, rateScale) => ({
      shape: [length],
      data: Float32Array.from(optimizers.flatMap((o) => [...o.scalars(step, rateScale).data])),
    }),
    trains: (name) => optimizers[groupOf(name)]?.trains(name) ?? false,
    init: (params) => joined(optimizers.map((o, i) => o.init(only(params, isOf(i))))),
    update: (step) => {
      const parts = optimizers.map((o, i) =>
        o.update({
          ...step,
          params: only(step.params, isOf(i)),
          gradients: only(step.gradients, isOf(i)),
          scalars: part(step.scalars, starts[i] ?? 0, countOf(o)),
        }),
      )
      const changed = Object.assign({}, ...parts.map((p) => p.params))
      return { params: { ...step.params, ...changed }, slots: joined(parts.map((p) => p.slots)) }
    },
    refusal: optimizers.find((o) => o.refusal !== undefined)?.refusal,
    refusalFor: (all) => {
      const own = groups.flatMap(([names]) => unmatched("groups", names, all) ?? [])[0]
      return own ?? optimizers.flatMap((o, i) => o.refusalFor?.(all.filter(isOf(i))) ?? [])[0]
    },
  })
})
