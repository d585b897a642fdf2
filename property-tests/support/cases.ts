/** Generators that several law files share: a case and its attributes are drawn together. */
import * as fc from "fast-check"
import { extents } from "../../src/laws.ts"

export const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

/** one of the dimensions, counted from the front or from the end */
export const dimOf = (shape: ReadonlyArray<number>): fc.Arbitrary<number> => int(-shape.length, shape.length - 1)

/** an input of at least one dimension, with one of its dimensions */
export const alongOne = extents({ rank: [1, 4] }).chain((x) =>
  dimOf(x).map((dim) => ({ shapes: { x }, attributes: { dim } })),
)

/** an input with some of its dimensions, or with none named */
export const alongSome = extents({ rank: [0, 4] }).chain((x) =>
  fc
    .record({
      dim: fc.option(fc.subarray(x.map((_, i) => i)).filter((d) => d.length > 0 || x.length === 0)),
      keepDim: fc.boolean(),
    })
    .map(({ dim, keepDim }) => ({
      shapes: { x },
      // a scalar has no dimension to name
      attributes: { keepDim, ...(dim === null || x.length === 0 ? {} : { dim }) } as {
        readonly dim?: ReadonlyArray<number>
        readonly keepDim: boolean
      },
    })),
)

/** the dimensions that the options of `alongSome` name, from the front */
export const named = (
  shape: ReadonlyArray<number>,
  { dim }: { readonly dim?: ReadonlyArray<number> },
): ReadonlyArray<number> => dim ?? shape.map((_, i) => i)
