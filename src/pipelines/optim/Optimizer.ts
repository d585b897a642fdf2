/**
 * An optimiser is a pair `{ init, update }` over a tree of parameters: `init` says what it keeps for each parameter,
 * `update` gives parameters and what is kept after a step. Both describe; a program runs them.
 */
import { dual } from "effect/Function"
import * as K from "../../gpu/Kernel.ts"
import type { HostTensor } from "../../ops/HostTensor.ts"
import * as Op from "../../ops/Op.ts"
import type { HostTree } from "../../ops/State.ts"
import * as Tensor from "../../ops/Tensor.ts"
import { mapTensors, tensorsOf, type TensorTree } from "../../ops/tree.ts"
import { elements } from "../../gpu/Plan.ts"

/** What an optimiser keeps: for each of its slots (`exp_avg`, …) a tree like that of the parameters. */
export type Slots<T> = { readonly [slot: string]: T }

/** The parameters before a step, and all that the optimiser needs to change them. */
export interface UpdateStep<T extends TensorTree> {
  readonly params: T
  readonly gradients: NoInfer<T>
  readonly slots: Slots<NoInfer<T>>
  /** the input that `spec` describes */
  readonly scalars: Tensor.Tensor<[number]>
}

/** The parameters after a step, and what the optimiser keeps for the next one. */
export type Updated<T> = {
  readonly params: T
  readonly slots: Slots<T>
}

/** One optimiser with its options. A further one is a file that calls `make`. */
export interface Optimizer {
  readonly _tag: "Optimizer"
  readonly name: string
  /** the learning rate of a step, counted from 1 */
  readonly learningRate: (step: number) => number
  /** the names of what is kept for each parameter, as PyTorch names them */
  readonly slots: ReadonlyArray<string>
  /** the numbers that change from step to step, as the program takes them */
  readonly spec: Tensor.TensorSpec<[number]>
  /** their values at a step, counted from 1; computed in float64 */
  readonly scalars: (step: number) => HostTensor<[number]>
  readonly update: <T extends TensorTree>(step: UpdateStep<T>) => Updated<T>
  /** an option that cannot be meant, as a sentence */
  readonly refusal?: string
}

/** A learning rate, or one for each step (counted from 1). */
export type LearningRate = number | ((step: number) => number)

/** The rule of an optimiser for one element of a parameter. */
export interface Rule {
  readonly name: string
  readonly learningRate: LearningRate
  readonly slots: ReadonlyArray<string>
  /** the numbers of a step that are inputs, by name, from the step (counted from 1) and its learning rate */
  readonly scalars: ReadonlyArray<readonly [name: string, value: (step: number, lr: number) => number]>
  readonly update: (element: {
    readonly p: K.Value
    readonly g: K.Value
    readonly slot: (name: string) => K.Value
    readonly scalar: (name: string) => K.Value
  }) => { readonly p: K.Value; readonly slots: ReadonlyArray<K.Value> }
  readonly refusal?: string | undefined
}

/** the same tree, with the tensor that `f` gives for the leaf at each position */
const rebuilt = <T extends TensorTree>(tree: T, f: (position: number) => Tensor.Tensor): T => {
  let position = 0
  return mapTensors(tree, () => f(position++))
}

/** An optimiser from its rule for one element: one pass over the memory of each parameter. */
export const make = (rule: Rule): Optimizer => {
  const { learningRate, slots: slotNames } = rule
  const rate = typeof learningRate === "number" ? () => learningRate : learningRate
  const scalarNames = rule.scalars.map(([name]) => name)
  const missing = K.constant(Number.NaN)
  const op = Op.primitive<object>({
    name: rule.name,
    outputs: 1 + slotNames.length,
    shape: ([p]) => p ?? [],
    kernel: ({ at }) => {
      // the inputs: parameter, gradient, the slots, then the scalars together
      const [p, g, ...kept] = ["p", "g", ...slotNames].map((_, i) => K.load(i, at))
      const slot = (name: string) => kept[slotNames.indexOf(name)] ?? missing
      const scalar = (name: string) => K.load(2 + slotNames.length, [K.int(scalarNames.indexOf(name))])
      const next = rule.update({ p: p ?? missing, g: g ?? missing, slot, scalar })
      return [next.p, ...next.slots]
    },
    gradient: Op.none("the update of an optimiser is the end of a step"),
  })
  return {
    _tag: "Optimizer",
    name: rule.name,
    learningRate: rate,
    slots: slotNames,
    spec: Tensor.input(scalarNames.length),
    scalars: (step) => ({
      shape: [scalarNames.length],
      data: Float32Array.from(rule.scalars, ([, value]) => value(step, rate(step))),
    }),
    update: ({ params, gradients, slots, scalars }) => {
      const trees = [params, gradients, ...slotNames.map((slot) => slots[slot] ?? params)].map(tensorsOf)
      const updated = tensorsOf(params).map((_, i) =>
        Op.callAll(op, [...trees.flatMap((tree) => tree[i] ?? []), scalars], {}),
      )
      const output = (o: number) => rebuilt(params, (i) => updated[i]?.[o] ?? scalars)
      return { params: output(0), slots: Object.fromEntries(slotNames.map((slot, i) => [slot, output(1 + i)])) }
    },
    ...(rule.refusal === undefined ? {} : { refusal: rule.refusal }),
  }
}

const isHostTensor = (tree: HostTree): tree is HostTensor => "data" in tree && tree.data instanceof Float32Array

const zeros = (tree: HostTree): HostTree => {
  if (isHostTensor(tree)) return { shape: tree.shape, data: new Float32Array(elements(tree.shape.map(Number))) }
  if (Array.isArray(tree)) return tree.map(zeros)
  return Object.fromEntries(Object.entries(tree).map(([key, child]) => [key, zeros(child)]))
}

/**
 * What an optimiser keeps before the first step: zeros, in the shapes of the parameters.
 *
 * @example
 * const params = Nn.init(net, { seed: 1 })
 * const state = yield* State.make({ params, slots: Optim.init(adam, params) })
 */
export const init: {
  <H extends HostTree>(params: H): (self: Optimizer) => Slots<H>
  <H extends HostTree>(self: Optimizer, params: H): Slots<H>
} = dual(2, <H extends HostTree>(self: Optimizer, params: H): Slots<H> =>
  // zeros have the structure of the parameters
  Object.fromEntries(self.slots.map((slot) => [slot, zeros(params) as H])),
)

/**
 * Parameters and what is kept after a step. Describes; the program that it is part of runs it.
 *
 * @example
 * const next = Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars })
 */
export const update: {
  <T extends TensorTree>(step: UpdateStep<T>): (self: Optimizer) => Updated<T>
  <T extends TensorTree>(self: Optimizer, step: UpdateStep<T>): Updated<T>
} = dual(2, <T extends TensorTree>(self: Optimizer, step: UpdateStep<T>): Updated<T> => self.update(step))

/** the first sentence among options that is not fulfilled */
export const firstRefusal = (name: string, wishes: ReadonlyArray<readonly [ok: boolean, says: string]>) => {
  const broken = wishes.find(([ok]) => !ok)
  return broken === undefined ? undefined : `${name} needs ${broken[1]}`
}
