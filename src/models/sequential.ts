/** Layers in order: the check of their shapes, as a type and as a value, and the names of their parameters. */
import type { Tensor } from "../ops/Tensor.ts"
import { isRefusal, type Refusal, refuse } from "../shapes/Refusal.ts"
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import { type Shape, type Show, show } from "../shapes/Shape.ts"
import type { Size } from "../shapes/size.ts"
import { type Apply, type At, type Call, type Child, type Context, type Forward, type Layer, layer } from "./Layer.ts"
import type { Rule } from "./Layer.ts"
import type { Typed } from "./Layer.ts"

// ---------- what may stand in a list of layers

/**
 * a layer, [name, layer], a block [a, b, c], or a named block [name, [a, b, c]]; with the empty name the names inside
 * are those of the list it stands in
 */
export type Item = Layer | readonly [string, Layer | ReadonlyArray<Item>] | ReadonlyArray<Item>

type ToLayer<I> = I extends Layer
  ? I
  : I extends readonly [infer N extends string, infer B]
    ? Named<N, ToLayer<B>>
    : I extends ReadonlyArray<unknown>
      ? Seq<ToLayers<I>>
      : never
export type ToLayers<L extends ReadonlyArray<unknown>, Z extends ReadonlyArray<unknown> = []> = L extends readonly [
  infer H,
  ...infer R,
]
  ? ToLayers<R, [...Z, ToLayer<H>]>
  : L extends readonly []
    ? Z
    : ReadonlyArray<Layer>

/** a child with its name; only a type */
export interface Named<N extends string, H> {
  readonly name: N
  readonly layer: H
}
type LayerOf<H> = H extends Named<string, infer B> ? B : H
export type NameOf<H, I> = H extends { readonly name: infer N extends string } ? N : I & string
/** the name of what is inside an item of a list, as the list sees it */
export type Under<N extends string, Inner extends string> = N extends "" ? Inner : `${N}.${Inner}`
/** what an item is called in an error: its position, where its name is empty */
type PlaceOf<H, I> = NameOf<H, I> extends "" ? I & string : NameOf<H, I>

// ---------- the sentence of an error

type Above = "the layer above"
export type OutOf<H, S, From, By> =
  LayerOf<H> extends { readonly "~": { readonly rule: infer R extends Rule } } ? Apply<R, S, From, By> : never
type Label<H> = LayerOf<H> extends { readonly "~": { readonly label: infer L extends string } } ? L : "layer"
type Kind<H> = LayerOf<H> extends { readonly kind: infer K } ? K : never
type NoBatch<S> = S extends readonly [unknown, ...infer R extends Shape] ? R : S
/** where flat features come from, (256×6×6): kept as long as the layers keep the shape */
type Source<H, S, O, From> = Kind<H> extends "flatten" ? Flat<S, O> : S extends O ? From : null
type Flat<S, O> = O extends readonly [First<S>, unknown] ? NoBatch<S> : null
type First<S> = S extends readonly [infer N, ...ReadonlyArray<unknown>] ? N : unknown
type Note<From> = From extends Shape ? ` (${Show<From>})` : ""
type Sentence<H, M extends string, From> = `${Label<H>} cannot follow: it ${M}${Note<From>}`
export type Index<Z extends ReadonlyArray<unknown>> = `${Z["length"] & number}`
/** the whole sentence about an item; with the path to it when it is inside one */
type Message<H, O, From, I> = [O] extends [never]
  ? `${Label<H>} cannot follow: its rule gives no shape`
  : O extends Refusal<infer M, infer P>
    ? P extends ""
      ? Sentence<H, M, From>
      : `${Under<NameOf<H, I>, P>}: ${M}`
    : null
/** a refusal as the list that holds the item sees it: a sentence is made where the refusal is, then only the path grows */
export type Deeper<H, I, O, From> =
  O extends Refusal<infer M, infer P>
    ? P extends ""
      ? Refusal<Sentence<H, M, From>, PlaceOf<H, I>>
      : Refusal<M, Under<NameOf<H, I>, P>>
    : never

// ---------- running a list of layers on a shape; every loop is tail recursive

export type Run<
  L extends ReadonlyArray<unknown>,
  S,
  From = null,
  By = "the input",
  Z extends ReadonlyArray<unknown> = [],
> = L extends readonly [infer H, ...infer R]
  ? OutOf<H, S, From, By> extends infer O
    ? O extends Refusal
      ? Deeper<H, Index<Z>, O, From>
      : Run<R, O, Source<H, S, O, From>, Above, [...Z, 0]>
    : never
  : L extends readonly []
    ? S
    : Shape
/** marks the place of an error, so that a block with one is told from a block without */
interface Wrong<M> {
  readonly wrong: M
}
/** the items as they are, but in the place of the first that does not fit: what it would have to be */
export type Check<
  L extends ReadonlyArray<unknown>,
  S,
  From = null,
  By = "the input",
  Nested = false,
  Z extends ReadonlyArray<unknown> = [],
> = L extends readonly [infer I, ...infer R]
  ? ToLayer<I> extends infer H
    ? OutOf<H, S, From, By> extends infer O
      ? [O] extends [Refusal]
        ? [...Z, Marked<Nested, Mark<I, H, O, S, From, By, Index<Z>>>, ...R]
        : Check<R, O, Source<H, S, O, From>, Above, Nested, [...Z, I]>
      : never
    : never
  : [...Z, ...L]
type Marked<Nested, M> = Nested extends true ? M : Wrong<M>
/** the sentence, or the block with the sentence in the place of its own first that does not fit */
type Mark<I, H, O, S, From, By, Ix> = I extends Layer
  ? Message<H, O, From, Ix>
  : I extends readonly [infer N extends string, infer B]
    ? [N, B extends ReadonlyArray<unknown> ? Check<B, S, From, By, true> : Message<H, O, From, Ix>]
    : I extends ReadonlyArray<unknown>
      ? Check<I, S, From, By, true>
      : never
type Place<V, K> = K extends keyof V ? V[K] : never
type Asked<W> = W extends Wrong<infer M> ? M : never
/**
 * The types of the arguments. The condition has no `infer` and fails for all that fits, so that what stays open in a
 * generic function is accepted there and decided where its types are known.
 */
export type Checked<L extends ReadonlyArray<unknown>, S> = {
  [K in keyof L]: Place<Check<L, S>, K> extends Wrong<unknown> ? Asked<Place<Check<L, S>, K>> : L[K]
}

// ---------- containers

export interface SeqRule<L extends ReadonlyArray<unknown>> extends Rule {
  readonly out: Run<L, this["in"], this["from"], this["by"]>
}
/** A block for any input. */
export interface Seq<L extends ReadonlyArray<unknown>> extends Layer {
  readonly kind: "seq"
  readonly "~": Typed<SeqRule<L>, object, "seq", L>
}
/** Layers in order, from a known input. */
export interface Net<In extends Shape, Out extends Shape, L extends ReadonlyArray<unknown>> extends Layer {
  readonly kind: "seq"
  readonly in: In
  /** empty where the layers do not fit; `refusal` says why */
  readonly out: Out
  /** why the layers do not fit, in the words of the compile error; `null` when they do */
  readonly refusal: ShapeMismatch | null
  readonly "~": Typed<SeqRule<L>, object, "seq", L>
}
export interface Input<S extends Shape> {
  readonly input: S
}
export type AsShape<O> = O extends Shape ? O : never

/**
 * The input of a model: literal sizes and names.
 *
 * @example
 * Nn.input("N", 1, 28, 28)
 */
export const input = <const S extends Shape>(
  ...shape: { [I in keyof S]: S[I] extends number ? Size<S[I]> : S[I] }
): Input<[...S]> => {
  // a guarded argument is the argument itself, or the call does not compile
  const given = shape as Shape as S
  return { input: [...given] }
}

/**
 * All layers in order, checked from a known input; the one that does not fit is the compile error.
 *
 * Nothing throws: a net whose layers do not fit (possible where sizes are only known at run time) carries its `refusal`,
 * and what it is applied to carries it on.
 *
 * @example
 * const net = Nn.sequential(Nn.input("N", 4), ["fc1", Nn.linear(4, 8)], Nn.relu(), ["fc2", Nn.linear(8, 3)])
 * net.out // => ["N", 3]
 */
export const sequential = <S extends Shape, const L extends ReadonlyArray<Item>>(
  input: Input<S>,
  ...layers: Checked<L, S>
): Net<S, AsShape<Run<ToLayers<L>, S>>, ToLayers<L>> => {
  const inner = container(layers as ReadonlyArray<Item>)
  const out = inner.rule(input.input, start)
  const refusal = isRefusal(out) ? mismatch(inner, out, input.input) : null
  // the rule as a value computed what the rule as a type says
  return { ...inner, in: input.input, out: isRefusal(out) ? [] : out, refusal } as never
}

/**
 * A block for any input: what can be known without one (channels, features) is checked here, the rest where it is used.
 *
 * @example
 * const stem = Nn.seq(["conv1", Nn.conv2d(3, 64, { kernelSize: 3 })], Nn.relu())
 */
export const seq = <const L extends ReadonlyArray<Item>>(...layers: Checked<L, Shape>): Seq<ToLayers<L>> =>
  // as in `sequential`
  container(layers as ReadonlyArray<Item>) as never

/**
 * A model under the name of its class, which PyTorch prints for it; a `flatten` that stands in no block of it is then
 * taken for what it is there, a part of `forward` and no layer.
 *
 * @example
 * Nn.entitled("Classifier", Nn.sequential(Nn.input("N", 4), Nn.linear(4, 3)))
 */
export const entitled = <H extends Layer>(title: string, net: H): H => ({ ...net, repr: title })

/** `N` times `T` */
export type Repeat<N extends number, T, Z extends ReadonlyArray<unknown> = []> = number extends N
  ? ReadonlyArray<T>
  : Z["length"] extends N
    ? Z
    : Repeat<N, T, readonly [...Z, T]>
/**
 * As many equal blocks as are asked for, each with parameters of its own.
 *
 * @example
 * Nn.seq(...Nn.repeat(3, () => Nn.linear(8, 8)))
 */
export const repeat = <const N extends number, T>(n: N, make: () => T): Repeat<N, T> =>
  // the array has as many elements as the type says
  Array.from({ length: n }, make) as never

// ---------- the same as values

/** where a rule is asked first */
export const start: At = { by: "the input", from: null }
export const nameOf = (child: Child, i: number): string => child.name ?? `${i}`
/** the name of what is inside an item of a list, as the list sees it */
export const under = (name: string, inner: string): string => (name === "" ? inner : `${name}.${inner}`)
/** what a child is called in an error: its position, where its name is empty */
export const placeOf = (child: Child, i: number): string => (child.name === "" ? `${i}` : nameOf(child, i))

const isLayer = (item: Item): item is Layer => !Array.isArray(item)
const isNamed = (item: ReadonlyArray<unknown>): item is readonly [string, Layer | ReadonlyArray<Item>] =>
  typeof item[0] === "string"
const unnamed = (item: Layer | ReadonlyArray<Item>): Layer => (isLayer(item) ? item : container(item))
export const toChild = (item: Item): Child => {
  if (isLayer(item)) return { name: null, layer: item }
  return isNamed(item) ? { name: item[0], layer: unnamed(item[1]) } : { name: null, layer: container(item) }
}

/** items in order, as one layer */
export const container = (items: ReadonlyArray<Item>): Layer => {
  const children = items.map(toChild)
  const twice = firstRepeated(children)
  return layer<Seq<ReadonlyArray<Layer>>>({
    kind: "seq",
    label: "seq",
    repr: "Sequential",
    children,
    rule: (shape, at) => (twice === undefined ? run(children, shape, at) : refuse(`has two layers named ${twice}`)),
    inside: (shape, at) => calls(children, shape, at),
    forward: (x, context) => forwardAll(children, x, context),
  })
}

/** the name that two children have, if there are such: their parameters would be one in the state_dict */
export const firstRepeated = (children: ReadonlyArray<Child>): string | undefined => {
  const names = namesOf(children)
  return names.find((n, i) => names.indexOf(n) < i)
}
/** given names, and positions of what has parameters; those of a child with the empty name among them */
const namesOf = (children: ReadonlyArray<Child>): ReadonlyArray<string> =>
  children.flatMap((child, i) => {
    if (child.name === "") return [...child.layer.params.map((p) => p.name), ...namesOf(child.layer.children)]
    return child.name !== null || hasParams(child.layer) ? [nameOf(child, i)] : []
  })
const hasParams = (layer: Layer): boolean =>
  layer.params.length > 0 || layer.children.some((child) => hasParams(child.layer))

/** what `child`, asked at `at`, gives for `shape`, and where the next one is asked; a refusal has its path */
export const step = (
  child: Child,
  i: number,
  shape: Shape,
  at: At,
): { readonly out: Shape; readonly at: At } | Refusal => {
  const out = child.layer.rule(shape, at)
  if (!isRefusal(out)) return { out, at: { by: "the layer above", from: source(child.layer, shape, out, at.from) } }
  if (out.path !== "") return { ...out, path: under(nameOf(child, i), out.path) }
  const note = at.from === null ? "" : ` (${show(at.from)})`
  const sentence = `${child.layer.label} cannot follow: it ${out.sentence}${note}`
  return { ...out, path: placeOf(child, i), sentence }
}
const source = (layer: Layer, shape: Shape, out: Shape, from: Shape | null): Shape | null =>
  layer.kind === "flatten"
    ? out.length === 2 && out[0] === shape[0]
      ? shape.slice(1)
      : null
    : shape.length === out.length && shape.every((d, i) => d === out[i])
      ? from
      : null

const run = (children: ReadonlyArray<Child>, input: Shape, first: At): Shape | Refusal => {
  let [shape, at] = [input, first]
  for (const [i, child] of children.entries()) {
    const next = step(child, i, shape, at)
    if (isRefusal(next)) return next
    ;[shape, at] = [next.out, next.at]
  }
  return shape
}

const calls = (children: ReadonlyArray<Child>, input: Shape, first: At): ReadonlyArray<Call> => {
  const made: Array<Call> = []
  let [shape, at] = [input, first]
  for (const [i, child] of children.entries()) {
    made.push({ child: i, input: shape, at })
    const next = step(child, i, shape, at)
    if (isRefusal(next)) break
    ;[shape, at] = [next.out, next.at]
  }
  return made
}

const forwardAll = (children: ReadonlyArray<Child>, x: Tensor, context: Context): Forward =>
  children.reduce<Forward>(
    (before, _, i) => {
      const { output, updates, auxiliary } = context.child(i, before.output)
      return {
        output,
        updates: { ...before.updates, ...updates },
        auxiliary: { ...before.auxiliary, ...auxiliary },
      }
    },
    { output: x, updates: {} },
  )

/** A layer's refusal of a shape as an error, with the label of the layer that refused. */
export const mismatch = (layer: Layer, refusal: Refusal, given: Shape): ShapeMismatch => {
  const own = `${layer.label} cannot take this input: it ${refusal.sentence}`
  return new ShapeMismatch({
    op: find(layer, refusal.path)?.label ?? layer.label,
    path: refusal.path,
    shapes: [given],
    sentence: refusal.path === "" ? own : refusal.sentence,
  })
}
const find = (layer: Layer, path: string): Layer | undefined => {
  if (path === "") return layer
  const [head, ...rest] = path.split(".")
  for (const [i, child] of layer.children.entries()) {
    const inner = child.name === "" ? find(child.layer, path) : undefined
    if (inner !== undefined) return inner
    if (placeOf(child, i) === head) return find(child.layer, rest.join("."))
  }
  return undefined
}
