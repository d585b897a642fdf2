/** Measuring: everyone in turn, so that all see the same minutes of the machine. */
import { setTimeout as sleep } from "node:timers/promises"

export interface Contender {
  readonly name: string
  /** what one iteration does, in the unit of the rate times a second: operations, images, bytes */
  readonly work: number
  /** does so many iterations, and gives the milliseconds that they took */
  readonly run: (iterations: number) => Promise<number>
  /** how long an iteration takes, where that is known */
  readonly estimateMs?: number | undefined
}

export interface Effort {
  readonly rounds: number
  /** what a turn of one contender takes at least */
  readonly leastMs: number
  /** what each runs before it is measured, at least: engines compile while code runs */
  readonly warmMs: number
  /** a contender that has used so much is left out of further rounds */
  readonly budgetMs: number
}

export const effort = (quick: boolean): Effort =>
  quick
    ? { rounds: 3, leastMs: 30, warmMs: 60, budgetMs: 2000 }
    : { rounds: 9, leastMs: 100, warmMs: 1500, budgetMs: 15000 }

/** The rates of each contender in each round (work per second), after a warm-up of each. */
export const alternate = async (
  contenders: ReadonlyArray<Contender>,
  { rounds, leastMs, warmMs, budgetMs }: Effort,
): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
  const turns: Array<{ readonly iterations: number; readonly rates: Array<number>; used: number }> = []
  for (const c of contenders) {
    // the estimate is that of the last run, each at most twice as long as the one before
    const known = (c.estimateMs ?? 0) > leastMs ? c.estimateMs : undefined
    const warm = known === undefined ? warmMs : 0
    let [iterations, ms, used] = [1, known ?? (await c.run(1)), 0]
    while (used + ms < warm) {
      used += ms
      iterations = Math.max(1, Math.min(iterations * 2, Math.ceil((iterations * leastMs) / Math.max(ms, 1e-3))))
      ms = await c.run(iterations)
    }
    turns.push({ iterations: Math.max(1, Math.ceil((iterations * leastMs) / ms)), rates: [], used: 0 })
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, c] of contenders.entries()) {
      const turn = turns[i]
      if (turn === undefined || turn.used > budgetMs) continue
      // threads of the one before may spin a little before they sleep
      await sleep(5)
      const ms = await c.run(turn.iterations)
      turn.used += ms
      turn.rates.push((c.work * turn.iterations * 1000) / ms)
    }
  }
  return turns.map((t) => t.rates)
}
