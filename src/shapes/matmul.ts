import { isShape, meeting, type Meeting, type Reversed } from "./broadcast.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Rank, type Shape, type Show, show, type ShowDim } from "./Shape.ts"

/** Shapes: `[…, M, K] × […, K, N] → […, M, N]`, where the dimensions before broadcast. */
export type Matmul<A, B> = A extends readonly [...infer BatchA extends Shape, infer M extends Dim, infer K extends Dim]
  ? B extends readonly [...infer BatchB extends Shape, infer K2 extends Dim, infer N extends Dim]
    ? Fits<K, K2> extends true
      ? Batched<A, B, BatchA, BatchB, M, N>
      : Refuse<`${Show<A>} times ${Show<B>}: the inner sizes differ (${ShowDim<K>} and ${ShowDim<K2>})`>
    : number extends Rank<B>
      ? Shape
      : NoMatrix<A, B>
  : number extends Rank<A>
    ? Shape
    : NoMatrix<A, B>
type NoMatrix<A, B> = Refuse<`${Show<A>} times ${Show<B>}: both need at least 2 dimensions`>
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

/** The shape of a product of matrices, or of batches of them. */
export const matmul = (a: Shape, b: Shape): Shape | Refusal => {
  const [k, m] = [a.at(-1), a.at(-2)]
  const [n, k2] = [b.at(-1), b.at(-2)]
  if (k === undefined || m === undefined || n === undefined || k2 === undefined)
    return refuse(`${show(a)} times ${show(b)}: both need at least 2 dimensions`)
  if (!fits(k, k2)) return refuse(`${show(a)} times ${show(b)}: the inner sizes differ (${k} and ${k2})`)
  const batch = meeting(a.slice(0, -2), b.slice(0, -2))
  return isShape(batch)
    ? [...batch, m, n]
    : refuse(`${show(a)} times ${show(b)}: the batches do not broadcast (${batch.a} and ${batch.b})`)
}
