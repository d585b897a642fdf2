/** A set in two or more that have no sample in common, the same ones whenever the seed is the same. */
import { dual } from "effect/Function"
import * as Random from "../../ops/random.ts"
import type { Shape } from "../../shapes/Shape.ts"
import type { DataReason } from "../DataError.ts"
import { type Dataset, permutation, refuse, subset } from "./Dataset.ts"
import { labelsOf } from "./labels.ts"

/** The parts that shares make. */
export type Parts<S extends Shape, L extends ReadonlyArray<number>> = { readonly [K in keyof L]: Dataset<S> }

/** numbers of samples for shares of n: whole numbers of at least 1 are numbers, fractions that sum to 1 are shares */
const sizes = (shares: ReadonlyArray<number>, n: number): ReadonlyArray<number> | string => {
  const sum = shares.reduce((a, b) => a + b, 0)
  if (shares.length === 0 || shares.some((x) => !(x >= 0))) return "numbers of at least 0, one for each part"
  if (Math.abs(sum - 1) > 1e-6) {
    return sum === n && shares.every(Number.isInteger) ? shares : `fractions that sum to 1, or counts that sum to ${n}`
  }
  // as PyTorch: each rounded down, what is left goes to the first ones
  const counts = shares.map((share) => Math.floor(share * n + 1e-9))
  const left = n - counts.reduce((a, b) => a + b, 0)
  return counts.map((count, i) => (i < left ? count + 1 : count))
}

const refuseAll = <S extends Shape, L extends ReadonlyArray<number>>(self: Dataset<S>, shares: L, reason: DataReason) =>
  // one part for each share
  shares.map(() => refuse(self, reason)) as Parts<S, L>

const needFixed = (option: string): DataReason => ({
  _tag: "BadOption",
  option,
  found: "a set in random order",
  expected: "one in its own order: shuffle the parts instead",
})

const uniformOf = (seed: number, name: string) => Random.uniform(Random.key(seed, 0), Random.stream(name))

/** the parts with these positions; a part without any is refused */
const partsOf = <S extends Shape, L extends ReadonlyArray<number>>(
  self: Dataset<S>,
  positions: ReadonlyArray<ReadonlyArray<number>>,
): Parts<S, L> =>
  // as many as shares
  positions.map((chosen) =>
    subset(
      self,
      chosen.toSorted((a, b) => a - b),
    ),
  ) as Parts<S, L>

/**
 * The set in parts that are drawn at random: `shares` are fractions that sum to 1 or numbers of samples that sum to
 * their number. Each sample is in one part, the same one for the same seed. PyTorch's `random_split`.
 *
 * The parts fail, when they are read, with `DataError` (`BadOption`) where the shares make no sense.
 *
 * @example
 * const [train, validation] = mnist.train.pipe(Data.randomSplit([0.9, 0.1], { seed: 1 }))
 */
export const randomSplit: {
  <const L extends ReadonlyArray<number>>(
    shares: L,
    options?: { readonly seed?: number },
  ): <S extends Shape>(self: Dataset<S>) => Parts<S, L>
  <S extends Shape, const L extends ReadonlyArray<number>>(
    self: Dataset<S>,
    shares: L,
    options?: { readonly seed?: number },
  ): Parts<S, L>
} = dual(
  (args) => !Array.isArray(args[0]),
  <S extends Shape, const L extends ReadonlyArray<number>>(
    self: Dataset<S>,
    shares: L,
    options: { readonly seed?: number } = {},
  ): Parts<S, L> => {
    if (self.ordering !== "fixed") return refuseAll(self, shares, needFixed("randomSplit"))
    const counts = sizes(shares, self.length)
    if (typeof counts === "string") {
      const found = `[${shares.join(", ")}]`
      return refuseAll(self, shares, { _tag: "BadOption", option: "randomSplit", found, expected: counts })
    }
    const order = permutation(uniformOf(options.seed ?? 0, "randomSplit"), self.length)
    let at = 0
    return partsOf(
      self,
      counts.map((count) => Array.from(order.subarray(at, (at += count)))),
    )
  },
)

/**
 * The set in parts drawn at random of which each has the same share of every class, as far as whole samples allow.
 *
 * The parts fail, when they are read, with `DataError`: `BadOption` where the fractions do not sum to 1, `NoLabels`.
 *
 * @example
 * const [train, validation] = cifar.train.pipe(Data.stratifiedSplit([0.9, 0.1], { seed: 1 }))
 */
export const stratifiedSplit: typeof randomSplit = dual(
  (args) => !Array.isArray(args[0]),
  <S extends Shape, const L extends ReadonlyArray<number>>(
    self: Dataset<S>,
    shares: L,
    options: { readonly seed?: number } = {},
  ): Parts<S, L> => {
    if (self.ordering !== "fixed") return refuseAll(self, shares, needFixed("stratifiedSplit"))
    const found = labelsOf(self, "stratifiedSplit")
    if ("refused" in found) return refuseAll(self, shares, { _tag: "NoLabels", operator: "stratifiedSplit" })
    const fractions = shares.some((x) => x > 1) ? shares.map((x) => x / self.length) : shares
    const fault = sizes(fractions, self.length)
    if (typeof fault === "string") {
      const given = `[${shares.join(", ")}]`
      return refuseAll(self, shares, { _tag: "BadOption", option: "stratifiedSplit", found: given, expected: fault })
    }
    const byClass = self.classes.map((): Array<number> => [])
    self.order({ seed: 0, epoch: 1 }).forEach((sample, position) => byClass[found.labels[sample]!]?.push(position))
    const parts = shares.map((): Array<number> => [])
    // what is over after rounding down goes where most is missing, so that the parts have their shares of the whole too
    const owed = fractions.map(() => 0)
    byClass.forEach((members, k) => {
      const order = permutation(uniformOf(options.seed ?? 0, `stratifiedSplit ${k}`), members.length)
      const counts = fractions.map((share, i) => {
        owed[i]! += share * members.length
        const count = Math.floor(share * members.length + 1e-9)
        owed[i]! -= count
        return count
      })
      for (let left = members.length - counts.reduce((a, b) => a + b, 0); left > 0; left--) {
        const most = owed.indexOf(Math.max(...owed))
        counts[most]!++
        owed[most]!--
      }
      let at = 0
      counts.forEach((count, i) => {
        for (const j of order.subarray(at, (at += count))) parts[i]!.push(members[j]!)
      })
    })
    return partsOf(self, parts)
  },
)
