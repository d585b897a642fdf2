import { embedding as op } from "../../ops/embedding.ts"
import type { Tensor } from "../../ops/Tensor.ts"
import { axis } from "../../shapes/axis.ts"
import type { Dim, Shape } from "../../shapes/Shape.ts"
import { firstFault, notSize, type Size } from "../../shapes/size.ts"
import { type Layer, layer, pure, type Rule, trainable, type Typed } from "../Layer.ts"

export interface Embedding<M extends number, F extends number> extends Layer {
  readonly kind: "embedding"
  readonly "~": Typed<EmbeddingRule<F>, { weight: [M, F] }, `embedding(${M}, ${F})`>
}
/** a row of features for each number */
export interface EmbeddingRule<F extends number> extends Rule {
  readonly out: this["in"] extends infer S extends Shape
    ? number extends S["length"]
      ? [...Array<Dim>, F]
      : [...S, F]
    : never
}

export interface EmbeddingOptions {
  /** a row that starts at 0 and does not learn, for what is padding; negative: counted from the end. None when absent */
  readonly paddingIdx?: number
}

/**
 * For each whole number the row of a table that learns; a number that is no row gives NaN.
 *
 * **Shapes** `[…] → […, F]`. PyTorch's `Embedding`, without `max_norm`; rows start normal.
 *
 * @example
 * Nn.embedding(1000, 16)
 */
export const embedding = <const M extends number, const F extends number>(
  rows: Size<M>,
  features: Size<F>,
  { paddingIdx }: EmbeddingOptions = {},
): Embedding<M, F> => {
  // a guarded argument is the argument itself, or the call does not compile
  const [m, f] = [rows as number, features as number]
  const paddingIndex = paddingIdx === undefined ? null : axis(paddingIdx, m)
  const fault = firstFault({
    rows: notSize(m),
    features: notSize(f),
    paddingIdx: paddingIdx !== undefined && paddingIndex === null ? `${paddingIdx} is no row of ${m}` : null,
  })
  return layer<Embedding<M, F>>({
    kind: "embedding",
    label: `embedding(${m}, ${f})`,
    repr: `Embedding(${m}, ${f}${paddingIndex === null ? "" : `, padding_idx=${paddingIndex}`})`,
    rule: (input) => fault ?? [...input, f],
    params:
      fault === null ? [trainable("weight", [m, f], { _tag: "Normal", mean: 0, std: 1, zeroRow: paddingIndex })] : [],
    forward: pure<{ weight: Tensor<[number, number]> }>((x, { params }) => op(x, params.weight, { paddingIndex })),
  })
}
