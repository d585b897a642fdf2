/** What a benchmark measured, and how it is printed. */

export interface Result {
  readonly suite: string
  readonly name: string
  readonly shape: string
  readonly unit: string
  /** the median, or `wrong` where the result disagrees with the reference */
  readonly ours: number | "wrong"
  /** `null` where only ours ran */
  readonly peer: string | null
  readonly theirs: number | "wrong" | null
  /** ours to theirs, `null` where either is missing or wrong */
  readonly ratio: number | null
  /** from the lowest to the highest round: of the ratio, or of ours where there is no ratio */
  readonly spread: readonly [lowest: number, highest: number]
}

/** The middle of some numbers; of the two middle ones, what lies between. */
export const median = (xs: ReadonlyArray<number>): number => {
  const sorted = xs.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return ((sorted[half] ?? Number.NaN) + (sorted[sorted.length - 1 - half] ?? Number.NaN)) / 2
}

const range = (xs: ReadonlyArray<number>): readonly [number, number] => [Math.min(...xs), Math.max(...xs)]

/** The rates of one contender, in the order of the rounds that it took part in, or `wrong`. */
export interface Measured {
  readonly name: string
  readonly rates: ReadonlyArray<number> | "wrong"
  /** what sets its problem apart from ours, such as a smaller batch */
  readonly note?: string | undefined
}

/** One result for each peer, or one without a peer where there is none. */
export const results = (
  about: { readonly suite: string; readonly name: string; readonly shape: string; readonly unit: string },
  ours: Measured,
  peers: ReadonlyArray<Measured>,
): ReadonlyArray<Result> => {
  const rate = ({ rates }: Measured): number | "wrong" => (rates === "wrong" ? rates : median(rates))
  const alone = ours.rates === "wrong" ? ([0, 0] as const) : range(ours.rates)
  if (peers.length === 0) return [{ ...about, ours: rate(ours), peer: null, theirs: null, ratio: null, spread: alone }]
  return peers.map((peer) => {
    // a slow peer takes part in the first rounds only, and is compared with ours in the same
    const rounds = peer.rates === "wrong" ? undefined : peer.rates.length
    const same = ours.rates === "wrong" ? ours : { ...ours, rates: ours.rates.slice(0, rounds) }
    const [a, b] = [rate(same), rate(peer)]
    const shape = peer.note === undefined ? about.shape : `${about.shape} (${peer.name}: ${peer.note})`
    const both = ours.rates !== "wrong" && peer.rates !== "wrong" ? ([ours.rates, peer.rates] as const) : undefined
    const ratios = both?.[1].map((theirs, i) => (both[0][i] ?? Number.NaN) / theirs)
    return {
      ...about,
      shape,
      ours: a,
      peer: peer.name,
      theirs: b,
      ratio: typeof a === "number" && typeof b === "number" ? a / b : null,
      spread: ratios === undefined ? alone : range(ratios),
    }
  })
}

const number = (x: number | "wrong" | null): string => {
  if (x === null) return ""
  if (x === "wrong") return x
  return x < 100 ? x.toPrecision(3) : Math.round(x).toLocaleString("en-US")
}

/** A result as one line for people. */
export const line = (r: Result): string => {
  const [lowest, highest] = r.spread.map(number)
  const compared = r.peer === null ? "" : `${r.peer} ${number(r.theirs)}`
  const ratio = r.ratio === null ? `(${lowest}–${highest})` : `×${number(r.ratio)} (${lowest}–${highest})`
  const time = r.unit === "1/s" && typeof r.ours === "number" ? `= ${number(1000 / r.ours)} ms ` : ""
  return `${r.name.padEnd(30)} ${r.shape.padEnd(44)} ${number(r.ours).padStart(7)} ${r.unit.padEnd(8)}  ${time}${compared.padEnd(18)} ${ratio}`
}
