/** Optimisers by themselves: given gradients, what becomes of the parameters. */
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as Tensor from "../../src/ops/Tensor.ts"
import * as Optim from "../../src/pipelines/Optim.ts"

/** vectors by the name of a parameter */
export type Vectors = { readonly [name: string]: ReadonlyArray<number> }

const tensors = (vectors: Vectors): { readonly [name: string]: HostTensor.HostTensor<[number]> } =>
  Object.fromEntries(Object.entries(vectors).map(([name, v]) => [name, HostTensor.make([v.length], v)]))

/** the parameters and what is kept after each step, where `gradientsOf` gives the gradients at a step (from 1) */
export const traceAll = (
  optimizer: Optim.Optimizer,
  p0: Vectors,
  gradientsOf: (params: { readonly [name: string]: Float32Array }, step: number) => Vectors,
  steps: number,
  rateScale?: number,
) =>
  Effect.gen(function* () {
    const params = tensors(p0)
    let state = yield* State.make({ params, slots: Optim.init(optimizer, params) })
    const gradientOf = (name: string) => `gradient of ${name}`
    const specs = Object.fromEntries(Object.keys(p0).map((n) => [gradientOf(n), Tensor.input(p0[n]!.length)]))
    const program = yield* Program.compile({ ...specs, state, scalars: optimizer.spec }, (symbols) => {
      const { params, slots } = symbols.state
      const all: { readonly [name: string]: unknown } = symbols
      // what `specs` describes
      const gradients = Object.fromEntries(
        Object.keys(p0).map((n) => [n, all[gradientOf(n)] as Tensor.Tensor<[number]>]),
      )
      return { state: Optim.update(optimizer, { params, gradients, slots, scalars: symbols.scalars }) }
    })
    const plan = yield* program.plan()
    const found: Array<{ readonly [name: string]: Float32Array }> = []
    const slots: Array<Optim.Slots<Optim.Named<HostTensor.HostTensor>>> = []
    let now = Object.fromEntries(Object.entries(params).map(([n, { data }]) => [n, data]))
    for (let step = 1; step <= steps; step++) {
      const given = tensors(gradientsOf(now, step))
      const gradients = Object.fromEntries(Object.keys(given).map((n) => [gradientOf(n), given[n]!]))
      const next = yield* program.run({ ...gradients, state, scalars: optimizer.scalars(step, rateScale) })
      state = next.state
      const numbers = yield* State.read(state)
      now = Object.fromEntries(Object.entries(numbers.params).map(([n, { data }]) => [n, data]))
      found.push(now)
      slots.push(numbers.slots)
    }
    return { found, slots, plan }
  }).pipe(Effect.scoped, Effect.provide(Reference.layer))

/** the same for one parameter */
export const trace = (
  optimizer: Optim.Optimizer,
  p0: ReadonlyArray<number>,
  gradientOf: (p: Float32Array, step: number) => ReadonlyArray<number>,
  steps: number,
) =>
  Effect.map(
    traceAll(optimizer, { p: p0 }, ({ p }, step) => ({ p: gradientOf(p!, step) }), steps),
    (traced) => ({ ...traced, found: traced.found.map(({ p }) => p!) }),
  )
