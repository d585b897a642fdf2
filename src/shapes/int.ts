/**
 * Natural numbers as types, exact up to 2^53 - 1; a larger result is `number`, and so is any result of `number`.
 *
 * A number is worked on as a string of its decimal digits with the least significant first ("LE"), one digit a step, by
 * looking up tables. Every loop is tail recursive. Fractions and negative numbers give nonsense: `Size` keeps them out.
 */
import type { AddCarry, AddDigit, DivDigit, DivRest, MulCarry, MulDigit, SubBorrow, SubDigit } from "./tables.ts"

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"
type Bit = "0" | "1"
type Carry = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8"

type Reverse<S extends string, Z extends string = ""> = S extends `${infer H}${infer R}` ? Reverse<R, `${H}${Z}`> : Z
type Trim<S extends string> = S extends `0${infer R}` ? (R extends "" ? "0" : Trim<R>) : S
type FromDigits<S extends string> = Trim<S> extends `${infer N extends number}` ? N : never

/** the digits of a number, least significant first */
export type LE<N extends number> = Reverse<`${N}`>
/** the number of some digits, least significant first */
export type FromLE<S extends string> = FromDigits<Reverse<S>>

export type AddLE<
  A extends string,
  B extends string,
  C extends Bit = "0",
  Z extends string = "",
> = A extends `${infer a extends Digit}${infer ar}`
  ? B extends `${infer b extends Digit}${infer br}`
    ? AddLE<ar, br, AddCarry[C][a][b], `${Z}${AddDigit[C][a][b]}`>
    : C extends "0"
      ? `${Z}${A}`
      : AddLE<ar, "", AddCarry["1"][a]["0"], `${Z}${AddDigit["1"][a]["0"]}`>
  : C extends "0"
    ? `${Z}${B}`
    : B extends ""
      ? `${Z}1`
      : AddLE<B, "", "1", Z>

/** A - B for A not below B */
export type SubLE<
  A extends string,
  B extends string,
  C extends Bit = "0",
  Z extends string = "",
> = A extends `${infer a extends Digit}${infer ar}`
  ? B extends `${infer b extends Digit}${infer br}`
    ? SubLE<ar, br, SubBorrow[C][a][b], `${Z}${SubDigit[C][a][b]}`>
    : C extends "0"
      ? `${Z}${A}`
      : SubLE<ar, "", SubBorrow["1"][a]["0"], `${Z}${SubDigit["1"][a]["0"]}`>
  : Z

export type Order = "<" | "=" | ">"
type NotZero<S extends string> = S extends `0${infer R}` ? NotZero<R> : S extends "" ? false : true
/** the last digit that differs decides */
export type CmpLE<
  A extends string,
  B extends string,
  R extends Order = "=",
> = A extends `${infer a extends Digit}${infer ar}`
  ? B extends `${infer b extends Digit}${infer br}`
    ? CmpLE<ar, br, a extends b ? R : SubBorrow["0"][a][b] extends "1" ? "<" : ">">
    : NotZero<A> extends true
      ? ">"
      : R
  : NotZero<B> extends true
    ? "<"
    : R

type MulByDigit<
  A extends string,
  d extends Digit,
  C extends Carry = "0",
  Z extends string = "",
> = A extends `${infer a extends Digit}${infer ar}`
  ? MulByDigit<ar, d, MulCarry[d][a][C], `${Z}${MulDigit[d][a][C]}`>
  : C extends "0"
    ? Z
    : `${Z}${C}`
/** one digit of B a step: adds A times it to the running sum and moves the sum's lowest digit to the result */
type MulSteps<
  A extends string,
  B extends string,
  Sum extends string,
  Z extends string,
> = B extends `${infer b extends Digit}${infer br}`
  ? (b extends "0" ? Sum : AddLE<Sum, MulByDigit<A, b>>) extends `${infer low}${infer high}`
    ? MulSteps<A, br, high, `${Z}${low}`>
    : MulSteps<A, br, "", `${Z}0`>
  : `${Z}${Sum}`
export type MulLE<A extends string, B extends string> = A extends "0"
  ? "0"
  : A extends "1"
    ? B
    : B extends "0"
      ? "0"
      : B extends "1"
        ? A
        : MulSteps<A, B, "", "">

type DivByDigit<
  A extends string,
  d extends Digit,
  r extends Carry = "0",
  Z extends string = "",
> = A extends `${infer a extends Digit}${infer ar}`
  ? DivByDigit<ar, d, DivRest[d][r][a] & Carry, `${Z}${DivDigit[d][r][a]}`>
  : [Z, r]
/** [how often D goes into R, what remains]; at most nine times */
type Goes<R extends string, D extends string, Q extends ReadonlyArray<0> = []> =
  CmpLE<R, D> extends "<" ? [Q["length"] & number, R] : Goes<SubLE<R, D>, D, [...Q, 0]>
type DivLong<
  A extends string,
  D extends string,
  R extends string = "",
  Z extends string = "",
> = A extends `${infer a}${infer ar}`
  ? Goes<`${a}${R}`, D> extends [infer q extends number, infer r extends string]
    ? DivLong<ar, D, r, `${Z}${q}`>
    : never
  : [Z, Reverse<R>]
/** [quotient, remainder] in the usual order of digits, with leading zeros */
type DivRem<A extends string, D extends string> = D extends Digit ? DivByDigit<A, D> : DivLong<A, Reverse<D>>

// ---------- numbers in, number out

export type Add<A extends number, B extends number> = number extends A | B ? number : FromLE<AddLE<LE<A>, LE<B>>>
export type Mul<A extends number, B extends number> = number extends A | B ? number : FromLE<MulLE<LE<A>, LE<B>>>
/** how A stands to B; both are literals */
export type Cmp<A extends number, B extends number> = A extends B ? "=" : CmpLE<LE<A>, LE<B>>
/** `never` when it would be negative */
export type Sub<A extends number, B extends number> = number extends A | B
  ? number
  : CmpLE<LE<A>, LE<B>> extends "<"
    ? never
    : FromLE<SubLE<LE<A>, LE<B>>>
/** `never` when B is 0 */
export type FloorDiv<A extends number, B extends number> = number extends A | B
  ? number
  : B extends 0
    ? never
    : B extends 1
      ? A
      : DivRem<`${A}`, `${B}`> extends [infer q extends string, unknown]
        ? FromDigits<q>
        : never
/** `never` when B is 0 */
export type Mod<A extends number, B extends number> = number extends A | B
  ? number
  : B extends 0
    ? never
    : DivRem<`${A}`, `${B}`> extends [unknown, infer r extends string]
      ? FromDigits<r>
      : never
