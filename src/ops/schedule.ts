/** The order of steps in which state can be updated in place. */
import * as K from "../gpu/Kernel.ts"
import type { Buffer, Step } from "../gpu/Plan.ts"

/** A step, and the buffers that it reads at other points than the one it stores. */
export interface ScheduledStep {
  readonly step: Step
  readonly elsewhere: ReadonlySet<number>
}

/** `fresh` holds what `state` is to hold after the run. */
export interface Update {
  readonly fresh: number
  readonly state: number
}

export interface Schedule {
  readonly steps: ReadonlyArray<Step>
  readonly buffers: ReadonlyArray<Buffer>
}

/**
 * Steps in an order in which each runs after what it reads is written. New state replaces the old in place where every
 * other read of the old can come first; elsewhere it is copied at the end. `null` where steps wait for each other.
 */
export const inOrder = (
  steps: ReadonlyArray<ScheduledStep>,
  buffers: ReadonlyArray<Buffer>,
  updates: ReadonlyArray<Update>,
): Schedule | null => {
  const writer = new Map(steps.flatMap(({ step }, i) => step.outputs.map((b) => [b, i] as const)))
  const writerOf = (u: Update): number => writer.get(u.fresh) ?? -1
  let inPlace = updates.filter((u) => steps[writerOf(u)]?.elsewhere.has(u.state) !== true)
  for (;;) {
    const order = sorted(steps, writer, inPlace)
    if (order.waiting.length === 0) return substituted(order.steps, buffers, updates, new Set(inPlace))
    const stuck = inPlace.find((u) => order.waiting.includes(writerOf(u)))
    if (stuck === undefined) return null
    inPlace = inPlace.filter((u) => u !== stuck)
  }
}

const sorted = (
  steps: ReadonlyArray<ScheduledStep>,
  writer: ReadonlyMap<number, number>,
  inPlace: ReadonlyArray<Update>,
): { readonly steps: ReadonlyArray<Step>; readonly waiting: ReadonlyArray<number> } => {
  const replaced = new Map(inPlace.map((u) => [u.state, writer.get(u.fresh) ?? -1]))
  const before = steps.map(() => new Set<number>())
  steps.forEach(({ step }, i) => {
    for (const b of step.inputs) {
      const written = writer.get(b)
      if (written !== undefined && written !== i) before[i]?.add(written)
      const overwritten = replaced.get(b)
      if (overwritten !== undefined && overwritten !== i) before[overwritten]?.add(i)
    }
  })
  const order: Array<Step> = []
  const waiting = new Set(steps.keys())
  const runs = (i: number): boolean => {
    const scheduled = steps[i]
    if (scheduled === undefined || [...(before[i] ?? [])].some((j) => waiting.has(j))) return false
    waiting.delete(i)
    order.push(scheduled.step)
    return true
  }
  // what had to wait runs as soon as it can: an update of a weight then frees the weight's gradient
  const late = new Set<number>()
  for (const i of steps.keys()) {
    if (!runs(i)) {
      late.add(i)
      continue
    }
    for (let progress = late.size > 0; progress;) {
      progress = false
      for (const j of late)
        if (runs(j)) {
          late.delete(j)
          progress = true
        }
    }
  }
  return { steps: order, waiting: [...waiting] }
}

const substituted = (
  steps: ReadonlyArray<Step>,
  buffers: ReadonlyArray<Buffer>,
  updates: ReadonlyArray<Update>,
  inPlace: ReadonlySet<Update>,
): Schedule => {
  const stored = new Map([...inPlace].map((u) => [u.fresh, u.state]))
  const resolve = (b: number): number => stored.get(b) ?? b
  const copies = updates
    .filter((u) => !inPlace.has(u))
    .map((u) => copy(buffers[u.state]?.shape ?? [], u.fresh, u.state))
  const placed = steps.map((s) => ({ ...s, inputs: s.inputs.map(resolve), outputs: s.outputs.map(resolve) }))
  return { steps: [...placed, ...copies], buffers }
}

/** a step that copies a buffer to another of the same shape */
export const copy = (shape: ReadonlyArray<number>, from: number, to: number): Step => ({
  code: { _tag: "Kernel", name: "copy", space: shape, inputs: [shape], stores: [K.load(0, K.point(shape))] },
  inputs: [from],
  outputs: [to],
})
