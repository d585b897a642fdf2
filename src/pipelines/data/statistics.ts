import * as Effect from "effect/Effect"
import type { Shape } from "../../shapes/Shape.ts"
import { DataError } from "../DataError.ts"
import { type Dataset, known } from "./Dataset.ts"

/** Mean and deviation of each channel, over all pixels of all pictures. */
export interface Statistics {
  readonly mean: ReadonlyArray<number>
  /** of the population, as `normalize` wants it: numpy's `std`, PyTorch's with `unbiased=False` */
  readonly std: ReadonlyArray<number>
  /** pictures that were read */
  readonly samples: number
}

/** pictures that are read at once */
const chunk = 64

/**
 * Mean and deviation of the channels of a set, in one pass and stable however far the mean is from 0: each picture's are
 * merged into those so far, as Chan, Golub and LeVeque 1979 do it.
 *
 * **Shapes** `[C, H, W]`, of one size or of many. Fails with what reading the set fails with.
 *
 * @example
 * const { mean, std } = yield* Data.statistics(mnist.train)
 * mnist.train.pipe(Data.map(Transforms.normalize(mean, std)))
 */
export const statistics = Effect.fnUntraced(function* <S extends Shape>(self: Dataset<S>) {
  if (self.refusal !== undefined) return yield* self.refusal
  if (self.shape.length !== 3) {
    const [found, expected] = [self.shape.join("×"), "pictures of [C, H, W]"]
    return yield* new DataError({
      source: self.name,
      reason: { _tag: "BadOption", option: "statistics", found, expected },
    })
  }
  const key = { seed: 0, epoch: 1 }
  const order = self.order(key)
  const fixed = known(self.shape)
  const mean: Array<number> = []
  const squares: Array<number> = []
  const counts: Array<number> = []
  for (let from = 0; from < order.length; from += chunk) {
    const read = yield* self.read(order.subarray(from, from + chunk), key)
    let at = 0
    for (let i = 0; i < read.labels.length; i++) {
      const [channels = 1, height = 1, width = 1] = read.shapes?.[i] ?? fixed ?? []
      const n = height * width
      for (let c = 0; c < channels; c++, at += n) {
        let sum = 0
        for (let j = at; j < at + n; j++) sum += read.images[j]!
        const own = sum / n
        let off = 0
        for (let j = at; j < at + n; j++) off += (read.images[j]! - own) ** 2
        const before = counts[c] ?? 0
        const delta = own - (mean[c] ?? 0)
        mean[c] = (mean[c] ?? 0) + (delta * n) / (before + n)
        squares[c] = (squares[c] ?? 0) + off + (delta * delta * before * n) / (before + n)
        counts[c] = before + n
      }
    }
    // lets timers and signals run
    yield* Effect.yieldNow
  }
  const std = squares.map((sum, c) => Math.sqrt(sum / counts[c]!))
  const result: Statistics = { mean, std, samples: order.length }
  return result
})
