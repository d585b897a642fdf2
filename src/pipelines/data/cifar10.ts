import * as Effect from "effect/Effect"
import { cifarFiles, cifarPart, type CifarSet } from "./cifar.ts"
import type { FilesOptions } from "./files.ts"
import type { Splits } from "./idx.ts"

const trainFiles = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`)

const set: CifarSet = {
  name: "CIFAR-10",
  cache: "cifar-10",
  mirror: "https://www.cs.toronto.edu/~kriz",
  archive: { file: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" },
  inside: "cifar-10-batches-bin",
  files: Object.fromEntries([...trainFiles, "test_batch.bin"].map((file) => [file, 10_000])),
  labelBytes: 1,
  label: 0,
  classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
}

/**
 * CIFAR-10: 50,000 photographs to train on and 10,000 to test on, `[3, 32, 32]` from 0 to 1, in ten classes.
 *
 * The files of its binary version (or its archive) are looked for in `folder` and in the cache folder, and else
 * downloaded. Needs and fails as `mnist` does; `BadArchive` too.
 *
 * @example
 * const { train, test } = yield* Data.cifar10()
 */
export const cifar10 = Effect.fnUntraced(function* (options: FilesOptions = {}) {
  const paths = yield* cifarFiles(set, options)
  const splits: Splits<readonly [3, 32, 32]> = {
    train: yield* cifarPart(set, "train", trainFiles, paths),
    test: yield* cifarPart(set, "test", ["test_batch.bin"], paths),
  }
  return splits
})
