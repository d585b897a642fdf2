import { isShape, meeting, type Meeting, type Reversed } from "./broadcast.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Rank, type Shape, type Show, show, type ShowDim } from "./Shape.ts"

/**
 * Shapes: `[…, M, K] × […, K, N] → […, M, N]`, where the dimensions before broadcast; a vector is a matrix without the
 * dimension that it lacks: `[K] × […, K, N] → […, N]`, `[…, M, K] × [K] → […, M]`, `[K] × [K] → []`.
 */
export type Matmul<A, B> = A extends readonly [infer K extends Dim]
  ? B extends readonly [infer K2 extends Dim]
    ? Inner<A, B, K, K2, []>
    : B extends readonly [...infer Batch extends Shape, infer K2 extends Dim, infer N extends Dim]
      ? Inner<A, B, K, K2, [...Batch, N]>
      : OpenOr<B, NoMatrix<A, B>>
  : A extends readonly [...infer BatchA extends Shape, infer M extends Dim, infer K extends Dim]
    ? B extends readonly [infer K2 extends Dim]
      ? Inner<A, B, K, K2, [...BatchA, M]>
      : B extends readonly [...infer BatchB extends Shape, infer K2 extends Dim, infer N extends Dim]
        ? Inner<A, B, K, K2, Batched<A, B, BatchA, BatchB, M, N>>
        : OpenOr<B, NoMatrix<A, B>>
    : OpenOr<A, NoMatrix<A, B>>
type OpenOr<S, Otherwise> = number extends Rank<S> ? Shape : Otherwise
type Inner<A, B, K, K2, Z> =
  Fits<K, K2> extends true
    ? Z
    : Refuse<`${Show<A>} times ${Show<B>}: the inner sizes differ (${ShowDim<K>} and ${ShowDim<K2>})`>
type NoMatrix<A, B> = Refuse<`${Show<A>} times ${Show<B>}: both need at least 1 dimension`>
type Batched<A, B, BatchA extends Shape, BatchB extends Shape, M extends Dim, N extends Dim> = number extends
  | Rank<A>
  | Rank<B>
  ? Shape
  : Meeting<Reversed<BatchA>, Reversed<BatchB>> extends infer Z
    ? Z extends { readonly a: infer a; readonly b: infer b }
      ? Refuse<`${Show<A>} times ${Show<B>}: the batches do not broadcast (${ShowDim<a>} and ${ShowDim<b>})`>
      : Z extends Shape
        ? [...Z, M, N]
        : never
    : never

/** The shape of a product of matrices, of batches of them, or of vectors. */
export const matmul = (a: Shape, b: Shape): Shape | Refusal => {
  const k = a.at(-1)
  const k2 = b.length === 1 ? b[0] : b.at(-2)
  if (k === undefined || k2 === undefined) return refuse(`${show(a)} times ${show(b)}: both need at least 1 dimension`)
  if (!fits(k, k2)) return refuse(`${show(a)} times ${show(b)}: the inner sizes differ (${k} and ${k2})`)
  const batch = meeting(a.slice(0, -2), b.slice(0, -2))
  return isShape(batch)
    ? [...batch, ...a.slice(0, -1).slice(-1), ...(b.length === 1 ? [] : b.slice(-1))]
    : refuse(`${show(a)} times ${show(b)}: the batches do not broadcast (${batch.a} and ${batch.b})`)
}
