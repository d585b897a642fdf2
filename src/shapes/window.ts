/** A window that slides along one dimension: the size rule of convolution and pooling. */
import type { Add, AddLE, CmpLE, FloorDiv, FromLE, LE, MulLE, Sub, SubLE } from "./int.ts"
import { type Refusal, type Refuse, refuse } from "./Refusal.ts"
import { type Dim, type Shape, type Show, type ShowDim, show, unknownDim } from "./Shape.ts"
import { type Pair, pairX, pairY, type ShowPair, showPair, type X, type Y } from "./Shape.ts"

/** what the window covers: D(K - 1) + 1 */
type Extent<K extends number, D extends number> = D extends 1 ? LE<K> : AddLE<MulLE<LE<D>, SubLE<LE<K>, "1">>, "1">
type Twice<P extends number> = P extends 0 ? "0" : AddLE<LE<P>, LE<P>>
/** stride 1 and 2P = D(K - 1) keep the size, whatever it is */
type Keeps<K extends number, S extends number, P extends number, D extends number> = S extends 1
  ? CmpLE<AddLE<Twice<P>, "1">, Extent<K, D>> extends "="
    ? true
    : false
  : false

/** the size after the window; `null` when not even one window fits */
export type Slide<
  N extends Dim,
  K extends number,
  S extends number = 1,
  P extends number = 0,
  D extends number = 1,
  Ceil = false,
> = number extends N
  ? number
  : number extends K | S | P | D
    ? number
    : Keeps<K, S, P, D> extends true
      ? N
      : N extends number
        ? Ceil extends true
          ? LastInside<Steps<AddLE<AddLE<LE<N>, Twice<P>>, SubLE<LE<S>, "1">>, Extent<K, D>, S>, N, S, P>
          : Steps<AddLE<LE<N>, Twice<P>>, Extent<K, D>, S>
        : number
type Steps<A extends string, E extends string, S extends number> =
  CmpLE<A, E> extends "<" ? null : Add<FloorDiv<FromLE<SubLE<A, E>>, S>, 1>
type LastInside<O, N extends number, S extends number, P extends number> = O extends number
  ? CmpLE<MulLE<SubLE<LE<O>, "1">, LE<S>>, AddLE<LE<N>, LE<P>>> extends "<"
    ? O
    : Sub<O, 1>
  : null

export interface WindowOptions {
  readonly kernelSize: number
  /** 1 when absent */
  readonly stride?: number
  /** on each side; 0 when absent */
  readonly padding?: number
  /** 1 when absent */
  readonly dilation?: number
  /** rounds up, where the last window begins inside the input or its left padding, as PyTorch does */
  readonly ceilMode?: boolean
}
const slide = (n: Dim, options: WindowOptions): Dim | null => {
  const { kernelSize, stride = 1, padding = 0, dilation = 1, ceilMode = false } = options
  const extent = dilation * (kernelSize - 1) + 1
  if (stride === 1 && 2 * padding + 1 === extent) return n
  if (typeof n === "string") return unknownDim
  const room = n + 2 * padding + (ceilMode ? stride - 1 : 0)
  if (room < extent) return null
  const steps = Math.floor((room - extent) / stride) + 1
  return ceilMode && (steps - 1) * stride >= n + padding ? steps - 1 : steps
}

export type Window<
  N extends Dim,
  K extends number,
  S extends number = 1,
  P extends number = 0,
  D extends number = 1,
  Ceil = false,
> = null extends Slide<N, K, S, P, D, Ceil> ? TooLarge<`${K}`, ShowDim<N>, P, D> : Slide<N, K, S, P, D, Ceil>
type TooLarge<
  K extends string,
  N extends string,
  P,
  D,
> = Refuse<`has a ${K} window${Dilated<D>} that is larger than its ${N} input${Padded<P>}`>
type Dilated<D> = ShowPair<D> extends "1" ? "" : ` with dilation ${ShowPair<D>}`
type Padded<P> = ShowPair<P> extends "0" ? "" : ` padded by ${ShowPair<P>}`
/**
 * The size after a window slid along it: `floor((N + 2P - D(K - 1) - 1) / S) + 1`, or the ceiling with `ceilMode`. A
 * named size stays itself where stride 1 and padding keep it, and is unknown otherwise. Refused when no window fits.
 */
export const window = (n: Dim, options: WindowOptions): Dim | Refusal =>
  slide(n, options) ?? tooLarge(`${options.kernelSize}`, `${n}`, options.padding ?? 0, options.dilation ?? 1)
const tooLarge = (k: string, n: string, padding: Pair, dilation: Pair): Refusal => {
  const dilated = showPair(dilation) === "1" ? "" : ` with dilation ${showPair(dilation)}`
  const padded = showPair(padding) === "0" ? "" : ` padded by ${showPair(padding)}`
  return refuse(`has a ${k} window${dilated} that is larger than its ${n} input${padded}`)
}

// ---------- both dimensions of an image

/** [...before, height, width] after the window */
export type Window2d<
  Before extends Shape,
  H extends Dim,
  W extends Dim,
  K extends Pair,
  S extends Pair,
  P extends Pair,
  D extends Pair,
  Ceil = false,
> = Joined<Before, Slide<H, Y<K>, Y<S>, Y<P>, Y<D>, Ceil>, Slide<W, X<K>, X<S>, X<P>, X<D>, Ceil>, H, W, K, P, D>
type Joined<Before extends Shape, H, W, H0 extends Dim, W0 extends Dim, K extends Pair, P, D> = null extends H | W
  ? TooLarge<`${Y<K>}×${X<K>}`, Show<[H0, W0]>, P, D>
  : [...Before, H, W]
export interface Window2dOptions {
  readonly kernelSize: Pair
  readonly stride?: Pair
  readonly padding?: Pair
  readonly dilation?: Pair
  readonly ceilMode?: boolean
}
/** `before`, then height and width after the window. */
export const window2d = (before: Shape, h: Dim, w: Dim, options: Window2dOptions): Shape | Refusal => {
  const { kernelSize, stride = 1, padding = 0, dilation = 1, ceilMode = false } = options
  const along = (n: Dim, of: (p: Pair) => number): Dim | null =>
    slide(n, { kernelSize: of(kernelSize), stride: of(stride), padding: of(padding), dilation: of(dilation), ceilMode })
  const rows = along(h, pairY)
  const columns = along(w, pairX)
  return rows === null || columns === null
    ? tooLarge(`${pairY(kernelSize)}×${pairX(kernelSize)}`, show([h, w]), padding, dilation)
    : [...before, rows, columns]
}
