/** A model on a tensor: the graph of what it computes. */
import * as Random from "../ops/random.ts"
import * as Tensor from "../ops/Tensor.ts"
import { isRefusal, type Refusal } from "../shapes/Refusal.ts"
import { type Shape, show } from "../shapes/Shape.ts"
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { Apply, Context, Forward, Layer, Tensors } from "./Layer.ts"
import { mismatch, nameOf, placeOf, start, under } from "./sequential.ts"
import { parameters, places, type StateDict } from "./StateDict.ts"

/** the shape that a model gives for an input of shape `S` */
export type Output<H extends Layer, S extends Shape> =
  Apply<H["~"]["rule"], S> extends infer O ? (O extends Shape ? O : unknown extends O ? Shape : never) : never

/** a tensor that the model takes, or the sentence that says why it does not */
export type Accepted<H extends Layer, S extends Shape> =
  Apply<H["~"]["rule"], S> extends Refusal<infer M, infer P>
    ? P extends ""
      ? `${H["~"]["label"]} cannot take this input: it ${M}`
      : `${P}: ${M}`
    : Tensor.Tensor<S>

export interface ApplyOptions {
  /** whether batch norm and dropout do what they do in training; not when absent */
  readonly training?: boolean
  /** for layers that draw random numbers in training: an input that `Tensor.seed` describes */
  readonly seed?: Tensor.Tensor
  /** told of what each layer inside gives, in the order in which they are computed, with its place in the model */
  readonly observe?: (path: string, layer: Layer, output: Tensor.Tensor) => void
}

interface Everything {
  readonly params: Tensors
  /** where each layer's parameters are */
  readonly places: ReadonlyMap<Layer, string>
  readonly options: ApplyOptions
  /** the layers that were asked, and the running statistics after them: a shared layer goes on from its own */
  readonly asked: Set<Layer>
  readonly updated: Map<string, Tensor.Tensor>
}

/** `path` names the layer's place in the model, one for each: its random numbers are those of no other */
const contextOf = (layer: Layer, path: string, all: Everything): Context => ({
  params: Object.fromEntries(
    layer.params.map(({ name }) => {
      const whole = `${all.places.get(layer) ?? ""}${name}`
      return [name, all.updated.get(whole) ?? all.params[whole]]
    }),
  ),
  training: all.options.training ?? false,
  random: all.options.seed === undefined ? null : { key: all.options.seed, stream: Random.stream(path) },
  child: (i, x) => {
    const child = layer.children[i]
    if (child === undefined) return { output: x, updates: {} }
    const name = nameOf(child, i)
    const place = under(path, placeOf(child, i))
    const context = contextOf(child.layer, place, all)
    const isFirst = !all.asked.has(child.layer)
    all.asked.add(child.layer)
    const { output, updates, auxiliary = {} } = child.layer.forward(x, context)
    all.options.observe?.(place, child.layer, output)
    for (const { name: own } of child.layer.params)
      if (updates[own] !== undefined) all.updated.set(`${all.places.get(child.layer) ?? ""}${own}`, updates[own])
    // what a shared layer updates has the names of its first place alone
    return { output, updates: isFirst ? renamed(updates, name) : {}, auxiliary: renamed(auxiliary, name) }
  },
})
const renamed = (tensors: Forward["updates"], name: string): Forward["updates"] =>
  Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k === "" ? name : under(name, k), t]))

/** why these parameters are not the model's, if they are not */
const wrongParams = (layer: Layer, params: Tensors): ShapeMismatch | null => {
  for (const { path, shape } of parameters(layer)) {
    const given = params[path]?.shape
    if (given !== undefined && show(given) === show(shape)) continue
    const sentence =
      given === undefined
        ? `the parameters have no ${path}`
        : `${path} is ${show(given)}, but the model needs ${show(shape)}`
    const remedy = "Take the parameters of this model: those of Nn.init, or of a checkpoint of it"
    return new ShapeMismatch({ op: layer.label, path: "", shapes: [given ?? [], shape], sentence, remedy })
  }
  return null
}

/**
 * `forward` without its types, for code that is generic in the model: what does not fit is found at run time and
 * carried by the output.
 */
export const forwardUnsafe = (net: Layer, params: Tensors, x: Tensor.Tensor, options: ApplyOptions = {}): Forward => {
  if (Tensor.refusal(x) !== undefined) return { output: x, updates: {} }
  const out = net.rule(x.shape, start)
  const error = isRefusal(out) ? mismatch(net, out, x.shape) : wrongParams(net, params)
  if (error !== null) return { output: Tensor.make([], { _tag: "Refused", error }), updates: {} }
  const updated = new Map<string, Tensor.Tensor>()
  const all = { params, places: places(net), options, asked: new Set<Layer>(), updated }
  const result = net.forward(x, contextOf(net, "", all))
  const latest = Object.entries(result.updates).map(([name, t]) => [name, updated.get(name) ?? t] as const)
  return { ...result, updates: Object.fromEntries(latest) }
}

/**
 * The output of a model, the next values of its running statistics by name (none in evaluation, where they stay), and
 * what its auxiliary heads give (in training).
 *
 * A model that does not take `x`, or that these parameters do not belong to, gives a tensor that carries the refusal.
 *
 * @example
 * const { output, updates } = Nn.forward(net, state.params, x, { training: true })
 */
export const forward = <H extends Layer, S extends Shape>(
  net: H,
  params: StateDict<H>,
  x: Accepted<H, S>,
  options: ApplyOptions = {},
): {
  readonly output: Tensor.Tensor<Output<H, S>>
  readonly updates: Forward["updates"]
  readonly auxiliary: Forward["updates"]
} => {
  // a state dict holds tensors, and an accepted input is one; the rule as a value gives the shape that the type says
  const { output, updates, auxiliary = {} } = forwardUnsafe(net, params as Tensors, x as Tensor.Tensor, options)
  return { output: output as Tensor.Tensor<Output<H, S>>, updates, auxiliary }
}

/**
 * The output of a model.
 *
 * **Shapes** what the model's layers give for that of `x`.
 *
 * @example
 * const logits = Nn.apply(lenet, state.params, x) // Tensor<["N", 10]>
 */
export const apply = <H extends Layer, S extends Shape>(
  net: H,
  params: StateDict<H>,
  x: Accepted<H, S>,
  options: ApplyOptions = {},
): Tensor.Tensor<Output<H, S>> => forward<H, S>(net, params, x, options).output
