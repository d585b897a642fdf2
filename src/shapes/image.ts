/** What the rules for images and the sentences of all rules share. */
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Rank, type Shape, type Show, show } from "./Shape.ts"

/** whether an image has no batch, or one dimension of it, before its channels, height and width; unknown passes */
export type OneBatch<Before extends Shape> = Before["length"] extends 0 | 1
  ? true
  : number extends Before["length"]
    ? true
    : false
export type NoImage<S, Giver extends string> = Refuse<`expects [N, C, H, W] or [C, H, W] but ${Giver} gives ${Show<S>}`>
export const noImage = (s: Shape, giver: string): Refusal =>
  refuse(`expects [N, C, H, W] or [C, H, W] but ${giver} gives ${show(s)}`)
/** whether the rank of a shape is open */
export type OpenRank<S> = number extends Rank<S> ? true : false
/** who gives the shape, when nobody else is named: an op's own input */
export type Giver = "the input"
export const giver = "the input"
