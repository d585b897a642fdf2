/**
 * The host as one of the threads: in a short run it takes the first worker's part, so that the run is neither handed over
 * nor waited for. Where it would have to wait for long it gives way to everything else that goes on in its thread.
 */
import { control, leastSpin } from "./control.ts"
import type { WorkerPhase } from "./workers.ts"

/** a word, and the value that it is to lose before there is something to do again */
export interface Wait {
  readonly word: number
  readonly value: number
}

export interface Failure {
  readonly step: number
  readonly message: string
}

interface Work {
  readonly phases: ReadonlyArray<WorkerPhase>
  /** for each phase its calls, once the host has taken part */
  calls: ReadonlyArray<ReadonlyArray<() => void>> | undefined
}

export interface Host {
  readonly module: (id: number, module: WebAssembly.Module) => void
  readonly schedule: (id: number, phases: ReadonlyArray<WorkerPhase>) => void
  readonly dropModule: (id: number) => void
  readonly dropSchedule: (id: number) => void
  /** takes the first part in run `number`; `together` with workers, or all by itself */
  readonly walk: (id: number, number: number, together: boolean) => Generator<Wait, Failure | undefined>
}

/** whether this thread may block: a page's main thread may not */
export const mayBlock = (): boolean => {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1) === "not-equal"
  } catch {
    return false
  }
}

/** waits for the workers of a run, without blocking */
export const finished = function* (flags: Int32Array, number: number): Generator<Wait, undefined> {
  for (;;) {
    const value = Atomics.load(flags, control.finished)
    if (value === number) return
    yield { word: control.finished, value }
  }
}

/** blocks for at most so long, in milliseconds */
const patience = 20

export const makeHost = (
  memory: WebAssembly.Memory,
  flags: Int32Array,
  parts: number,
  /** for how many milliseconds to spin before sleeping, at most */
  barrierSpin: number,
): Host => {
  const modules = new Map<number, WebAssembly.Module | WebAssembly.Exports>()
  const schedules = new Map<number, Work>()

  const exportsOf = (id: number): WebAssembly.Exports => {
    const known = modules.get(id)
    if (!(known instanceof WebAssembly.Module)) return known ?? {}
    const { exports } = new WebAssembly.Instance(known, { env: { memory } })
    modules.set(id, exports)
    return exports
  }
  const callsOf = ({ alone, calls }: WorkerPhase): ReadonlyArray<() => void> =>
    calls.flatMap(({ module, fn, args, units }) => {
      const f = exportsOf(module)[fn]
      if (typeof f !== "function")
        return [
          () => {
            throw new Error(`there is no function ${fn}`)
          },
        ]
      const n = alone ? 1 : parts
      if (units === undefined) return [() => void f(...args, 0, n)]
      const to = Math.floor(units / n)
      return to > 0 ? [() => void f(0, to, ...args)] : []
    })

  let spin = barrierSpin
  /** whether the word lost the value before patience ran out */
  const changes = ({ word, value }: Wait): boolean => {
    const end = performance.now() + spin
    do {
      for (let i = 0; i < 100; i++)
        if (Atomics.load(flags, word) !== value) {
          spin = Math.min(barrierSpin, 2 * spin)
          return true
        }
    } while (performance.now() < end)
    // in vain: the others have no processor, or much to do
    spin = Math.max(leastSpin, spin / 2)
    return Atomics.wait(flags, word, value, patience) !== "timed-out"
  }
  /** the round in which the others are waited for, if there are any */
  const arrive = (): number | undefined => {
    const round = Atomics.load(flags, control.round)
    if (Atomics.add(flags, control.arrived, 1) !== parts - 1) return round
    Atomics.store(flags, control.arrived, 0)
    Atomics.add(flags, control.round, 1)
    Atomics.notify(flags, control.round)
    return undefined
  }

  const others = function* (round: number | undefined): Generator<Wait, undefined> {
    if (round === undefined) return
    while (Atomics.load(flags, control.round) === round) yield { word: control.round, value: round }
  }

  const walk: Host["walk"] = function* (id, number, together) {
    const work = schedules.get(id)
    if (work === undefined) return undefined
    const calls = (work.calls ??= work.phases.map(callsOf))
    let failure: Failure | undefined
    for (const [i, phase] of work.phases.entries()) {
      if (together && phase.barrier) {
        for (const wait of others(arrive())) {
          // it is not over before this barrier unless one of the others cannot go on; asked in this order, since they may have
          // passed it and ended in the meantime
          const over = Atomics.load(flags, control.finished) === number
          if (over && Atomics.load(flags, wait.word) === wait.value) return failure
          if (!changes(wait)) yield wait
        }
      }
      if (failure !== undefined || Atomics.load(flags, control.failed) !== 0) continue
      try {
        for (const call of calls[i] ?? []) call()
      } catch (error) {
        failure = { step: phase.step, message: error instanceof Error ? error.message : String(error) }
        Atomics.store(flags, control.failed, 1)
      }
    }
    if (together) for (const wait of finished(flags, number)) if (!changes(wait)) yield wait
    return failure
  }

  return {
    module: (id, module) => modules.set(id, module),
    schedule: (id, phases) => schedules.set(id, { phases, calls: undefined }),
    dropModule: (id) => modules.delete(id),
    dropSchedule: (id) => schedules.delete(id),
    walk,
  }
}
