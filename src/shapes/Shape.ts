/**
 * Dimensions and shapes. A dimension is a literal (64), a name ("N") or, at type level only, `number`: a size that is
 * known at run time. Where a type says `number` because names were computed with, the value is `unknownDim`, until the
 * names are bound to sizes and the rule is asked again.
 */
import type { Mul, Add } from "./int.ts"

export type Dim = number | string
export type Shape = ReadonlyArray<Dim>
/** one number for height and width, or [height, width] */
export type Pair = number | readonly [number, number]

/** A size computed from names that are not bound yet; the value that stands where the type is `number`. */
export const unknownDim = "?"

// ---------- pairs

export type Y<P> = P extends readonly [infer h extends number, unknown] ? h : P & number
export type X<P> = P extends readonly [unknown, infer w extends number] ? w : P & number
export const pairY = (p: Pair): number => (typeof p === "number" ? p : p[0])
export const pairX = (p: Pair): number => (typeof p === "number" ? p : p[1])

// ---------- show: N×64×27×27

export type ShowDim<D> = D extends string ? D : D extends number ? (number extends D ? "?" : `${D}`) : "?"
export type Show<S, Z extends string = ""> = S extends readonly [infer H, ...infer T]
  ? Show<T, Z extends "" ? ShowDim<H> : `${Z}×${ShowDim<H>}`>
  : S extends readonly []
    ? Z extends ""
      ? "a scalar"
      : Z
    : Z extends ""
      ? "?"
      : `${Z}×?`
/** A shape as text: `N×64×27×27`; a shape without dimensions is `a scalar`. */
export const show = (s: Shape): string => (s.length === 0 ? "a scalar" : s.join("×"))

/** `3` for 3 and [3, 3], `3×5` for [3, 5] */
export type ShowPair<P> = Y<P> extends X<P> ? ShowDim<Y<P>> : `${ShowDim<Y<P>>}×${ShowDim<X<P>>}`
export const showPair = (p: Pair): string => (pairY(p) === pairX(p) ? `${pairY(p)}` : `${pairY(p)}×${pairX(p)}`)

// ---------- arithmetic of dimensions: with a name it gives an unknown size, but for the neutral elements

export type AddDim<A extends Dim, B extends Dim> = A extends 0
  ? B
  : B extends 0
    ? A
    : A extends number
      ? B extends number
        ? Add<A, B>
        : number
      : number
/** The sum of two dimensions: a number where both are, else unknown; 0 adds nothing. */
export const addDim = (a: Dim, b: Dim): Dim =>
  a === 0 ? b : b === 0 ? a : typeof a === "number" && typeof b === "number" ? a + b : unknownDim

export type MulDim<A extends Dim, B extends Dim> = A extends 1
  ? B
  : B extends 1
    ? A
    : A extends number
      ? B extends number
        ? Mul<A, B>
        : number
      : number
/** The product of two dimensions: a number where both are, else unknown; 1 changes nothing. */
export const mulDim = (a: Dim, b: Dim): Dim =>
  a === 1 ? b : b === 1 ? a : typeof a === "number" && typeof b === "number" ? a * b : unknownDim

export type Numel<S, Z extends Dim = 1> = S extends readonly []
  ? Z
  : S extends readonly [infer H extends Dim, ...infer T]
    ? Numel<T, MulDim<Z, H>>
    : number
/** The number of elements of a shape: 1 for a scalar, `unknownDim` where names are not bound. */
export const numel = (s: Shape): Dim => s.reduce(mulDim, 1)

// ---------- fits: the one relation between two sizes

/**
 * Equal literals fit, and a name fits itself; two different names never do, nor a name and a literal. A size that is
 * not known fits. Asked both ways, so that `784 | 128` does not pass for 784, and in an object, so that one and the same
 * type parameter is seen to be equal to itself.
 */
export type Fits<A, B> = { readonly v: A } extends { readonly v: B }
  ? { readonly v: B } extends { readonly v: A }
    ? true
    : Open<A, B>
  : Open<A, B>
type Open<A, B> = number extends A | B ? true : string extends A | B ? true : false
/** Whether two sizes can be the same: equal numbers, equal names, or one of them unknown. */
export const fits = (a: Dim, b: Dim): boolean => a === b || a === unknownDim || b === unknownDim

export type FitsShape<A, B> = A extends readonly [infer a, ...infer ar]
  ? B extends readonly [infer b, ...infer br]
    ? Fits<a, b> extends true
      ? FitsShape<ar, br>
      : false
    : B extends readonly []
      ? false
      : true
  : A extends readonly []
    ? B extends readonly [unknown, ...ReadonlyArray<unknown>]
      ? false
      : true
    : true
/** Whether two shapes can be the same, dimension by dimension. */
export const fitsShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => fits(d, b[i] ?? unknownDim))

/** the number of dimensions; `number` when it is not known. (`S extends Shape` would stay open for a type parameter in S.) */
export type Rank<S> = S extends { readonly length: infer N extends number } ? N : number
