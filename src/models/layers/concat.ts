import { concat as op } from "../../ops/concat.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { type NoImage, noImage } from "../../shapes/image.ts"
import { isRefusal, type Refusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type AddDim, addDim, type Dim, fits, type FitsShape, type Shape, type ShowDim } from "../../shapes/Shape.ts"
import { type By, type Layer, layer, type Rule, type Typed } from "../Layer.ts"
import { type Checked, type Deeper, firstRepeated, type Index, type Item, type OutOf } from "../sequential.ts"
import { start, step, toChild, type ToLayers } from "../sequential.ts"

export interface Concat<L extends ReadonlyArray<unknown>> extends Layer {
  readonly kind: "concat"
  readonly "~": Typed<ConcatRule<L>, object, "concat", L>
}
/** the channels of all branches */
export interface ConcatRule<L extends ReadonlyArray<unknown>> extends Rule {
  readonly out: Join<L, this["in"], By<this["by"]>>
}
type Join<
  L extends ReadonlyArray<unknown>,
  S,
  B extends string,
  Z = null,
  N extends ReadonlyArray<unknown> = [],
> = L extends readonly [infer H, ...infer R]
  ? OutOf<H, S, null, B> extends infer O
    ? O extends Refusal
      ? Deeper<H, Index<N>, O, null>
      : (Z extends null ? O : Pairwise<Z, O>) extends infer P
        ? P extends Refusal
          ? P
          : Join<R, S, B, P, [...N, 0]>
        : never
    : never
  : L extends readonly []
    ? Z extends null
      ? Refuse<"has nothing to join">
      : Z
    : Shape
type Pairwise<A, B> = B extends readonly [...Shape, infer C2 extends Dim, infer H2 extends Dim, infer W2 extends Dim]
  ? A extends readonly [...infer N extends Shape, infer C extends Dim, infer H extends Dim, infer W extends Dim]
    ? FitsShape<[H, W], [H2, W2]> extends true
      ? [...N, AddDim<C, C2>, H, W]
      : Refuse<`joins ${ShowDim<H>}×${ShowDim<W>} with ${ShowDim<H2>}×${ShowDim<W2>}`>
    : Open<A>
  : Open<B>
type Open<S> = number extends (S & Shape)["length"] ? [...Array<Dim>, number, number, number] : NoImage<S, "a branch">

const pairwise = (a: Shape, b: Shape): Shape | Refusal => {
  const [w, h, c, ...batch] = a.toReversed()
  const [w2, h2, c2] = b.toReversed()
  if (w === undefined || h === undefined || c === undefined) return noImage(a, "a branch")
  if (w2 === undefined || h2 === undefined || c2 === undefined) return noImage(b, "a branch")
  if (!fits(h, h2) || !fits(w, w2)) return refuse(`joins ${h}×${w} with ${h2}×${w2}`)
  return [...batch.toReversed(), addDim(c, c2), h, w]
}

/**
 * Every branch on the same input, joined along the channels; `Nn.identity()` or `[]` is the input itself.
 *
 * **Shapes** `[N, C, H, W] → [N, C₁ + C₂ + …, H′, W′]`, or both without `N`. A branch may have a name, which may be
 * empty. Szegedy et al., 2014; Huang et al., 2016.
 *
 * @example
 * Nn.concat(["branch1", Nn.conv2d(192, 64, { kernelSize: 1 })], ["branch2", Nn.conv2d(192, 32, { kernelSize: 1 })])
 */
export const concat = <const L extends ReadonlyArray<Item>>(
  ...branches: { [K in keyof L]: L[K] extends ReadonlyArray<Item> ? Checked<L[K], Shape> : L[K] }
): Concat<ToLayers<L>> => {
  // checked items are the items, or the call does not compile
  const children = (branches as ReadonlyArray<Item>).map(toChild)
  const twice = firstRepeated(children)
  return layer<Concat<ToLayers<L>>>({
    kind: "concat",
    label: "concat",
    repr: "Concat",
    children,
    rule: (input, { by }) => {
      if (twice !== undefined) return refuse(`has two layers named ${twice}`)
      let joined: Shape | null = null
      for (const [i, child] of children.entries()) {
        const next = step(child, i, input, { ...start, by })
        if (isRefusal(next)) return next
        const all: Shape | Refusal = joined === null ? next.out : pairwise(joined, next.out)
        if (isRefusal(all)) return all
        joined = all
      }
      return joined ?? refuse("has nothing to join")
    },
    inside: (input, { by }) => {
      const at = { ...start, by }
      const asked = children.map((_, i) => ({ child: i, input, at }))
      const wrong = children.findIndex((child, i) => isRefusal(step(child, i, input, at)))
      return wrong < 0 ? asked : asked.slice(0, wrong + 1)
    },
    forward: (x, context) => {
      const done = children.map((_, i) => context.child(i, x))
      const tensors: ReadonlyArray<Tensor> = done.map((d) => d.output)
      return {
        output: op(tensors, x.shape.length - 3),
        updates: Object.assign({}, ...done.map((d) => d.updates)),
        auxiliary: Object.assign({}, ...done.map((d) => d.auxiliary)),
      }
    },
  })
}
