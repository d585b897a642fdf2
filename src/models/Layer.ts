/**
 * A layer is plain data: how it shapes (as a type and as a value), which parameters it has, and what it computes. The
 * library's layers and a user's own are made with the same constructor, `layer`; there is no list to be in.
 */
import type { Tensor } from "../ops/Tensor.ts"
import type { Refusal } from "../shapes/Refusal.ts"
import type { Shape } from "../shapes/Shape.ts"

// ---------- the side of types

/**
 * A function from types to types: `out` is written in terms of `this["in"]`, the input's shape, and of `this["by"]`, who
 * gives it ("the layer above"). It is a shape, or a `Refuse<"expects … but … gives …">`.
 *
 * @example
 * interface HalveRule extends Nn.Rule {
 *   readonly out: this["in"] extends readonly [infer N, infer F extends number] ? [N, FloorDiv<F, 2>] : Refuse<"expects [N, F]">
 * }
 */
export interface Rule {
  readonly in: unknown
  readonly by: unknown
  /** where flat features come from; for the sentences of `sequential` */
  readonly from: unknown
  readonly out: unknown
}
/** the result of a rule */
export type Apply<R extends Rule, S, From = null, By = "the input"> = (R & {
  readonly in: S
  readonly from: From
  readonly by: By
})["out"]

/** what the type of a layer carries */
export interface Spec {
  readonly rule: Rule
  /** the shapes of its own parameters and running statistics */
  readonly params: object
  readonly label: string
  readonly children: ReadonlyArray<unknown>
}
/** the `"~"` of a layer's interface */
export interface Typed<
  R extends Rule,
  Params extends object = object,
  Label extends string = string,
  Children extends ReadonlyArray<unknown> = [],
> {
  readonly rule: R
  readonly params: Params
  readonly label: Label
  readonly children: Children
}

/** a string for `this["by"]` of a rule, which is not known to be one */
export type By<B> = B extends string ? B : "the input"

// ---------- the side of values

/** A layer. A user's own is an interface that extends this one with its `kind` and its `"~"`. */
export interface Layer {
  /** what it is: `conv2d` */
  readonly kind: string
  /** what it is called in tables and sentences: `conv2d(3, 64)` */
  readonly label: string
  /** what PyTorch prints for it: `Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))`; a block's is only its class */
  readonly repr: string
  /** the output's shape, or the predicate of the sentence that says why there is none */
  readonly rule: (input: Shape, at: At) => Shape | Refusal
  /** its own, in PyTorch's order */
  readonly params: ReadonlyArray<Param>
  readonly children: ReadonlyArray<Child>
  /** which child is asked what, in order, up to the first that refuses; `null` for a layer that tables show as one */
  readonly inside: ((input: Shape, at: At) => ReadonlyArray<Call>) | null
  /** for one sample, of shapes whose names are 1 */
  readonly multiplyAdds: (input: Shape, output: Shape) => number
  /** whether in evaluation too a sample's output depends on the others of its batch, so that none may be padding; false when absent */
  readonly mixesSamples?: boolean
  /** a method, so that a layer may ask for its own parameters by name */
  forward(x: Tensor, context: Context): Forward
  /** only a type */
  readonly "~": Spec
}

export interface Child {
  /** the name in the state_dict; `null` for the position; empty where its children's names are the parent's own */
  readonly name: string | null
  readonly layer: Layer
}
/** what a child is given */
export interface Call {
  /** its position */
  readonly child: number
  readonly input: Shape
  readonly at: At
}

/** where a rule is asked */
export interface At {
  /** who gives the shape: "the layer above" */
  readonly by: string
  /** the shape that was flattened to the input, where that is known */
  readonly from: Shape | null
}

export interface Param {
  /** the last part of its name in the state_dict: `weight` */
  readonly name: string
  readonly shape: ReadonlyArray<number>
  /** PyTorch's `requires_grad`: not of running statistics, nor of what was frozen */
  readonly requiresGrad: boolean
  /** a parameter that `Nn.freeze` holds; false when absent */
  readonly frozen?: boolean
  readonly init: Init
}
/** the numbers that a parameter starts with */
export type Init =
  /** uniform in ±bound */
  | { readonly _tag: "Uniform"; readonly bound: number }
  | { readonly _tag: "Fill"; readonly value: number }
  | {
      readonly _tag: "Normal"
      readonly mean: number
      readonly std: number
      /** the number of a row that is 0; none when absent */
      readonly zeroRow?: number | null
    }
  /** a normal distribution without what lies below `from` or above `to` */
  | {
      readonly _tag: "TruncatedNormal"
      readonly mean: number
      readonly std: number
      readonly from: number
      readonly to: number
    }
  /** of variance `gain² / fan`: Kaiming's with one fan, Xavier's with their mean */
  | {
      readonly _tag: "Scaled"
      readonly distribution: "uniform" | "normal"
      readonly fan: "in" | "out" | "mean"
      readonly gain: number
    }

/** What a layer's `forward` is given beside its input. */
export interface Context<P extends Tensors = Tensors> {
  /** its own parameters by name */
  readonly params: P
  /** batch norm and dropout differ in training */
  readonly training: boolean
  /** the layer's own stream of random numbers; `null` when no seed was given */
  readonly random: RandomStream | null
  /** the output and updates of child `i` for an input */
  readonly child: (i: number, x: Tensor) => Forward
}
export interface Tensors {
  readonly [name: string]: Tensor | undefined
}
export interface RandomStream {
  /** an input of the program, as `Tensor.seed` describes it */
  readonly key: Tensor
  /** the number of the layer's path */
  readonly stream: number
}

export interface Forward {
  readonly output: Tensor
  /** the next values of running statistics, by name as in the state_dict below this layer */
  readonly updates: { readonly [name: string]: Tensor }
  /** what auxiliary heads give in training, by the name of each; none when absent */
  readonly auxiliary?: { readonly [name: string]: Tensor }
}

/**
 * A layer from its parts; `H` is its interface.
 *
 * @example
 * export const relu = (): ReLU => layer<ReLU>({
 *   kind: "relu", label: "relu", rule: (input) => input, forward: pure((x) => Ops.relu(x)),
 * })
 */
export const layer = <H extends Layer>(parts: {
  readonly kind: H["kind"]
  readonly label: string
  /** its kind, as a class without arguments, when absent */
  readonly repr?: string
  readonly rule: Layer["rule"]
  /** none when absent */
  readonly params?: ReadonlyArray<Param>
  /** none when absent */
  readonly children?: ReadonlyArray<Child>
  /** one row of a table when absent */
  readonly inside?: Layer["inside"]
  /** 0 when absent */
  readonly multiplyAdds?: Layer["multiplyAdds"]
  /** false when absent */
  readonly mixesSamples?: boolean
  readonly forward: Layer["forward"]
}): H => {
  const repr = `${parts.kind.charAt(0).toUpperCase()}${parts.kind.slice(1)}()`
  const made: Omit<Layer, "~"> = { repr, params: [], children: [], inside: null, multiplyAdds: () => 0, ...parts }
  // "~" is only a type: nothing reads it, and H says what else the type knows
  return made as H
}

/** Whether a layer in it does what `mixesSamples` says. */
export const mixesSamples = (net: Layer): boolean =>
  net.mixesSamples === true || net.children.some((child) => mixesSamples(child.layer))

/** The `forward` of a layer that updates nothing. */
export const pure =
  <P extends Tensors = Tensors>(f: (x: Tensor, context: Context<P>) => Tensor) =>
  (x: Tensor, context: Context<P>): Forward => ({ output: f(x, context), updates: {} })

/** a trainable parameter */
export const trainable = (name: string, shape: ReadonlyArray<number>, init: Init): Param => ({
  name,
  shape,
  requiresGrad: true,
  init,
})

/** PyTorch's default for weights and biases, Kaiming-uniform with a = √5: uniform in ±1/√(fan in). */
export const fanIn = (n: number): Init => ({ _tag: "Uniform", bound: 1 / Math.sqrt(n) })
