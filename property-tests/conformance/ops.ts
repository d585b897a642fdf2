/** Reference cases of single ops. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Device } from "../../src/gpu/Device.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import * as T from "../../src/ops/Tensor.ts"
import {
  bool,
  float,
  floats,
  type Given,
  int,
  ints,
  type Kinds,
  none,
  oneOf,
  or,
  orNull,
  outputSize,
  pair,
  understood,
} from "./attributes.ts"
import type { Cases, OpCase, Tensor } from "./Cases.ts"
import { asTensor, difference, notSupported, type Verdict, verdict } from "./Verdict.ts"

/** what an op gives: `y`, or several tensors by name; a sentence where it cannot be asked for that */
type Outcome = T.Tensor | { readonly [name: string]: T.Tensor | null } | string

type Inputs = { readonly [name: string]: T.Tensor }

interface Entry {
  /** the names of its inputs, those that may be missing with a question mark; `null` for any, in the case's order */
  readonly inputs: ReadonlyArray<string> | null
  readonly kinds: Kinds
  readonly call: (inputs: Inputs, attributes: Given<Kinds>, all: ReadonlyArray<T.Tensor>) => Outcome
}

/** inputs by name: `"bias?"` may be missing */
type Named<N extends string> = { readonly [M in N as M extends `${string}?` ? never : M]: T.Tensor } & {
  readonly [M in N as M extends `${infer R}?` ? R : never]?: T.Tensor
}

const entry = <const N extends string, const K extends Kinds>(
  inputs: ReadonlyArray<N> | null,
  kinds: K,
  call: (inputs: Named<N>, attributes: Given<K>, all: ReadonlyArray<T.Tensor>) => Outcome,
): Entry => ({
  inputs,
  kinds,
  // `outcome` calls it only with inputs of these names and attributes of these kinds
  call: call as Entry["call"],
})

const missing = (name: string): string => `no ${name}`
const reduction = oneOf("mean", "sum", "none")
const reduced = { dim: orNull(or(int, ints)), keepDim: bool }
const classes = { ignoreIndex: int, reduction }
/** targets that are probabilities have the shape of the logits, class indices have one dimension less */
const areIndices = (x: T.Tensor, target: T.Tensor): boolean => target.shape.length === x.shape.length - 1
/** the class of a sample without a batch is a scalar, which is stored with a dimension of its own */
const classOf = (x: T.Tensor, target: T.Tensor): T.Tensor =>
  x.shape.length === 1 && x.shape[0] !== 1 && target.shape.join() === "1" ? Ops.reshape(target, []) : target
const pooled = { kernelSize: pair, stride: orNull(pair), padding: pair, ceilMode: bool }

/** Every op whose call is more than its inputs in order; all others take their inputs in order and no attribute. */
export const table: Readonly<Record<string, Entry>> = {
  adaptiveAvgPool2d: entry(["x"], { outputSize }, ({ x }, { outputSize }) =>
    outputSize === undefined ? missing("outputSize") : Ops.adaptiveAvgPool2d(x, outputSize),
  ),
  adaptiveMaxPool2d: entry(["x"], { outputSize }, ({ x }, { outputSize }) =>
    outputSize === undefined ? missing("outputSize") : Ops.adaptiveMaxPool2d(x, outputSize),
  ),
  amax: entry(["x"], reduced, ({ x }, o) => Ops.amax(x, o)),
  amin: entry(["x"], reduced, ({ x }, o) => Ops.amin(x, o)),
  argmax: entry(["x"], { dim: orNull(int), keepDim: bool }, ({ x }, { dim, keepDim = false }) =>
    Ops.argmax(x, dim, { keepDim }),
  ),
  avgPool2d: entry(
    ["x"],
    { ...pooled, countIncludePad: bool, divisorOverride: orNull(int) },
    ({ x }, { kernelSize, ...o }) =>
      kernelSize === undefined ? missing("kernelSize") : Ops.avgPool2d(x, { kernelSize, ...o }),
  ),
  batchNorm2d: entry(
    ["x", "weight?", "bias?", "runningMean?", "runningVar?", "numBatchesTracked?"],
    { training: bool, momentum: or(float, none), eps: float },
    ({ x, numBatchesTracked: before, ...tensors }, { training = false, momentum = 0.1, ...o }) => {
      const seen: T.Tensor = Ops.add(before === undefined ? T.fill(0) : Ops.reshape(before, []), training ? 1 : 0)
      // without a momentum, each batch has the same share in the mean of all
      const share = momentum ?? Ops.div(1, seen)
      const { output, runningMean, runningVar } = Ops.batchNorm2d(x, { ...tensors, ...o, training, momentum: share })
      return { y: output, newRunningMean: runningMean, newRunningVar: runningVar, newNumBatchesTracked: seen }
    },
  ),
  binaryCrossEntropyWithLogits: entry(
    ["x", "target", "weight?", "posWeight?"],
    { reduction },
    ({ x, target, ...weights }, o) => Ops.binaryCrossEntropyWithLogits(x, target, { ...weights, ...o }),
  ),
  concat: entry(null, { dim: int }, (_, { dim = 0 }, all) => Ops.concat(all, dim)),
  conv2d: entry(
    ["x", "weight", "bias?"],
    {
      stride: pair,
      padding: or(pair, oneOf("same", "valid")),
      dilation: pair,
      groups: int,
      paddingMode: oneOf("zeros", "reflect", "replicate", "circular"),
    },
    ({ x, weight, bias }, o) => Ops.conv2d(x, weight, bias, o),
  ),
  convTranspose2d: entry(
    ["x", "weight", "bias?"],
    { stride: pair, padding: pair, outputPadding: pair, groups: int, dilation: pair },
    ({ x, weight, bias }, o) => Ops.convTranspose2d(x, weight, bias, o),
  ),
  crossEntropy: entry(
    ["x", "target", "weight?"],
    { ...classes, labelSmoothing: float },
    ({ x, target, ...weights }, o) => Ops.crossEntropy(x, classOf(x, target), { ...weights, ...o }),
  ),
  elu: entry(["x"], { alpha: float }, ({ x }, o) => Ops.elu(x, o)),
  embedding: entry(null, { paddingIdx: orNull(int) }, (_, { paddingIdx = null }, [index, weight]) =>
    index === undefined || weight === undefined
      ? missing("index and weight")
      : // the op's type asks for a weight of two known sizes; its rule refuses any other
        Ops.embedding(index, weight as T.Tensor<[number, number]>, { paddingIndex: paddingIdx }),
  ),
  expandTo: entry(["x"], { shape: ints }, ({ x }, { shape }) =>
    shape === undefined ? missing("shape") : Ops.expandTo(x, shape),
  ),
  flatten: entry(["x"], { startDim: int, endDim: int }, ({ x }, { startDim = 0, endDim }) =>
    Ops.flatten(x, startDim, endDim),
  ),
  gelu: entry(["x"], { approximate: oneOf("none", "tanh") }, ({ x }, o) => Ops.gelu(x, o)),
  groupNorm: entry(["x", "weight?", "bias?"], { numGroups: int, eps: float }, ({ x, ...tensors }, { numGroups, eps }) =>
    numGroups === undefined
      ? missing("numGroups")
      : Ops.groupNorm(x, numGroups, { ...tensors, ...(eps === undefined ? {} : { eps }) }),
  ),
  huberLoss: entry(["x", "target"], { reduction, delta: float }, ({ x, target }, o) => Ops.huberLoss(x, target, o)),
  interpolate: entry(
    ["x"],
    {
      size: orNull(pair),
      scaleFactor: orNull(floats),
      mode: oneOf("nearest", "bilinear"),
      alignCorners: orNull(bool),
      recomputeScaleFactor: orNull(bool),
    },
    ({ x }, o) => Ops.interpolate(x, o),
  ),
  l1Loss: entry(["x", "target"], { reduction }, ({ x, target }, o) => Ops.l1Loss(x, target, o)),
  layerNorm: entry(
    ["x", "weight?", "bias?"],
    { normalizedShape: ints, eps: float },
    ({ x, ...tensors }, { normalizedShape = tensors.weight?.shape.map(Number), eps }) =>
      normalizedShape === undefined
        ? missing("normalizedShape")
        : Ops.layerNorm(x, normalizedShape, { ...tensors, ...(eps === undefined ? {} : { eps }) }),
  ),
  leakyRelu: entry(["x"], { negativeSlope: float }, ({ x }, o) => Ops.leakyRelu(x, o)),
  linear: entry(["x", "weight", "bias?"], {}, ({ x, weight, bias }) => Ops.linear(x, weight, bias)),
  localResponseNorm: entry(["x"], { size: int, alpha: float, beta: float, k: float }, ({ x }, { size, ...o }) =>
    size === undefined ? missing("size") : Ops.localResponseNorm(x, size, o),
  ),
  logSoftmax: entry(["x"], { dim: int }, ({ x }, { dim }) =>
    dim === undefined ? missing("dim") : Ops.logSoftmax(x, dim),
  ),
  maxPool2d: entry(["x"], { ...pooled, dilation: pair }, ({ x }, { kernelSize, ...o }) =>
    kernelSize === undefined ? missing("kernelSize") : Ops.maxPool2d(x, { kernelSize, ...o }),
  ),
  mean: entry(["x"], reduced, ({ x }, o) => Ops.mean(x, o)),
  mseLoss: entry(["x", "target"], { reduction }, ({ x, target }, o) => Ops.mseLoss(x, target, o)),
  nllLoss: entry(["x", "target", "weight?"], classes, ({ x, target, ...weights }, o) =>
    areIndices(x, classOf(x, target))
      ? Ops.nllLoss(x, classOf(x, target), { ...weights, ...o })
      : "targets that are no class indices",
  ),
  pad: entry(
    ["x"],
    { padding: ints, mode: oneOf("constant", "reflect", "replicate", "circular"), value: orNull(float) },
    ({ x }, { padding, ...o }) => (padding === undefined ? missing("padding") : Ops.pad(x, padding, o)),
  ),
  permute: entry(["x"], { dims: ints }, ({ x }, { dims }) =>
    dims === undefined ? missing("dims") : Ops.permute(x, dims),
  ),
  pick: entry(["x", "index"], { ignoreIndex: int }, ({ x, index }, o) => Ops.pick(x, index, o)),
  pow: entry(null, { exponent: float }, (_, { exponent }, [x, y]) => {
    const power = y ?? exponent
    if (x === undefined || power === undefined) return missing("exponent")
    return typeof power === "number" ? Ops.pow(x, power) : Ops.pow(x, power)
  }),
  reshape: entry(["x"], { shape: ints }, ({ x }, { shape }) =>
    shape === undefined ? missing("shape") : Ops.reshape(x, shape),
  ),
  slice: entry(
    ["x"],
    { dim: int, start: orNull(int), end: orNull(int), step: int },
    ({ x }, { dim = 0, start = 0, end, step = 1 }) => Ops.slice(x, dim, start, end, { step }),
  ),
  softmax: entry(["x"], { dim: int }, ({ x }, { dim }) => (dim === undefined ? missing("dim") : Ops.softmax(x, dim))),
  softplus: entry(["x"], { beta: float, threshold: float }, ({ x }, o) => Ops.softplus(x, o)),
  sum: entry(["x"], reduced, ({ x }, o) => Ops.sum(x, o)),
  sumTo: entry(["x"], { shape: ints }, ({ x }, { shape }) =>
    shape === undefined ? missing("shape") : Ops.sumTo(x, shape),
  ),
  variance: entry(["x"], { ...reduced, correction: int, unbiased: bool }, ({ x }, { unbiased, ...o }) =>
    Ops.variance(x, unbiased === undefined ? o : { ...o, correction: unbiased ? 1 : 0 }),
  ),
}

/** what of the list is no op that a reference could be computed of, and why */
export const unreferenced: Readonly<Record<string, string>> = {
  dropout: "its elements are chosen by our own random numbers",
  grad: "it differentiates other ops, as every case does",
  vjp: "it differentiates other ops, as every case does",
}

/** an op of the list that takes its inputs in order and nothing else */
const inOrder = (name: string): Entry | undefined => {
  if (!Object.hasOwn(Ops, name) || Object.hasOwn(unreferenced, name)) return undefined
  // what is neither in the table nor above takes tensors only: a house test reads the sources for that
  const op = Ops[name as keyof typeof Ops] as (...inputs: ReadonlyArray<T.Tensor>) => T.Tensor
  return entry(null, {}, (_, __, all) => op(...all))
}

/** the graph of a case, or what of it is not supported */
const outcome = (c: OpCase, inputs: Inputs): Outcome => {
  const found = Object.hasOwn(table, c.op) ? table[c.op] : inOrder(c.op)
  if (found === undefined) return `the op ${c.op}`
  if (found.inputs !== null) {
    const known = found.inputs.map((n) => n.replace("?", ""))
    const stranger = Object.keys(inputs).find((n) => !known.includes(n))
    if (stranger !== undefined) return `the input ${stranger}`
    const absent = found.inputs.find((n) => !n.endsWith("?") && inputs[n] === undefined)
    if (absent !== undefined) return `${c.op} without ${absent}`
  }
  const attributes = understood(found.kinds, c.attrs)
  return "unknown" in attributes
    ? attributes.unknown
    : found.call(
        inputs,
        attributes.given,
        c.inputs.flatMap((n) => inputs[n] ?? []),
      )
}

const outputs = (made: Exclude<Outcome, string>): { readonly [name: string]: T.Tensor | null } =>
  T.isTensor(made) ? { y: made } : made

/** a cotangent as the output has it: a scalar is stored as one number with a dimension of its own */
const like = (dy: T.Tensor, y: T.Tensor): T.Tensor =>
  dy.shape.length === 1 && dy.shape[0] === 1 && y.shape.length === 0 ? Ops.reshape(dy, []) : dy

/** Runs one case: the op's outputs, then the gradients of `sum(y · dy)`, in one program. */
export const runOp = Effect.fnUntraced(function* (c: OpCase, { tensor }: Cases) {
  const own = (name: string): Tensor => tensor(`${c.name}/${name}`)
  const state = c.state ?? []
  const cotangent = c.grads.length === 0 ? [] : [c.cotangent]
  const given = Object.fromEntries([...c.inputs, ...state, ...cotangent].map((name) => [name, own(name)]))
  const split = (all: Inputs): { readonly inputs: Inputs; readonly dy: T.Tensor | undefined } => {
    const { [c.cotangent]: dy, ...inputs } = all
    return { inputs, dy }
  }
  // once without a device: an op says what it does not take before anything is compiled
  const trial = outcome(c, split(Object.fromEntries(Object.entries(given).map(([n, t]) => [n, T.constant(t)]))).inputs)
  if (typeof trial === "string") return notSupported(trial)
  const wanted = [...c.outputs, ...(c.newState ?? [])]
  const absent = wanted.find((name) => outputs(trial)[name] == null)
  if (absent !== undefined) return notSupported(`the output ${absent}`)

  const specs = Object.fromEntries(Object.entries(given).map(([n, { shape }]) => [n, T.input(...shape)]))
  const program = yield* Program.compile(
    specs,
    (all) => {
      const { inputs, dy } = split(all)
      const made = outcome(c, inputs)
      const ys = typeof made === "string" ? {} : outputs(made)
      const y = ys["y"]
      const wrt = Object.fromEntries(c.grads.flatMap((n) => (inputs[n] === undefined ? [] : [[n, inputs[n]]])))
      return {
        outputs: Object.fromEntries(wanted.flatMap((n) => (ys[n] == null ? [] : [[n, ys[n]]]))),
        gradients: y == null || dy === undefined ? {} : Ops.vjp(y, like(dy, y), wrt),
      }
    },
    { name: c.name },
  )
  const results = yield* program.run(given)
  return verdict([
    ...wanted.map((n) => difference(n, asTensor(results.outputs[n]), own(n), c.tol)),
    ...c.grads.map((n) => difference(`d${n}`, asTensor(results.gradients[n]), own(`d${n}`), c.tol)),
  ])
}) satisfies (c: OpCase, cases: Cases) => Effect.Effect<Verdict, unknown, Device | Scope.Scope>
