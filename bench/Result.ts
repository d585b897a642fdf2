/** What a benchmark measured, and how it is printed. */

export interface Result {
  readonly suite: string
  readonly name: string
  readonly shape: string
  readonly unit: string
  /** the median, or `wrong` where the result disagrees with the reference */
  readonly ours: number | "wrong"
  readonly peer: string | null
  readonly theirs: number | null
  readonly ratio: number | null
  /** of the runs: from the lowest to the highest */
  readonly spread: readonly [lowest: number, highest: number]
}

const number = (x: number): string => x.toFixed(x < 10 ? 2 : 1)

export const print = (results: ReadonlyArray<Result>, json: boolean): void => {
  for (const r of results) {
    if (json) {
      console.log(JSON.stringify(r))
      continue
    }
    const ours = r.ours === "wrong" ? "wrong" : number(r.ours)
    const theirs = r.theirs === null ? "" : `  ${r.peer} ${number(r.theirs)}  ratio ${number(r.ratio ?? 0)}`
    const spread = `${number(r.spread[0])}–${number(r.spread[1])}`
    console.log(`${r.name.padEnd(34)} ${r.shape.padEnd(46)} ${ours.padStart(7)} ${r.unit}  (${spread})${theirs}`)
  }
}

export const median = (xs: ReadonlyArray<number>): number => {
  const sorted = xs.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return ((sorted[half] ?? 0) + (sorted[sorted.length - 1 - half] ?? 0)) / 2
}
