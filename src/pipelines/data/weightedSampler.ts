import { dual } from "effect/Function"
import * as Random from "../../ops/random.ts"
import type { Shape } from "../../shapes/Shape.ts"
import { type Dataset, refuse } from "./Dataset.ts"
import { labelsOf } from "./labels.ts"

/** How samples are drawn. */
export interface WeightedOptions {
  /** how many samples an epoch has: as many as the set unless told */
  readonly count?: number
  /** whether a sample may be drawn more than once: it may unless told */
  readonly replacement?: boolean
}

const stream = Random.stream("weightedSampler")

/** a uniform number with 44 bits, above 0 */
const fine = (uniform: (i: number) => number, i: number): number =>
  uniform(2 * i) + (uniform(2 * i + 1) + 2 ** -23) * 2 ** -22

const draw = (weights: Float64Array, count: number, uniform: (i: number) => number): Uint32Array => {
  const sums = new Float64Array(weights.length)
  let total = 0
  weights.forEach((w, i) => (sums[i] = total += w))
  return Uint32Array.from({ length: count }, (_, i) => {
    const at = fine(uniform, i) * total
    // the first of which the sum is above
    let [low, high] = [0, weights.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! > at) high = middle
      else low = middle + 1
    }
    return low
  })
}
/** the `count` smallest waiting times, each of a rate that is its weight: Efraimidis and Spirakis 2006 */
const drawOnce = (weights: Float64Array, count: number, uniform: (i: number) => number): Uint32Array => {
  const times = Float64Array.from(weights, (w, i) => (w === 0 ? Infinity : -Math.log(fine(uniform, i)) / w))
  const order = Uint32Array.from(weights, (_, i) => i).toSorted((a, b) => times[a]! - times[b]!)
  return order.subarray(0, count)
}

/**
 * An epoch of samples drawn at random, each as often as its weight says: one weight for each sample of the set, in its
 * order, or `"balanced"`, by which every class is equally likely. Other ones in each epoch; the draw depends on seed and
 * epoch only. PyTorch's `WeightedRandomSampler`.
 *
 * Fails, when it is read, with `DataError`: `BadOption` where weights or options cannot be meant, `NoLabels`.
 *
 * @example
 * uneven.pipe(Data.weightedSampler("balanced"), Data.batch(64))
 */
export const weightedSampler: {
  (
    weights: ArrayLike<number> | "balanced",
    options?: WeightedOptions,
  ): <S extends Shape>(self: Dataset<S>) => Dataset<S>
  <S extends Shape>(self: Dataset<S>, weights: ArrayLike<number> | "balanced", options?: WeightedOptions): Dataset<S>
} = dual(
  (args) => typeof args[0] === "object" && args[0] !== null && "_tag" in args[0],
  <S extends Shape>(
    self: Dataset<S>,
    given: ArrayLike<number> | "balanced",
    options: WeightedOptions = {},
  ): Dataset<S> => {
    const { count = self.length, replacement = true } = options
    const bad = (found: unknown, expected: string) =>
      refuse(self, { _tag: "BadOption", option: "weightedSampler", found, expected })
    if (self.ordering !== "fixed") return bad("a set in random order", "one in its own order: leave shuffle out")
    let weights: Float64Array
    if (given === "balanced") {
      const found = labelsOf(self, "weightedSampler")
      if ("refused" in found) return found.refused
      const order = self.order({ seed: 0, epoch: 1 })
      const counts = new Float64Array(self.classes.length)
      for (const sample of order) counts[found.labels[sample]!]!++
      weights = Float64Array.from(order, (sample) => 1 / counts[found.labels[sample]!]!)
    } else weights = Float64Array.from(given)
    if (weights.length !== self.length) return bad(`${weights.length} weights`, `${self.length}, one for each sample`)
    if (!weights.every((w) => w >= 0 && Number.isFinite(w))) {
      return bad(
        weights.find((w) => !(w >= 0 && Number.isFinite(w))),
        "weights of at least 0",
      )
    }
    const possible = weights.reduce((n, w) => n + (w > 0 ? 1 : 0), 0)
    if (possible === 0) return bad("weights that are all 0", "at least one above 0")
    if (!Number.isInteger(count) || count < 1 || (!replacement && count > possible)) {
      const most = replacement ? "" : ` and at most the ${possible} samples that can be drawn`
      return bad(`count ${count}`, `a whole number of at least 1${most}`)
    }
    return {
      ...self,
      length: count,
      ordering: "sampled",
      order: (key) => {
        const order = self.order(key)
        const uniform = Random.uniform(Random.key(key.seed, key.epoch), stream)
        return (replacement ? draw : drawOnce)(weights, count, uniform).map((i) => order[i]!)
      },
    }
  },
)
