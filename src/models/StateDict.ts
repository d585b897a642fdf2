/** The parameters of a model under the names of PyTorch's state_dict. */
import * as Effect from "effect/Effect"
import type { HostTensor } from "../ops/HostTensor.ts"
import type { Tensor } from "../ops/Tensor.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { Child, Layer, Param } from "./Layer.ts"
import { type NameOf, nameOf, under } from "./sequential.ts"

type Own<P, Prefix extends string> = { [K in keyof P & string]: [`${Prefix}${K}`, P[K]] }[keyof P & string]
type Kids<C, Prefix extends string> = C extends readonly []
  ? never
  : { [I in keyof C]: Entries<C[I], Inside<Prefix, NameOf<C[I], I>>> }[keyof C & `${number}`]
type Inside<Prefix extends string, N extends string> = N extends "" ? Prefix : `${Prefix}${N}.`
type Entries<H, Prefix extends string = ""> = H extends {
  readonly "~": { readonly params: infer P; readonly children: infer C }
}
  ? Own<P, Prefix> | Kids<C, Prefix>
  : H extends { readonly name: string; readonly layer: infer B }
    ? Entries<B, Prefix>
    : never

/** The shapes of a model's parameters and running statistics by name: `{ "fc1.weight": [8, 4], … }`. */
export type ParamShapes<H> = {
  [E in Entries<H> as E extends readonly [infer N extends string, unknown] ? N : never]: E extends readonly [
    unknown,
    infer S extends Shape,
  ]
    ? S
    : never
}
/** A model's parameters and running statistics as tensors of a program: `{ "fc1.weight": Tensor<[8, 4]>, … }`. */
export type StateDict<H> = {
  [K in keyof ParamShapes<H>]: ParamShapes<H>[K] extends infer S extends Shape ? Tensor<S> : never
}
/** The same in ordinary memory. */
export type HostStateDict<H> = {
  [K in keyof ParamShapes<H>]: ParamShapes<H>[K] extends infer S extends Shape ? HostTensor<S> : never
}

/** a parameter with its whole name */
export interface NamedParam extends Param {
  /** as in PyTorch's state_dict: `layer1.conv1.weight` */
  readonly path: string
}
/**
 * Where the parameters of each layer are in the state_dict: `layer1.conv1.` for `layer1.conv1.weight`. A layer that
 * stands in a model twice, one object in two places, has its parameters once, under the name that comes first.
 */
export const places = (net: Layer): ReadonlyMap<Layer, string> => {
  const found = new Map<Layer, string>()
  const walk = (layer: Layer, prefix: string): void => {
    if (found.has(layer)) return
    found.set(layer, prefix)
    for (const [i, child] of layer.children.entries()) walk(child.layer, inside(prefix, child, i))
  }
  walk(net, "")
  return found
}
/** the prefix of the names inside a child */
export const inside = (prefix: string, child: Child, i: number): string => `${prefix}${under(nameOf(child, i), "")}`

/** All parameters and running statistics of a model, in the order of PyTorch's state_dict; a shared layer's once. */
export const parameters = (layer: Layer): ReadonlyArray<NamedParam> =>
  [...places(layer)].flatMap(([{ params }, prefix]) =>
    params.map((param) => ({ ...param, path: `${prefix}${param.name}` })),
  )

/** numbers by name, whosever they are */
type Named = { readonly [name: string]: HostTensor }

/** why numbers are not those of the model, if they are not */
export const parametersRefusal = (net: Layer, all: Named): ShapeMismatch | undefined => {
  const expected = parameters(net)
  const remedy = "Take the parameters of this model"
  const wrong = (shapes: ReadonlyArray<Shape>, sentence: string) =>
    new ShapeMismatch({ op: net.label, path: "", shapes, sentence, remedy })
  for (const { path, shape } of expected) {
    const given = all[path]?.shape
    if (given === undefined) return wrong([shape], `the parameters have no ${path}`)
    if (show(given) !== show(shape)) {
      return wrong([given, shape], `${path} is ${show(given)}, but the model needs ${show(shape)}`)
    }
  }
  const known = new Set(expected.map(({ path }) => path))
  const stranger = Object.keys(all).find((name) => !known.has(name))
  return stranger === undefined ? undefined : wrong([], `the model has no ${stranger}`)
}

/**
 * Numbers by name, as a file or a run gives them, as those of this model: for a program of one's own.
 *
 * Fails with `ShapeMismatch` where one is missing, has another shape or is not of the model. PyTorch's
 * `load_state_dict`, which is strict by default too.
 *
 * @example
 * const { parameters } = yield* Train.load("runs/lenet/model.safetensors")
 * const params = yield* Nn.stateDict(lenet, parameters)
 */
export const stateDict = <H extends Layer>(net: H, all: Named): Effect.Effect<HostStateDict<H>, ShapeMismatch> =>
  Effect.suspend(() => {
    const refused = parametersRefusal(net, all)
    // names and shapes have just been asked for
    return refused === undefined ? Effect.succeed(all as HostStateDict<H>) : Effect.fail(refused)
  })
