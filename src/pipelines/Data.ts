/**
 * Data sets as plain data, and the operators that turn one into batches.
 *
 * @example
 * const mnist = yield* Data.mnist()
 * mnist.train.pipe(Data.shuffle, Data.batch(64), Data.prefetch(2))
 */
export {
  type Dataset,
  type EpochKey,
  fromArrays,
  limit,
  make,
  type Samples,
  type SampleShape,
  shuffle,
  subset,
} from "./data/Dataset.ts"
export { type Batch, batch, type Batches, type Last, paddingLabel, prefetch } from "./data/batches.ts"
export type { DownloadProgress, Patience } from "./data/download.ts"
export { fashionMnist } from "./data/fashionMnist.ts"
export type { FilesOptions } from "./data/files.ts"
export { idx, type Splits } from "./data/idx.ts"
export { map } from "./data/map.ts"
export { mnist } from "./data/mnist.ts"
export { synthetic } from "./data/synthetic.ts"
