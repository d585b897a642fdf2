import { flatten as op } from "../../ops/flatten.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { type Flatten as Shapes, flatten as shapes } from "../../shapes/flatten.ts"
import { type Layer, layer, pure, type Rule, type Typed } from "../Layer.ts"

export interface Flatten<Start extends number = 1, End extends number = -1> extends Layer {
  readonly kind: "flatten"
  readonly "~": Typed<FlattenRule<Start, End>, object, "flatten">
}
export interface FlattenRule<Start extends number = 1, End extends number = -1> extends Rule {
  readonly out: Shapes<this["in"], Start, End>
}

/**
 * The dimensions from `startDim` to `endDim` made one: all but the first unless told.
 *
 * **Shapes** `[N, A, B, …] → [N, A B …]`. PyTorch's `Flatten`.
 *
 * @example
 * Nn.flatten()
 */
export const flatten = <const Start extends number = 1, const End extends number = -1>(
  startDim?: Start,
  endDim?: End,
): Flatten<Start, End> => {
  const [from, to]: readonly [number, number] = [startDim ?? 1, endDim ?? -1]
  return layer<Flatten<Start, End>>({
    kind: "flatten",
    label: "flatten",
    repr: `Flatten(start_dim=${from}, end_dim=${to})`,
    rule: (input) => shapes(input, from, to),
    forward: pure((x) => op<Tensor["shape"], number, number>(x, from, to)),
  })
}
