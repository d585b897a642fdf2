/** Reverse-mode differentiation over the graph: the gradient of a scalar is itself a graph of ops. */
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import { fitsShape, type Shape, show } from "../shapes/Shape.ts"
import { add } from "./add.ts"
import { NotDifferentiable } from "./NotDifferentiable.ts"
import { expandTo } from "./sum.ts"
import * as T from "./Tensor.ts"
import { mapTensors, tensorsOf, type TensorTree } from "./tree.ts"

/**
 * The gradient of the scalar `loss` with respect to every tensor of `wrt`, in the same structure.
 *
 * What `loss` does not depend on gets zeros. A gradient through an op that has none is refused with
 * `NotDifferentiable`, which `Program.compile` reports.
 *
 * **Shapes** `[] × tree → tree`, leaf by leaf the shape of the leaf.
 *
 * @example
 * const { weight } = Ops.grad(loss, { weight: params.weight })
 */
export const grad = <const P extends TensorTree>(loss: T.Tensor<[]>, wrt: P): P => {
  const refused = T.refusal(loss)
  if (refused !== undefined) return mapTensors(wrt, () => loss)
  if (loss.shape.length !== 0) {
    const error = new ShapeMismatch({
      op: "grad",
      path: "",
      shapes: [loss.shape],
      sentence: `grad needs a loss without dimensions but is given ${show(loss.shape)}`,
      remedy: "Reduce it first, with Ops.mean or Ops.sum",
    })
    return mapTensors(wrt, () => T.make([], { _tag: "Refused", error }))
  }
  const one = T.fill(1)
  const gradients = pullBack(new Map([[loss as T.Tensor, one as T.Tensor]]), tensorsOf(wrt))
  return mapTensors(wrt, (x) => gradients.get(x) ?? expandTo(T.fill(0), x.shape))
}

/**
 * The vector–Jacobian product: the cotangents of `wrt` from those of `outputs`. What `grad` is for a scalar, for any
 * output: `Σ y · dy` differentiated.
 *
 * @example
 * const { x: dx } = Ops.vjp(y, dy, { x })
 */
export const vjp = <S extends Shape, const P extends TensorTree>(y: T.Tensor<S>, dy: T.Tensor<S>, wrt: P): P => {
  const refused = T.refusal(y) === undefined ? (T.refusal(dy) === undefined ? undefined : dy) : y
  if (refused !== undefined) return mapTensors(wrt, () => refused)
  if (!fitsShape(y.shape, dy.shape)) {
    const error = new ShapeMismatch({
      op: "vjp",
      path: "",
      shapes: [y.shape, dy.shape],
      sentence: `vjp needs a cotangent of ${show(y.shape)} but is given ${show(dy.shape)}`,
    })
    return mapTensors(wrt, () => T.make([], { _tag: "Refused", error }))
  }
  const gradients = pullBack(new Map([[y as T.Tensor, dy as T.Tensor]]), tensorsOf(wrt))
  return mapTensors(wrt, (x) => gradients.get(x) ?? expandTo(T.fill(0), x.shape))
}

/** nodes that lead from `wrt` to `outputs`, each after everything that it reads */
const between = (outputs: Iterable<T.Tensor>, wrt: ReadonlySet<T.Tensor>): ReadonlyArray<T.Node> => {
  const needed = new Map<T.Node, boolean>()
  const order: Array<T.Node> = []
  const isNeeded = (x: T.Tensor): boolean => {
    if (wrt.has(x)) return true
    const source = x["~tensor"]
    return source._tag === "Output" && needed.get(source.node) === true
  }
  // an explicit stack: graphs of deep networks are deeper than the call stack
  const stack: Array<{ readonly node: T.Node; readonly done: boolean }> = []
  const push = (x: T.Tensor) => {
    const source = x["~tensor"]
    if (source._tag === "Output" && !needed.has(source.node)) stack.push({ node: source.node, done: false })
  }
  for (const y of outputs) push(y)
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.done) {
      const leads = top.node.inputs.some(isNeeded)
      needed.set(top.node, leads)
      if (leads) order.push(top.node)
    } else if (!needed.has(top.node)) {
      needed.set(top.node, false)
      stack.push({ node: top.node, done: true })
      for (const x of top.node.inputs) push(x)
    }
  }
  return order
}

const pullBack = (
  seeds: ReadonlyMap<T.Tensor, T.Tensor>,
  wrt: ReadonlyArray<T.Tensor>,
): ReadonlyMap<T.Tensor, T.Tensor> => {
  const wanted = new Set(wrt)
  const order = between(seeds.keys(), wanted)
  const relevant = new Set(order)
  const cotangents = new Map<T.Tensor, T.Tensor>()
  const accumulate = (x: T.Tensor, dx: T.Tensor) => {
    const source = x["~tensor"]
    if (!wanted.has(x) && !(source._tag === "Output" && relevant.has(source.node))) return
    const before = cotangents.get(x)
    cotangents.set(x, before === undefined ? dx : add(before, dx))
  }
  for (const [y, dy] of seeds) accumulate(y, dy)
  for (const node of order.toReversed()) {
    const { gradient, name } = node.op
    const dys = node.outputs.map((y) => cotangents.get(y) ?? null)
    if (gradient._tag === "Zero" || dys.every((dy) => dy === null)) continue
    if (gradient._tag === "None") {
      const error = new NotDifferentiable({ op: name, why: gradient.why })
      const refused = T.make([], { _tag: "Refused", error })
      return new Map(wrt.map((x) => [x, refused]))
    }
    const { inputs, outputs, attributes } = node
    gradient.vjp({ inputs, outputs, attributes, cotangents: dys }).forEach((dx, i) => {
      const x = inputs[i]
      if (dx !== null && x !== undefined) accumulate(x, dx)
    })
  }
  return cotangents
}
