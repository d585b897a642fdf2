/** Optimisers by the names of reference cases, and their cases. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Device } from "../../src/gpu/Device.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as T from "../../src/ops/Tensor.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import { bool, float, type Given, type Kinds, orNull, two, understood } from "./attributes.ts"
import type { Attributes, Cases, OptimizerCase } from "./Cases.ts"
import { difference, failed, notSupported, type Verdict, verdict } from "./Verdict.ts"

interface Entry {
  readonly kinds: Kinds
  readonly make: (attributes: Given<Kinds>) => Optim.Optimizer
}

const entry = <const K extends Kinds>(kinds: K, make: (attributes: Given<K>) => Optim.Optimizer): Entry => ({
  kinds,
  // `optimizerOf` calls it only with attributes of these kinds
  make: make as Entry["make"],
})

/** how PyTorch computes, but not what: whatever it is, the numbers are the same */
const manner = { foreach: orNull(bool), differentiable: bool, capturable: bool, fused: orNull(bool) }
const common = { lr: float, weightDecay: float, maximize: bool, ...manner }
const betas = { ...common, betas: two, eps: float, amsgrad: bool } as const

export const table: Readonly<Record<Optim.OptimizerName, Entry>> = {
  adam: entry(betas, (o) => Optim.adam(o)),
  adamw: entry(betas, (o) => Optim.adamw(o)),
  sgd: entry(
    { ...common, momentum: float, dampening: float, nesterov: bool },
    // PyTorch's default rate; what does not go together is refused by the optimiser
    ({ lr = 1e-3, ...o }) => Optim.sgd({ lr, ...o } as Optim.SgdOptions),
  ),
  rmsprop: entry({ ...common, alpha: float, eps: float, momentum: float, centered: bool }, (o) => Optim.rmsprop(o)),
  adagrad: entry({ ...common, lrDecay: float, initialAccumulatorValue: float, eps: float }, (o) => Optim.adagrad(o)),
}

/** the optimiser of a case, or what of it is not supported */
export const optimizerOf = (name: string, attributes: Attributes): Optim.Optimizer | string => {
  const found = Object.hasOwn(table, name) ? table[name as Optim.OptimizerName] : undefined
  if (found === undefined) return `the optimiser ${name}`
  const given = understood(found.kinds, attributes)
  if ("unknown" in given) return given.unknown
  const optimizer = found.make(given.given)
  return optimizer.refusal ?? optimizer
}

/** whether a parameter of the reference is the same before and after every step, which no optimiser can give */
const stands = (p: string, steps: number, own: (name: string) => { readonly data: Float32Array }): boolean =>
  Array.from({ length: steps }, (_, i) => own(`${p}${i + 1}`).data).every((after) =>
    after.every((v, i) => v === own(`${p}0`).data[i]),
  )

/** Runs one case: all its steps, each compared. */
export const runOptimizer = Effect.fnUntraced(function* (c: OptimizerCase, { tensor }: Cases) {
  const optimizer = optimizerOf(c.optimizer, c.attrs)
  if (typeof optimizer === "string") return notSupported(optimizer)
  const own = (name: string) => tensor(`${c.name}/${name}`)
  const named = (prefix: string, step: number) =>
    Object.fromEntries(c.params.map((p) => [p, own(`${prefix}${p}${step}`)]))
  const params = named("", 0)
  let state = yield* State.make({ params, slots: Optim.init(optimizer, params) })
  // gradients are inputs under names that no other input has
  const gradientOf = (p: string) => `gradient of ${p}`
  const specs = Object.fromEntries(c.params.map((p) => [gradientOf(p), T.input(...own(`${p}0`).shape)]))
  const program = yield* Program.compile({ ...specs, state, scalars: optimizer.spec }, (symbols) => {
    const { params, slots } = symbols.state
    const all: { readonly [name: string]: unknown } = symbols
    // what `specs` describes
    const gradients = Object.fromEntries(c.params.map((p) => [p, all[gradientOf(p)] as T.Tensor<Array<number>>]))
    return { state: Optim.update(optimizer, { params, gradients, slots, scalars: symbols.scalars }) }
  })
  const differences: Array<string | undefined> = []
  for (let step = 1; step <= c.steps; step++) {
    const gradients = Object.fromEntries(c.params.map((p) => [gradientOf(p), own(`g${p}${step}`)]))
    const next = yield* program.run({ ...gradients, state, scalars: optimizer.scalars(step) })
    state = next.state
    const { params } = yield* State.read(state)
    differences.push(...c.params.map((p) => difference(`${p}${step}`, params[p]!, own(`${p}${step}`), c.tol)))
  }
  const result = verdict(differences)
  return result._tag === "Failed" && c.params.every((p) => stands(p, c.steps, own))
    ? failed(`${result.why} (the reference's own parameters never move)`)
    : result
}) satisfies (c: OptimizerCase, cases: Cases) => Effect.Effect<Verdict, unknown, Device | Scope.Scope>
