import { add } from "../../ops/add.ts"
import { isRefusal, type Refusal, type Refuse, refuse } from "../../shapes/Refusal.ts"
import { type FitsShape, fitsShape, type Shape, type Show, show } from "../../shapes/Shape.ts"
import { type At, type Call, type Child, type Layer, layer, type Rule, type Typed } from "../Layer.ts"
import {
  type Checked,
  container,
  firstRepeated,
  type Item,
  type Named,
  type Run,
  type Seq,
  step,
} from "../sequential.ts"
import { start, type ToLayers } from "../sequential.ts"

export interface Residual<B extends ReadonlyArray<unknown>, D extends ReadonlyArray<unknown> = []> extends Layer {
  readonly kind: "residual"
  readonly "~": Typed<ResidualRule<B, D>, object, "residual", Parts<B, D>>
}
type Parts<B extends ReadonlyArray<unknown>, D extends ReadonlyArray<unknown>> = D extends readonly []
  ? [Named<"", Seq<B>>]
  : [Named<"", Seq<B>>, Named<"downsample", Seq<D>>]
/** the body's shape, where it is also that of what it is added to */
export interface ResidualRule<B extends ReadonlyArray<unknown>, D extends ReadonlyArray<unknown>> extends Rule {
  readonly out: Sum<Run<B, this["in"], null, this["by"]>, Run<D, this["in"], null, this["by"]>, D>
}
type Sum<A, S, D> = A extends Refusal
  ? A
  : S extends Refusal<infer M, infer P>
    ? Refusal<M, `downsample.${P}`>
    : FitsShape<A, S> extends true
      ? A
      : Refuse<`adds ${Show<A>} of its body to ${Show<S>} of its ${D extends readonly [] ? "input" : "shortcut"}`>

export interface ResidualOptions<D> {
  /** the layers that the input goes through before it is added; none when absent */
  readonly shortcut?: D
  /** an activation, without parameters, of the sum; none when absent */
  readonly after?: Layer
}

/**
 * `body(x) + shortcut(x)`, or `body(x) + x`. The names of the body's layers are the block's own, those of the shortcut's
 * begin with `downsample`.
 *
 * **Shapes** those of the body, which the shortcut must give as well. He, Zhang, Ren and Sun, 2015.
 *
 * @example
 * Nn.residual([["conv1", Nn.conv2d(64, 64, { kernelSize: 3, padding: 1 })]], { after: Nn.relu() })
 */
export const residual = <const B extends ReadonlyArray<Item>, const D extends ReadonlyArray<Item> = []>(
  body: Checked<B, Shape>,
  options: ResidualOptions<Checked<D, Shape>> = {},
): Residual<ToLayers<B>, ToLayers<D>> => {
  // checked items are the items, or the call does not compile
  const shortcut = (options.shortcut ?? []) as ReadonlyArray<Item>
  const parts: ReadonlyArray<Child> = [
    { name: "", layer: container(body as ReadonlyArray<Item>) },
    { name: "downsample", layer: container(shortcut) },
  ]
  const children = parts.slice(0, shortcut.length === 0 ? 1 : 2)
  const { after } = options
  const activated = after === undefined ? children : [...children, { name: null, layer: after }]
  const twice = firstRepeated(activated)
  const giver = shortcut.length === 0 ? "input" : "shortcut"
  /** what the body and the shortcut give */
  const both = (input: Shape, { by }: At): readonly [Shape, Shape] | Refusal => {
    const given: Array<Shape> = []
    for (const [i, child] of children.entries()) {
      // the body's own list has made the sentence; only a fault of the list itself is without one
      const out = step(child, i, input, { ...start, by })
      if (isRefusal(out)) return out
      given.push(out.out)
    }
    const [sum = input, other = input] = given
    return [sum, other]
  }
  const rule: Layer["rule"] = (input, at) => {
    if (twice !== undefined) return refuse(`has two layers named ${twice}`)
    const given = both(input, at)
    if (isRefusal(given)) return given
    const [sum, other] = given
    if (!fitsShape(sum, other)) return refuse(`adds ${show(sum)} of its body to ${show(other)} of its ${giver}`)
    return after === undefined ? sum : after.rule(sum, at)
  }
  return layer<Residual<ToLayers<B>, ToLayers<D>>>({
    kind: "residual",
    label: "residual",
    repr: "Residual",
    children: activated,
    rule,
    inside: (input, at) => {
      const asked = children.map((_, i): Call => ({ child: i, input, at: { ...start, by: at.by } }))
      const given = both(input, at)
      if (isRefusal(given)) return asked.slice(0, given.path.startsWith("downsample.") ? 2 : 1)
      return after === undefined ? asked : [...asked, { child: children.length, input: given[0], at }]
    },
    forward: (x, context) => {
      const done = children.map((_, i) => context.child(i, x))
      const [first, second] = done
      const sum = add((first?.output ?? x) as typeof x, second?.output ?? x)
      return {
        output: after === undefined ? sum : context.child(children.length, sum).output,
        updates: { ...first?.updates, ...second?.updates },
        auxiliary: { ...first?.auxiliary, ...second?.auxiliary },
      }
    },
  })
}
