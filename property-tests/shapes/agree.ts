/**
 * One table, two checkers: rows of inputs and what a relation gives. `gives` is a shape, or the sentence of a refusal;
 * "?" is a size that is not known, which a type shows as `number`.
 */
import { isRefusal, type Refusal } from "../../src/shapes/index.ts"

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** a row's expectation, as the type that the rule must be */
export type Wanted<G> = G extends string
  ? Refusal<G, "">
  : G extends readonly unknown[]
    ? { -readonly [I in keyof G]: G[I] extends "?" ? number : G[I] }
    : never

/** `true`, or what differs, so that the compile error shows it */
export type Verdict<Got, G> =
  Equal<Got, Wanted<G>> extends true ? true : { readonly got: Got; readonly wanted: Wanted<G> }

/** Compiles only when every verdict is `true`. */
export const typesAgree = <V extends ReadonlyArray<true>>(
  ..._rows: V extends ReadonlyArray<true> ? [] : [V]
): void => {}

/** What a value rule gave, in the form of a row's `gives`. */
export const given = (r: unknown): unknown => (isRefusal(r) ? r.sentence : r)
