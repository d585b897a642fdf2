import type { Refusal } from "../../shapes/Refusal.ts"
import { isRefusal } from "../../shapes/Refusal.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { type Layer, layer, type Rule, type Typed } from "../Layer.ts"
import {
  type Checked,
  container,
  type Item,
  type Named,
  type Run,
  type Seq,
  start,
  step,
  type ToLayers,
} from "../sequential.ts"

export interface Auxiliary<L extends ReadonlyArray<unknown>> extends Layer {
  readonly kind: "auxiliary"
  readonly "~": Typed<AuxiliaryRule<L>, object, "auxiliary", [Named<"", Seq<L>>]>
}
/** the shape stays, where the head takes it */
export interface AuxiliaryRule<L extends ReadonlyArray<unknown>> extends Rule {
  readonly out: Run<L, this["in"], null, this["by"]> extends infer O ? (O extends Refusal ? O : this["in"]) : never
}

/**
 * A head on the side: the input goes on as it is, and in training also through these layers, whose output
 * `Nn.forward` gives as `auxiliary` under this layer's name.
 *
 * **Shapes** `S → S`. Szegedy et al., 2014.
 *
 * @example
 * Nn.sequential(Nn.input("N", 8), Nn.linear(8, 8), ["aux", Nn.auxiliary(["fc", Nn.linear(8, 3)])], Nn.linear(8, 3))
 */
export const auxiliary = <const L extends ReadonlyArray<Item>>(...head: Checked<L, Shape>): Auxiliary<ToLayers<L>> => {
  // checked items are the items, or the call does not compile
  const child = { name: "", layer: container(head as ReadonlyArray<Item>) }
  return layer<Auxiliary<ToLayers<L>>>({
    kind: "auxiliary",
    label: "auxiliary",
    repr: "Auxiliary",
    children: [child],
    rule: (input, { by }) => {
      const out = step(child, 0, input, { ...start, by })
      return isRefusal(out) ? out : input
    },
    inside: (input, { by }) => [{ child: 0, input, at: { ...start, by } }],
    forward: (x, context) => {
      if (!context.training) return { output: x, updates: {} }
      const { output, updates, auxiliary: inner } = context.child(0, x)
      return { output: x, updates, auxiliary: { ...inner, "": output } }
    },
  })
}
