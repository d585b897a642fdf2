/**
 * An optimiser is a pair `{ init, update }` over named parameters: `init` says what it keeps for each parameter, `update`
 * gives parameters and what is kept after a step. Both describe; a program runs them. What changes a step otherwise
 * (clipping, accumulation, averages, freezing, groups) takes an optimiser and gives another.
 */
import { dual } from "effect/Function"
import * as Pipeable from "effect/Pipeable"
import * as K from "../../gpu/Kernel.ts"
import type { HostTensor } from "../../ops/HostTensor.ts"
import * as Op from "../../ops/Op.ts"
import type { HostTree } from "../../ops/State.ts"
import * as Tensor from "../../ops/Tensor.ts"
import { mapTensors, type TensorTree } from "../../ops/tree.ts"
import { elements } from "../../gpu/Plan.ts"
import { ShapeMismatch } from "../../shapes/ShapeMismatch.ts"
import { firstRefusal } from "../InvalidOption.ts"
import type { Schedule } from "../schedule/make.ts"

/** Parameters (or what is kept for them) by name: the keys of the tree that lead to each, joined by dots. */
export type Named<A> = { readonly [name: string]: A }

/** What an optimiser keeps: for each of its slots (`exp_avg`, …) an array for each parameter that it is kept for. */
export type Slots<T = Named<Tensor.Tensor>> = { readonly [slot: string]: T }

/** The parameters before a step, and all that the optimiser needs to change them. */
export interface UpdateStep<T extends TensorTree> {
  readonly params: T
  readonly gradients: NoInfer<T>
  readonly slots: Slots
  /** the input that `spec` describes */
  readonly scalars: Tensor.Tensor<[number]>
  /** where this is 0, the parameters and what is kept stay as they are; they always change when absent */
  readonly when?: Tensor.Tensor<[]> | undefined
}

/** The parameters after a step, and what the optimiser keeps for the next one. */
export type Updated<T> = {
  readonly params: T
  readonly slots: Slots
}

/** The step of an optimiser as a transformation of one sees it: by name. */
export interface NamedStep extends UpdateStep<Named<Tensor.Tensor>> {}

/** One optimiser with its options. A further one is a file that calls `make`. */
export interface Optimizer extends Pipeable.Pipeable {
  readonly _tag: "Optimizer"
  readonly name: string
  /** the learning rate of a step, counted from 1 */
  readonly learningRate: (step: number) => number
  /** the names of what is kept for each parameter, as PyTorch names them */
  readonly slots: ReadonlyArray<string>
  /** what is kept before the first step */
  readonly init: (params: Named<HostTensor>) => Slots<Named<HostTensor>>
  /** the numbers that change from step to step, as the program takes them */
  readonly spec: Tensor.TensorSpec<[number]>
  /** their values at a step, counted from 1, with its learning rate times `rateScale` (1 unless told); in float64 */
  readonly scalars: (step: number, rateScale?: number) => HostTensor<[number]>
  readonly update: (step: NamedStep) => Updated<Named<Tensor.Tensor>>
  /** whether it changes the parameter of that name */
  readonly trains: (name: string) => boolean
  /** an option that cannot be meant, as a sentence */
  readonly refusal?: string | undefined
  /** why it cannot be meant for parameters of these names, if it cannot */
  readonly refusalFor?: ((names: ReadonlyArray<string>) => string | undefined) | undefined
}

/** A learning rate, or one for each step (counted from 1). */
export type LearningRate = number | Schedule

/** The rule of an optimiser for one element of a parameter. */
export interface Rule {
  readonly name: string
  readonly learningRate: LearningRate
  readonly slots: ReadonlyArray<string>
  /** what a slot holds before the first step, where that is not 0 */
  readonly initial?: { readonly [slot: string]: number }
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

/** an optimiser from its parts, so that it can be piped */
export const from = (parts: Omit<Optimizer, "_tag" | "pipe">): Optimizer => ({
  ...Pipeable.Prototype,
  _tag: "Optimizer",
  ...parts,
})

/** those of the names that are as asked, in their order */
export const only = <A>(all: Named<A>, is: (name: string) => boolean): Named<A> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => is(name)))

/** `f` of each name */
export const named = <A>(names: Iterable<string>, f: (name: string) => A): Named<A> =>
  Object.fromEntries(Array.from(names, (name) => [name, f(name)]))

/** An optimiser from its rule for one element: one pass over the memory of each parameter. */
export const make = (rule: Rule): Optimizer => {
  const { learningRate, slots: slotNames } = rule
  const rate = typeof learningRate === "number" ? () => learningRate : learningRate
  const scalarNames = rule.scalars.map(([name]) => name)
  const missing = K.constant(Number.NaN)
  const op = Op.primitive<{ readonly sometimes: boolean }>({
    name: rule.name,
    outputs: 1 + slotNames.length,
    shape: ([p]) => p ?? [],
    kernel: ({ at, attributes: { sometimes } }) => {
      // the inputs: parameter, gradient, the slots, then the scalars together, and whether anything changes
      const [p = missing, g = missing, ...kept] = ["p", "g", ...slotNames].map((_, i) => K.load(i, at))
      const slot = (name: string) => kept[slotNames.indexOf(name)] ?? missing
      const scalar = (name: string) => K.load(2 + slotNames.length, [K.int(scalarNames.indexOf(name))])
      const next = rule.update({ p, g, slot, scalar })
      if (!sometimes) return [next.p, ...next.slots]
      const changes = K.compare("ne", K.load(3 + slotNames.length, []), 0)
      return [next.p, ...next.slots].map((v, i) => K.select(changes, v, [p, ...kept][i] ?? missing))
    },
    gradient: Op.none("the update of an optimiser is the end of a step"),
  })
  return from({
    name: rule.name,
    learningRate: rate,
    slots: slotNames,
    init: (params) =>
      named(slotNames, (slot) => named(Object.keys(params), (name) => filled(params[name], rule.initial?.[slot] ?? 0))),
    spec: Tensor.input(scalarNames.length),
    scalars: (step, rateScale = 1) => ({
      shape: [scalarNames.length],
      data: Float32Array.from(rule.scalars, ([, value]) => value(step, rate(step) * rateScale)),
    }),
    update: ({ params, gradients, slots, scalars, when }) => {
      const updated = new Map(
        Object.entries(params).map(([name, p]) => {
          const kept = slotNames.map((slot) => slots[slot]?.[name] ?? absent(rule.name, slot, name))
          const inputs = [p, gradients[name] ?? absent(rule.name, "gradient", name), ...kept, scalars]
          return [name, Op.callAll(op, [...inputs, ...(when === undefined ? [] : [when])], { sometimes: !!when })]
        }),
      )
      const output = (o: number) => named(updated.keys(), (name) => updated.get(name)?.[o] ?? scalars)
      return { params: output(0), slots: Object.fromEntries(slotNames.map((slot, i) => [slot, output(1 + i)])) }
    },
    trains: () => true,
    refusal: rule.refusal,
  })
}

/** what stands for an array that the caller has left out: a refusal that says which */
const absent = (optimizer: string, what: string, name: string): Tensor.Tensor =>
  Tensor.make([], {
    _tag: "Refused",
    error: new ShapeMismatch({
      op: optimizer,
      path: name,
      shapes: [],
      sentence: `there is no ${what} for it`,
      remedy: "Give the update what Optim.init gives for the same parameters",
    }),
  })

const filled = (like: HostTensor | undefined, value: number): HostTensor => {
  const shape = like?.shape ?? []
  return { shape, data: new Float32Array(elements(shape.map(Number))).fill(value) }
}

const isHostTensor = (tree: object): tree is HostTensor => "data" in tree && tree.data instanceof Float32Array

/** the leaves of a tree by name, in the order of its keys */
const leaves = <A extends object>(tree: object, isLeaf: (u: object) => u is A, prefix = ""): Array<[string, A]> =>
  isLeaf(tree)
    ? [[prefix, tree]]
    : Object.entries(tree).flatMap(([key, child]) => leaves(child, isLeaf, prefix === "" ? key : `${prefix}.${key}`))

/**
 * What an optimiser keeps before the first step, by slot and by the name of the parameter (the keys that lead to it,
 * joined by dots).
 *
 * @example
 * const params = Nn.init(net, { seed: 1 })
 * const state = yield* State.make({ params, slots: Optim.init(adam, params) })
 */
export const init: {
  (params: HostTree): (self: Optimizer) => Slots<Named<HostTensor>>
  (self: Optimizer, params: HostTree): Slots<Named<HostTensor>>
} = dual(2, (self: Optimizer, params: HostTree): Slots<Named<HostTensor>> =>
  self.init(Object.fromEntries(leaves(params, isHostTensor))),
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
} = dual(2, <T extends TensorTree>(self: Optimizer, step: UpdateStep<T>): Updated<T> => {
  const { slots, scalars, when } = step
  const params = leaves(step.params, Tensor.isTensor)
  const gradients = Object.fromEntries(leaves(step.gradients, Tensor.isTensor))
  const next = self.update({ params: Object.fromEntries(params), gradients, slots, scalars, when })
  let position = 0
  const after = mapTensors(step.params, (before) => next.params[params[position++]?.[0] ?? ""] ?? before)
  return { params: after, slots: next.slots }
})

/** what is wrong with the options of an optimiser, its learning rate first */
export const optimizerRefusal = (name: string, lr: LearningRate, wishes: Parameters<typeof firstRefusal>[1]) =>
  typeof lr === "function"
    ? (lr.refusal ?? firstRefusal(name, wishes))
    : firstRefusal(name, [[lr >= 0, `lr of at least 0, not ${lr}`], ...wishes])
