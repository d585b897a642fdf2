/** Generators of shapes and numbers, each built with `map`, so that what it gives shrinks and nothing is thrown away. */
import * as fc from "fast-check"
import type { Extents } from "./Array64.ts"

/**
 * Sizes of between `rank[0]` and `rank[1]` dimensions, each from 1 to `most`.
 *
 * @example
 * Laws.extents({ rank: [1, 4], most: 5 })
 */
export const extents = ({
  rank: [fewest, most] = [0, 4],
  most: largest = 5,
}: { readonly rank?: readonly [number, number]; readonly most?: number } = {}): fc.Arbitrary<Extents> =>
  fc.array(fc.integer({ min: 1, max: largest }), { minLength: fewest, maxLength: most })

/** A batch of small images: `[N, C, H, W]`, whose height and width are at least `least`. */
export const images = ({ least = 1, most = 8 }: { readonly least?: number; readonly most?: number } = {}) =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: least, max: most }),
      fc.integer({ min: least, max: most }),
    )
    .map((shape): Extents => shape)

/** Two shapes that broadcast, in PyTorch's sense: each may lack dimensions, or have 1 where the other has more. */
export const broadcastable: fc.Arbitrary<{ readonly a: Extents; readonly b: Extents }> = extents().chain((full) =>
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: full.length, maxLength: full.length }),
      fc.integer({ min: 0, max: full.length }),
      fc.boolean(),
    )
    .map(([ones, dropped, swap]) => {
      const a = full.map((d, i) => (ones[i] === 1 ? 1 : d))
      const b = full.map((d, i) => (ones[i] === 2 ? 1 : d)).slice(dropped)
      return swap ? { a: b, b: a } : { a, b }
    }),
)

/** What an op is applied to: a shape for each of its inputs, by name, and its attributes. */
export interface Case<I extends string, A> {
  readonly shapes: { readonly [K in I]: Extents }
  readonly attributes: A
}

/** Cases of an op without attributes, from a generator of each input's shape by itself. */
export const shapes = <I extends string>(inputs: {
  readonly [K in I]: fc.Arbitrary<Extents>
}): fc.Arbitrary<Case<I, object>> =>
  // the record has one shape for each of the given generators
  fc.record(inputs).map((s) => ({ shapes: s as Case<I, object>["shapes"], attributes: {} }))

/** Cases of an op without attributes, from a generator of all shapes together. */
export const together = <I extends string>(
  all: fc.Arbitrary<{ readonly [K in I]: Extents }>,
): fc.Arbitrary<Case<I, object>> => all.map((s) => ({ shapes: s, attributes: {} }))

/** How the numbers of an input are made, from how many there are. */
export type Elements = (count: number) => fc.Arbitrary<Float32Array>

const counted = (count: number, element: fc.Arbitrary<number>): fc.Arbitrary<Float32Array> =>
  fc.array(element, { minLength: count, maxLength: count }).map((xs) => Float32Array.from(xs))

/** Numbers of both signs up to 2, never 0: what a kink at 0 does not disturb. */
export const smooth: Elements = (count) => between(count, 0.5)

/** numbers `(k + offset) / 32`: of different offsets, no two are equal */
export const between = (count: number, offset: number): fc.Arbitrary<Float32Array> =>
  counted(
    count,
    fc.integer({ min: -64, max: 63 }).map((k) => (k + offset) / 32),
  )

/** Numbers from 0.5 to 4.5. */
export const positive: Elements = (count) => counted(count, halves)

/** Numbers of both signs and of magnitude 0.5 to 4.5: what can be divided by. */
export const apart: Elements = (count) =>
  counted(
    count,
    fc.tuple(halves, fc.boolean()).map(([v, negative]) => (negative ? -v : v)),
  )

/** Numbers of both signs up to 8, none of them near a multiple of a half. */
export const wide: Elements = (count) =>
  counted(
    count,
    fc.integer({ min: -64, max: 63 }).map((k) => (k + 0.5) / 8),
  )

const halves = fc.integer({ min: 0, max: 127 }).map((k) => 0.5 + (k + 0.5) / 32)

/** Numbers of both signs, no two of them equal or near: what a maximum can be differentiated at. */
export const distinct: Elements = (count) =>
  fc
    .shuffledSubarray(
      Array.from({ length: count }, (_, i) => i),
      { minLength: count, maxLength: count },
    )
    .map((order) => Float32Array.from(order, (i) => (4 * (i + 0.5)) / count - 2))

/** Numbers with zeros and ties among them, for laws of values. */
export const tied: Elements = (count) => counted(count, fc.integer({ min: -2, max: 2 }))

/** Class indices 0, 1, …, `classes` − 1. */
export const labels =
  (classes: number): Elements =>
  (count) =>
    counted(count, fc.integer({ min: 0, max: classes - 1 }))
