/**
 * The block of words through which the host and its workers talk without messages. What different threads write stands on
 * different cache lines.
 *
 * A worker that has nothing to do waits on its own `wake` word. The host changes it to say that there is a message to fetch
 * (`posted` counts them) or a schedule to run (`run` has a new number). The last of the `crew` that is done puts that
 * number into `finished`.
 */
const line = 32

/** milliseconds for which a thread spins at a barrier at least: sleeping takes about as long */
export const leastSpin = 0.005

export const control = {
  /** the round of the barrier */
  round: 0,
  /** how many have arrived at it */
  arrived: line,
  /** whether a thread has failed in this run */
  failed: 2 * line,
  /** how many workers are done with this run */
  done: 3 * line,
  /** the number of the last run that all are done with */
  finished: 4 * line,
  /** the messages posted to each worker */
  posted: 5 * line,
  /** which schedule to run */
  schedule: 5 * line + 1,
  /** how many workers run it */
  crew: 5 * line + 2,
  /** a worker's own line: its wake word, and behind it the number of the run that it is to take part in */
  worker: (part: number): number => (6 + part) * line,
  words: (parts: number): number => (6 + parts) * line,
} as const
