/** A model as training and evaluation see it: what it takes, what it gives, and its numbers by name. */
import type { HostTensor } from "../../ops/HostTensor.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import * as Apply from "../../models/apply.ts"
import * as Init from "../../models/init.ts"
import type { Layer } from "../../models/Layer.ts"
import { parameters } from "../../models/StateDict.ts"
import type { Shape, Show } from "../../shapes/Shape.ts"
import { type FitsShape, show } from "../../shapes/Shape.ts"
import { ShapeMismatch } from "../../shapes/ShapeMismatch.ts"

/** A model with a known input, such as `Nn.sequential` gives. */
export interface Model<In extends Shape = Shape> extends Layer {
  readonly in: In
  readonly out: Shape
  readonly refusal: ShapeMismatch | null
}

/** Tensors by their names in the state_dict. */
export type Parameters = { readonly [name: string]: Tensor }
/** The same in ordinary memory. */
export type HostParameters = { readonly [name: string]: HostTensor }

/** the shape of one sample of a model's input */
export type SampleOf<In> = In extends readonly [unknown, ...infer S extends Shape] ? S : Shape

/** what takes samples of shape `S` for a model of input `In`; the sentence that says why not, where they do not fit */
export type Takes<In, S, Data> =
  FitsShape<SampleOf<In>, S> extends true
    ? Data
    : `the model takes samples of ${Show<SampleOf<In>>} but the data give ${Show<S>}`

/** the refusal of a model that is none, or of samples that do not fit it */
export const refusalOf = (model: Model, sample: Shape, classes: number): ShapeMismatch | undefined => {
  if (model.refusal !== null) return model.refusal
  const taken = model.in.slice(1)
  const given = model.out.at(-1)
  const wrong = (sentence: string, remedy: string) =>
    new ShapeMismatch({ op: model.label, path: "", shapes: [model.in, sample], sentence, remedy })
  if (taken.length !== sample.length || taken.some((d, i) => typeof d === "number" && d !== sample[i])) {
    return wrong(
      `the model takes samples of ${show(taken)} but the data give ${show(sample)}`,
      "Take another model, or bring the data to its size",
    )
  }
  if (model.out.length !== 2 || (typeof given === "number" && given < classes)) {
    return wrong(
      `the model gives ${show(model.out)} but the data have ${classes} classes`,
      "Give the model's last layer as many outputs as there are classes",
    )
  }
  return undefined
}

/** Parameters, which a step changes by their gradients, apart from running statistics, which it changes otherwise. */
export interface Split<T> {
  readonly params: { readonly [name: string]: T }
  readonly buffers: { readonly [name: string]: T }
}

/** numbers by name, those of the model only, parameters and running statistics apart */
export const split = (model: Model, all: HostParameters): Split<HostTensor> => {
  const named = parameters(model).flatMap(({ path, requiresGrad }) => {
    const value = all[path]
    return value === undefined ? [] : [{ path, requiresGrad, value }]
  })
  const those = (yes: boolean) =>
    Object.fromEntries(named.filter((p) => p.requiresGrad === yes).map(({ path, value }) => [path, value]))
  return { params: those(true), buffers: those(false) }
}

/** both together, in the order of the state_dict */
export const joined = (model: Model, { params, buffers }: Split<HostTensor>): HostParameters =>
  Object.fromEntries(
    parameters(model).flatMap(({ path }) => {
      const value = params[path] ?? buffers[path]
      return value === undefined ? [] : [[path, value] as const]
    }),
  )

/** the numbers that a model starts with */
export const init = (model: Model, seed: number): HostParameters => Init.init<Layer>(model, { seed })

/** logits, the next running statistics, and what auxiliary heads give in training */
export const forward = (
  model: Model,
  { params, buffers }: Split<Tensor>,
  images: Tensor,
  options: Apply.ApplyOptions,
): { readonly logits: Tensor; readonly buffers: Parameters; readonly auxiliary: Parameters } => {
  const { output, updates, auxiliary } = Apply.forward<Layer, Shape>(model, { ...params, ...buffers }, images, options)
  return { logits: output, buffers: { ...buffers, ...updates }, auxiliary }
}
