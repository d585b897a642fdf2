/** The step of a run as one program: forward, loss, backward, update. */
import * as Effect from "effect/Effect"
import * as Ops from "../../ops/Ops.ts"
import * as Program from "../../ops/Program.ts"
import * as Tensor from "../../ops/Tensor.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { InvalidOption } from "../InvalidOption.ts"
import type { Loss } from "../Loss.ts"
import * as Optimizer from "../optim/Optimizer.ts"
import { countCorrect } from "./batchValues.ts"
import { forward, type Model, type Parameters, type Split } from "./Model.ts"
import type { TrainState } from "./RunState.ts"

/** What the losses of auxiliary heads count beside that of the model's output: all the same, or each by its name. */
export type AuxiliaryWeights = number | { readonly [head: string]: number }

/** that of Szegedy et al., 2014 */
export const defaultAuxiliaryWeight = 0.3

/** the loss of a model's output and of what its auxiliary heads give */
export const totalLoss = (
  loss: Loss,
  weights: AuxiliaryWeights,
  outputs: { readonly logits: Tensor.Tensor; readonly auxiliary: Parameters },
  labels: Tensor.Tensor,
): Tensor.Tensor<[]> =>
  Object.entries(outputs.auxiliary).reduce(
    (sum, [name, logits]) => {
      const weight = typeof weights === "number" ? weights : (weights[name] ?? defaultAuxiliaryWeight)
      return weight === 0 ? sum : Ops.add(sum, Ops.mul(loss.mean(logits, labels), Tensor.fill(weight)))
    },
    loss.mean(outputs.logits, labels),
  )

/** 1 where a number is finite, else 0; in this form no compiler takes it for always true */
export const isFinite = <S extends Shape>(x: Tensor.Tensor<S>): Tensor.Tensor<S> =>
  // compared with a number, it keeps its shape
  Ops.lessEqual(Ops.abs(x), largest) as Tensor.Tensor<S>
const largest = 3.4e38

/** what a step is given beside the state */
export const stepInputs = (optimizer: Optimizer.Optimizer, shape: ReadonlyArray<number>) => ({
  images: Tensor.input("N", ...shape),
  labels: Tensor.labels("N"),
  scalars: optimizer.spec,
  seed: Tensor.seed(),
})

/**
 * Compiles the step: only two numbers are read back. Where the loss is not finite everything stays as it was, so that
 * the step can be looked into.
 */
export const compileStep = Effect.fnUntraced(function* (options: {
  readonly model: Model
  readonly loss: Loss
  readonly auxiliary: AuxiliaryWeights
  readonly optimizer: Optimizer.Optimizer
  readonly shape: ReadonlyArray<number>
  readonly state: TrainState
}) {
  const { model, loss, auxiliary, optimizer, shape, state } = options
  let heads: ReadonlyArray<string> = []
  const program = yield* Program.compile(
    { state, ...stepInputs(optimizer, shape) },
    ({ state, images, labels, scalars, seed }) => {
      const given = forward(model, state, images, { training: true, seed })
      heads = Object.keys(given.auxiliary)
      const mean = totalLoss(loss, auxiliary, given, labels)
      const gradients = Ops.grad(mean, state.params)
      const when = isFinite(mean)
      const next = Optimizer.update(optimizer, { params: state.params, gradients, slots: state.slots, scalars, when })
      const buffers = kept(state, given.buffers, when)
      return { state: { ...next, buffers }, loss: mean, correct: countCorrect(given.logits, labels) }
    },
    { name: "train" },
  )
  const unknown = typeof auxiliary === "number" ? [] : Object.keys(auxiliary).filter((name) => !heads.includes(name))
  if (unknown.length > 0) {
    const those = heads.length === 0 ? "has none" : `has ${heads.join(", ")}`
    const sentence = `auxiliary names the head ${unknown.join(", ")}, but the model ${those}`
    return yield* new InvalidOption({ sentence })
  }
  return program
})

const kept = (before: Split<Tensor.Tensor>, after: Parameters, when: Tensor.Tensor<[]>): Parameters =>
  Object.fromEntries(
    Object.entries(after).map(([name, next]) => [name, Ops.where(when, next, before.buffers[name] ?? next)]),
  )
