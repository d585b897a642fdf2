/** A model as a tree: what is inside what, what each layer gives for an input, and what it costs. */
import { isRefusal } from "../shapes/Refusal.ts"
import { type Dim, type Shape } from "../shapes/Shape.ts"
import type { At, Layer } from "./Layer.ts"
import { nameOf, start, under } from "./sequential.ts"

export interface Outline {
  /** as in the state_dict, with all that is before it: `layer1.conv1` */
  readonly path: string
  /** the last part of it */
  readonly name: string
  readonly layer: Layer
  /** `null` where the layers do not fit */
  readonly output: Shape | null
  /** how many numbers it learns, with all that is inside; a shared layer's count where it stands first */
  readonly trainable: number
  /** and how many were frozen */
  readonly frozen: number
  /** with all that is inside, for one sample */
  readonly multiplyAdds: number
  /** in the order they are asked; empty for what tables show as one layer */
  readonly children: ReadonlyArray<Outline>
}

export const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)
export const count = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1)
/** a named size is one sample */
export const one = (shape: Shape): ReadonlyArray<number> => shape.map((d: Dim) => (typeof d === "string" ? 1 : d))

type Numbers = Pick<Outline, "trainable" | "frozen">
const none: Numbers = { trainable: 0, frozen: 0 }
const added = (a: Numbers, b: Numbers): Numbers => ({
  trainable: a.trainable + b.trainable,
  frozen: a.frozen + b.frozen,
})

/** what a layer has that was not counted before; `deep` for one whose children are not shown */
const numbersOf = (layer: Layer, counted: Set<Layer>, deep: boolean): Numbers => {
  if (counted.has(layer)) return none
  counted.add(layer)
  const those = (yes: (p: Layer["params"][number]) => boolean) =>
    sum(layer.params.filter(yes).map((p) => count(p.shape)))
  const own = { trainable: those((p) => p.requiresGrad), frozen: those((p) => p.frozen === true) }
  return deep ? layer.children.map((c) => numbersOf(c.layer, counted, true)).reduce(added, own) : own
}

const outlineOf = (layer: Layer, path: string, name: string, input: Shape, at: At, counted: Set<Layer>): Outline => {
  const given = layer.rule(input, at)
  const output = isRefusal(given) ? null : given
  const own = numbersOf(layer, counted, layer.inside === null)
  const children = childrenOf(layer, path, input, at, counted)
  const asOne = output === null || layer.inside !== null ? null : layer.rule(one(input), at)
  const multiplyAdds = asOne === null || isRefusal(asOne) ? 0 : layer.multiplyAdds(one(input), asOne)
  return {
    path,
    name,
    layer,
    output,
    ...children.reduce<Numbers>(added, own),
    multiplyAdds: multiplyAdds + sum(children.map((c) => c.multiplyAdds)),
    children,
  }
}
/** what is inside; a block with the empty name is not there, only its layers are */
const childrenOf = (layer: Layer, path: string, input: Shape, at: At, counted: Set<Layer>): ReadonlyArray<Outline> =>
  (layer.inside?.(input, at) ?? []).flatMap((call) => {
    const child = layer.children[call.child]
    if (child === undefined) return []
    if (child.name === "" && child.layer.inside !== null)
      return childrenOf(child.layer, path, call.input, call.at, counted)
    const name = nameOf(child, call.child)
    const whole = path === "" || name === "" ? `${path}${name}` : under(path, name)
    return [outlineOf(child.layer, whole, name, call.input, call.at, counted)]
  })

/** The tree of a model. */
export const outline = (net: Layer & { readonly in: Shape }): Outline =>
  outlineOf(net, "", "", net.in, start, new Set())

/** The layers that a table shows, in the order they are asked. */
export const leaves = (tree: Outline): ReadonlyArray<Outline> =>
  tree.layer.inside === null ? [tree] : tree.children.flatMap(leaves)

/** the class that PyTorch has for it: `Conv2d` */
export const classOf = (layer: Layer): string => layer.repr.split("(")[0] ?? ""
/**
 * Whether PyTorch has no module for it: a flatten that stands in no `Sequential` is a part of `forward`, and so is a branch
 * of nothing, which is the input itself.
 */
export const isCall = (child: Layer, parent: Layer): boolean =>
  child.kind === "flatten"
    ? parent.repr !== "Sequential"
    : parent.kind === "concat" && child.kind === "seq" && child.children.length === 0
/** the same tree without such calls */
export const modulesOnly = (tree: Outline): Outline => ({
  ...tree,
  children: tree.children.filter((c) => !isCall(c.layer, tree.layer)).map(modulesOnly),
})
