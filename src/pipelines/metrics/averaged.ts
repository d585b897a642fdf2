/** What precision, recall and F1 share: counts of each class, and the ways to make one figure of those of the classes. */
import { type ConfusionMatrix, confusionMatrix } from "./confusionMatrix.ts"
import type { Metric } from "./Metric.ts"

/**
 * One figure for all classes, or one for each:
 * - `"micro"`: of all samples together;
 * - `"macro"`: the mean over the classes that occur, among the labels or among the predictions;
 * - `"weighted"`: the same, each class weighted by its samples;
 * - `"perClass"`: of each class, in order.
 */
export type Average = "micro" | "macro" | "weighted" | "perClass"

/** what a metric gives with that average */
export type Averaged<A extends Average> = A extends "perClass" ? ReadonlyArray<number> : number

/** right, wrongly taken for the class, and missed; of one class or of several together */
export interface Counts {
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

/** the counts of each class */
export const countsOf = (matrix: ConfusionMatrix): ReadonlyArray<Counts> =>
  matrix.map((row, c) => {
    const truePositives = row[c] ?? 0
    return {
      truePositives,
      falsePositives: sum(matrix.map((other) => other[c] ?? 0)) - truePositives,
      falseNegatives: sum(row) - truePositives,
    }
  })

/** a quotient, 0 where there is nothing to divide by */
export const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const together = (counts: ReadonlyArray<Counts>): Counts => ({
  truePositives: sum(counts.map((c) => c.truePositives)),
  falsePositives: sum(counts.map((c) => c.falsePositives)),
  falseNegatives: sum(counts.map((c) => c.falseNegatives)),
})

const average = (of: (counts: Counts) => number, counts: ReadonlyArray<Counts>, how: Average) => {
  const occurring = counts.filter((c) => c.truePositives + c.falsePositives + c.falseNegatives > 0)
  const samples = (c: Counts): number => c.truePositives + c.falseNegatives
  switch (how) {
    case "perClass":
      return counts.map(of)
    case "micro":
      return of(together(counts))
    case "macro":
      return share(sum(occurring.map(of)), occurring.length)
    case "weighted":
      return share(sum(counts.map((c) => of(c) * samples(c))), sum(counts.map(samples)))
  }
}

/** the metric of a figure that is made of counts */
export const ofCounts =
  (name: string, of: (counts: Counts) => number) =>
  <const A extends Average = "macro">(how?: A): Metric<Averaged<A>> => ({
    _tag: "Metric",
    name: `${how ?? "macro"} ${name}`,
    total: confusionMatrix.total,
    // a list with "perClass" and else a number, as the type says
    finish: (total, samples) =>
      average(of, countsOf(confusionMatrix.finish(total, samples)), how ?? "macro") as Averaged<A>,
  })
