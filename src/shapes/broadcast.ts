import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Fits, fits, type Rank, type Shape, type Show, show, type ShowDim, unknownDim } from "./Shape.ts"

export type Reversed<S, Z extends Shape = []> = S extends readonly [infer H extends Dim, ...infer R]
  ? Reversed<R, [H, ...Z]>
  : Z

/** one dimension of the result; `null` when the two do not go together */
type Meet<A, B> = { v: A } extends { v: 1 }
  ? B
  : { v: B } extends { v: 1 }
    ? A
    : Fits<A, B> extends true
      ? number extends A
        ? B
        : A
      : null
/** the result of two reversed shapes, or the two sizes that do not go together */
export type Meeting<A, B, Z extends Shape = []> = A extends readonly [infer a extends Dim, ...infer ar]
  ? B extends readonly [infer b extends Dim, ...infer br]
    ? Meet<a, b> extends infer M extends Dim
      ? Meeting<ar, br, [M, ...Z]>
      : { readonly a: a; readonly b: b }
    : [...Reversed<A>, ...Z]
  : B extends Shape
    ? [...Reversed<B>, ...Z]
    : never

/** Shapes: from the last dimension backwards, equal sizes stay and 1 takes the other's size. */
export type Broadcast<A, B> = number extends Rank<A> | Rank<B>
  ? Shape
  : Meeting<Reversed<A>, Reversed<B>> extends infer M
    ? M extends { readonly a: infer a; readonly b: infer b }
      ? Refuse<`${Show<A>} and ${Show<B>} do not broadcast: ${ShowDim<a>} and ${ShowDim<b>} differ`>
      : M
    : never

/** The two sizes that do not go together, or the shape. */
export const meeting = (a: Shape, b: Shape): { readonly a: Dim; readonly b: Dim } | Shape => {
  const result: Array<Dim> = []
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const x = a.at(-i) ?? 1
    const y = b.at(-i) ?? 1
    if (x !== 1 && y !== 1 && !fits(x, y)) return { a: x, b: y }
    result.unshift(x === 1 || (x === unknownDim && y !== 1) ? y : x)
  }
  return result
}
export const isShape = (m: object): m is Shape => Array.isArray(m)

/** The shape of an element-wise op of two tensors, with PyTorch's broadcasting. */
export const broadcast = (a: Shape, b: Shape): Shape | Refusal => {
  const m = meeting(a, b)
  return isShape(m) ? m : refuse(`${show(a)} and ${show(b)} do not broadcast: ${m.a} and ${m.b} differ`)
}
