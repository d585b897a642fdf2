/**
 * An op is one record: how it shapes, what it computes (an index expression), how its gradient is written in other ops.
 * A user's own op is made with the same constructors as the library's.
 */
import type { Contraction } from "../gpu/Contraction.ts"
import type * as K from "../gpu/Kernel.ts"
import { isRefusal, type Refusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import * as Tensor from "./Tensor.ts"

type AnyTensor = Tensor.Tensor

export interface Primitive<A> {
  readonly name: string
  /** how many tensors it gives, all of one shape */
  readonly outputs: number
  readonly shape: (inputs: ReadonlyArray<Shape>, attributes: A) => Shape | Refusal
  readonly kernel: (context: KernelContext<A>) => Body
  readonly gradient: Gradient<A>
}

/** Every size is known when a kernel is made. */
export interface KernelContext<A> {
  readonly inputs: ReadonlyArray<ReadonlyArray<number>>
  readonly output: ReadonlyArray<number>
  readonly attributes: A
  /** the point of the output that is computed: axis 0, axis 1, … */
  readonly at: ReadonlyArray<K.Index>
}

/**
 * One value for each output (loads name the op's inputs by position), or a contraction, or `"view"`: the first input's
 * numbers, in the same order, under another shape.
 */
export type Body = ReadonlyArray<K.Value> | Contraction | "view"

export type Gradient<A> =
  | { readonly _tag: "Vjp"; readonly vjp: (context: VjpContext<A>) => ReadonlyArray<AnyTensor | null> }
  | { readonly _tag: "Zero" }
  | { readonly _tag: "None"; readonly why: string }

export interface VjpContext<A> {
  readonly inputs: ReadonlyArray<AnyTensor>
  readonly outputs: ReadonlyArray<AnyTensor>
  readonly attributes: A
  /** the incoming gradient of each output; `null` where nothing depends on it */
  readonly cotangents: ReadonlyArray<AnyTensor | null>
}

/** what the rules of a gradient see; the first input, output and cotangent by name, since most ops have one */
export interface Backward<A> {
  readonly inputs: ReadonlyArray<AnyTensor>
  readonly outputs: ReadonlyArray<AnyTensor>
  readonly attributes: A
  readonly x: AnyTensor
  readonly y: AnyTensor
  readonly dy: AnyTensor
}

const backward = <A>({ inputs, outputs, attributes, cotangents }: VjpContext<A>): Backward<A> | null => {
  const [x, y, dy] = [inputs[0], outputs[0], cotangents[0]]
  return x === undefined || y === undefined || dy === undefined || dy === null
    ? null
    : { inputs, outputs, attributes, x, y, dy }
}

/** a gradient as a rule: the cotangent of each input from that of the first output */
export const vjp = <A>(rule: (b: Backward<A>) => ReadonlyArray<AnyTensor | null>): Gradient<A> => ({
  _tag: "Vjp",
  vjp: (context) => {
    const b = backward(context)
    return b === null ? context.inputs.map(() => null) : rule(b)
  },
})

/** the op is linear in its only input, and this is its transpose */
export const linear = <A>(transpose: (dy: AnyTensor, b: Backward<A>) => AnyTensor): Gradient<A> =>
  vjp((b) => [transpose(b.dy, b)])

/** the op is linear in each of its two inputs, and these are the two transposes */
export const bilinear = <A>(
  first: (dy: AnyTensor, b: Backward<A>) => AnyTensor,
  second: (dy: AnyTensor, b: Backward<A>) => AnyTensor,
): Gradient<A> => vjp((b) => [first(b.dy, b), second(b.dy, b)])

/** the derivative is zero wherever it exists */
export const zero: Gradient<never> & { readonly _tag: "Zero" } = { _tag: "Zero" }

/** there is no derivative, and this is why */
export const none = (why: string): Gradient<never> & { readonly _tag: "None" } => ({ _tag: "None", why })

/**
 * A primitive op from its parts.
 *
 * @example
 * const scale2 = Op.primitive<{}>({
 *   name: "scale2",
 *   shape: ([x]) => x!,
 *   kernel: ({ at }) => [K.mul(K.load(0, at), 2)],
 *   gradient: Op.linear((dy) => Op.call(scale2, [dy], {})),
 * })
 */
export const primitive = <A = object>(op: {
  readonly name: string
  readonly outputs?: number
  readonly shape: Primitive<A>["shape"]
  readonly kernel: Primitive<A>["kernel"]
  readonly gradient: Gradient<A>
}): Primitive<A> => ({ ...op, outputs: op.outputs ?? 1 })

/** what stands for the result of `op` where its inputs cannot be taken, and why */
export const refused = <S extends Shape>(
  op: string,
  inputs: ReadonlyArray<AnyTensor>,
  { sentence }: Refusal,
): Tensor.Tensor<S> => {
  const before = inputs.find((x) => Tensor.refusal(x) !== undefined)
  const shapes = inputs.map((x) => x.shape)
  const error = new ShapeMismatch({ op, path: "", shapes, sentence: `${op}: ${sentence}` })
  // nothing reads the shape of what is refused
  return (before ?? Tensor.make([], { _tag: "Refused", error })) as Tensor.Tensor<never>
}

/** all outputs of `op` applied to `inputs`; a refusal of an input, or of the op's own rule, passes to each */
export const callAll = <A>(
  op: Primitive<A>,
  inputs: ReadonlyArray<AnyTensor>,
  attributes: A,
): ReadonlyArray<AnyTensor> => {
  const outputs = Array.from({ length: op.outputs }, (_, i) => i)
  const before = inputs.find((x) => Tensor.refusal(x) !== undefined)
  if (before !== undefined) return outputs.map(() => before)
  const shapes = inputs.map((x) => x.shape)
  const shape = op.shape(shapes, attributes)
  if (isRefusal(shape)) return outputs.map(() => refused(op.name, inputs, shape))
  const made: Array<AnyTensor> = []
  // the graph keeps ops of every attribute type together; `attributes` travels beside the op that understands it
  const node: Tensor.Node = { op: op as Primitive<unknown>, attributes, inputs, outputs: made, shape }
  made.push(...outputs.map((output) => Tensor.make(shape, { _tag: "Output", node, output })))
  return made
}

/**
 * The (first) output of `op` applied to `inputs`. `S` is what the caller's types say the shape is: the op's own rule
 * computes the same at run time.
 */
export const call = <A, S extends Shape = Shape>(
  op: Primitive<A>,
  inputs: ReadonlyArray<AnyTensor>,
  attributes: A,
): Tensor.Tensor<S> =>
  // the rule as a value and the rule as a type are tested on one table of cases
  callAll(op, inputs, attributes)[0] as Tensor.Tensor<S>

/**
 * An op that is written in other ops: what one of its parts refuses is refused in the op's own name.
 *
 * @example
 * export const swish = Op.composed("swish", <S extends Shape>(x: Tensor<S>) => mul(x, sigmoid(x)))
 */
export const composed = <F extends (...given: never) => AnyTensor>(name: string, f: F): F => {
  const own = (...given: ReadonlyArray<unknown>): AnyTensor => {
    // what `own` is given is what `f` takes: they have one type
    const y = f(...(given as never))
    const error = Tensor.refusal(y)
    if (error?._tag !== "ShapeMismatch") return y
    const inputs = given.flatMap(tensorsIn)
    if (inputs.some((x) => Tensor.refusal(x) !== undefined)) return y
    const { path, sentence } = error
    const named = sentence.startsWith(`${error.op}: `) ? sentence.slice(error.op.length + 2) : sentence
    const { remedy } = error
    const renamed = new ShapeMismatch({
      op: name,
      path,
      shapes: inputs.map((x) => x.shape),
      sentence: `${name}: ${named}`,
      ...(remedy === undefined ? {} : { remedy }),
    })
    return Tensor.make([], { _tag: "Refused", error: renamed })
  }
  // takes and gives what `f` does
  return own as typeof own & F
}

/** the tensors of an argument: itself, or those among its options */
const tensorsIn = (argument: unknown): ReadonlyArray<AnyTensor> => {
  if (Tensor.isTensor(argument)) return [argument]
  return typeof argument === "object" && argument !== null ? Object.values(argument).filter(Tensor.isTensor) : []
}
