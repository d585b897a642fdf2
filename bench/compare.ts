/** One line of a benchmark: ours and every peer that can do the same, in turn, each result checked. */
import { alternate, type Contender } from "./measure.ts"
import type { Bench } from "./main.ts"
import type { Job, Peer } from "./peers.ts"
import { type Measured, type Result, results } from "./Result.ts"

export interface Entrant extends Contender {
  /** whether its last result is wrong */
  readonly wrong: () => Promise<boolean>
}

/** what a peer is asked to do */
export interface Task {
  readonly job: Job
  /** of one iteration */
  readonly work: number
  /** elements of the result */
  readonly size: number
  /** whether what the peer found at some positions, after so many iterations in all, is wrong */
  readonly wrong: (
    at: ReadonlyArray<number>,
    found: ReadonlyArray<number>,
    iterations: number,
    peer: Peer,
  ) => Promise<boolean>
  /** what sets it apart from what ours does */
  readonly note?: string
}

/** an iteration that takes longer is not waited for where a smaller problem tells the rate as well */
const longMs = { quick: 1000, full: 10_000 }

const entrantOf = (
  bench: Bench,
  peer: Peer,
  task: Task,
  estimateMs: number,
): Entrant & { readonly note: string | undefined } => ({
  estimateMs,
  name: peer.name,
  work: task.work,
  note: task.note,
  run: (n) => peer.run(n),
  wrong: async () => {
    const at = bench.positions(task.size)
    const { values, iterations } = await peer.values(at)
    return task.wrong(at, values, iterations, peer)
  },
})

/**
 * Gets a peer ready for a task. One that is not native starts with the smaller task where there is one, and stays with it
 * if the whole would take too long; nothing is extrapolated.
 */
const prepare = async (bench: Bench, peer: Peer, whole: Task, smaller: Task | undefined) => {
  const refused = (why: string): undefined => {
    bench.note(`${peer.name}: ${why}`)
  }
  if (smaller !== undefined && peer.name !== "torch") {
    const probe = await peer.prepare(smaller.job)
    if ("unsupported" in probe) return refused(probe.unsupported)
    const limit = bench.options.quick ? longMs.quick : longMs.full
    if ((probe.ms * whole.work) / smaller.work > limit) return entrantOf(bench, peer, smaller, probe.ms)
  }
  const prepared = await peer.prepare(whole.job)
  return "unsupported" in prepared ? refused(prepared.unsupported) : entrantOf(bench, peer, whole, prepared.ms)
}

/** Measures ours beside the peers and beside others that are no libraries. */
export const compare = async (
  bench: Bench,
  about: Parameters<typeof results>[0],
  ours: Entrant,
  task: Task,
  { smaller, others = [] }: { readonly smaller?: Task | undefined; readonly others?: ReadonlyArray<Entrant> } = {},
): Promise<ReadonlyArray<Result>> => {
  const entrants: Array<Entrant & { readonly note?: string | undefined }> = [ours, ...others]
  for (const peer of bench.peers) {
    const entrant = await prepare(bench, peer, task, smaller)
    if (entrant !== undefined) entrants.push(entrant)
  }
  const rates = await alternate(entrants, bench.effort)
  const measured: Array<Measured> = []
  // ours last: what it is compared with may be a peer's
  for (const [i, e] of [...entrants.entries()].toReversed())
    measured.unshift({ name: e.name, note: e.note, rates: (await e.wrong()) ? "wrong" : (rates[i] ?? []) })
  for (const peer of bench.peers) await peer.drop()
  const [own = { name: "ours", rates: "wrong" as const }, ...theirs] = measured
  return results(about, own, theirs)
}
