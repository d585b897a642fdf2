import { firstRefusal } from "../InvalidOption.ts"

/** A learning rate for each step, counted from 1: what `lr` of an optimiser takes. Any such function is one. */
export interface Schedule {
  (step: number): number
  /** an option that cannot be meant, as a sentence */
  readonly refusal?: string | undefined
}

/** what an option must fulfil, and the words for it */
export type Wish = readonly [ok: boolean, says: string]

/** a schedule from its rate after `done` steps, as PyTorch counts them: from 0 */
export const make = (name: string, wishes: ReadonlyArray<Wish>, rate: (done: number) => number): Schedule =>
  withRefusal(firstRefusal(name, wishes), (step) => rate(step - 1))

/** a schedule that cannot be meant where there is a refusal */
export const withRefusal = (refusal: string | undefined, schedule: (step: number) => number): Schedule =>
  Object.assign((step: number) => schedule(step), refusal === undefined ? {} : { refusal })

export const rate = (name: string, lr: number): Wish => [
  lr >= 0 && Number.isFinite(lr),
  `${name} of at least 0, not ${lr}`,
]
export const count = (name: string, n: number, least: number = 1): Wish => [
  Number.isInteger(n) && n >= least,
  `${name} to be a whole number of at least ${least}, not ${n}`,
]
export const finite = (name: string, x: number): Wish => [Number.isFinite(x), `a finite ${name}, not ${x}`]
