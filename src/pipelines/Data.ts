/**
 * Data sets as plain data, and the operators that turn one into batches.
 *
 * @example
 * const mnist = yield* Data.mnist()
 * mnist.train.pipe(Data.shuffle, Data.batch(64), Data.prefetch(2))
 */
export { cache } from "./data/cache.ts"
export { cifar10 } from "./data/cifar10.ts"
export { cifar100 } from "./data/cifar100.ts"
export { concat } from "./data/concat.ts"
export {
  type Dataset,
  type DatasetParts,
  type EpochKey,
  fromArrays,
  limit,
  make,
  type Ordering,
  type Samples,
  type SampleShape,
  shuffle,
  subset,
} from "./data/Dataset.ts"
export { type Batch, batch, type Batches, type Last, paddingLabel, prefetch } from "./data/batches.ts"
export type { DownloadProgress, Patience } from "./data/download.ts"
export { fashionMnist } from "./data/fashionMnist.ts"
export type { FilesOptions } from "./data/files.ts"
export { filter, type Known } from "./data/filter.ts"
export { idx, type Splits } from "./data/idx.ts"
export { imageFolder } from "./data/imageFolder.ts"
export { map } from "./data/map.ts"
export { mnist } from "./data/mnist.ts"
export { type Recipe, recipe } from "./data/recipe.ts"
export { relabel } from "./data/relabel.ts"
export { repeat } from "./data/repeat.ts"
export { type Parts, randomSplit, stratifiedSplit } from "./data/split.ts"
export { type Statistics, statistics } from "./data/statistics.ts"
export { synthetic } from "./data/synthetic.ts"
export { weightedSampler, type WeightedOptions } from "./data/weightedSampler.ts"
export { workers } from "./data/workers.ts"
