/** Trees of tensors: what programs take and give. */
import { isTensor, type Tensor } from "./Tensor.ts"

/** a tensor, or records and tuples of trees */
export type TensorTree = Tensor | { readonly [key: string]: TensorTree } | ReadonlyArray<TensorTree>

/** every tensor of a tree, in the order of its keys */
export const tensorsOf = (tree: TensorTree): ReadonlyArray<Tensor> =>
  isTensor(tree) ? [tree] : Object.values(tree).flatMap(tensorsOf)

/** the same tree with `f` applied to each tensor */
export const mapTensors = <T extends TensorTree>(tree: T, f: (x: Tensor) => Tensor): T =>
  // `f` keeps the shape of each leaf, which the type of a tree cannot say
  mapTree(tree, f) as T

const mapTree = (tree: TensorTree, f: (x: Tensor) => Tensor): TensorTree => {
  if (isTensor(tree)) return f(tree)
  if (Array.isArray(tree)) return tree.map((t: TensorTree) => mapTree(t, f))
  return Object.fromEntries(Object.entries(tree).map(([key, t]) => [key, mapTree(t, f)]))
}
