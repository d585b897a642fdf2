/** How much an example may take: all of its data unless told. */
import { Data } from "../src/index.ts"

export interface Budget {
  /** pictures at most, to train on and to test on */
  readonly limit: number | undefined
  /** the folder that runs are written to */
  readonly out: string
}

export const limited = <const S extends ReadonlyArray<number>>(
  splits: Data.Splits<S>,
  { limit }: Budget,
): Data.Splits<S> =>
  limit === undefined ? splits : { train: Data.limit(splits.train, limit), test: Data.limit(splits.test, limit) }
