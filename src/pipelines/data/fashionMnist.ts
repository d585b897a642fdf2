import * as Effect from "effect/Effect"
import { type FilesOptions, sharedFolders } from "./files.ts"
import { type IdxSet, idxSplits } from "./idx.ts"

const set: IdxSet = {
  name: "Fashion-MNIST",
  cache: "fashion-mnist",
  mirrors: ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"],
  classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
  md5: {
    trainImages: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    trainLabels: "25c81989df183df01b3e8a0aad5dffbe",
    testImages: "bef4ecab320f06d8554ea6380940ec79",
    testLabels: "bb300cfdad3c16e7a12a480ee83cd310",
  },
}

/**
 * Fashion-MNIST: 60,000 pictures of clothes to train on and 10,000 to test on, `[1, 28, 28]` from 0 to 1, in ten classes.
 *
 * Its four IDX files, plain or gzip, are looked for in `folder`, in the system's shared data folders (where Debian's
 * package `dataset-fashion-mnist` puts them), in the cache folder, and then downloaded. Needs and fails as `mnist` does.
 *
 * @example
 * const { train } = yield* Data.fashionMnist()
 * train.classes[0] // => "T-shirt/top"
 */
export const fashionMnist = Effect.fnUntraced(function* (options: FilesOptions = {}) {
  const shared = yield* sharedFolders("fashion-mnist")
  return yield* idxSplits(
    set,
    shared.map((folder) => ({ said: folder, folder })),
    options,
  )
})
