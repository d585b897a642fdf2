/** Results that take the place of what they are computed from, where that is not needed any more. */
import { forEachPart, isPoint } from "../expression.ts"
import type { Need } from "../memory.ts"
import type { Plan, Step } from "../Plan.ts"

export interface Placement {
  /** as given, but what takes another's place needs none, and the other lives on */
  readonly needs: ReadonlyArray<Need | undefined>
  /** the buffer in whose place each lies, most in their own */
  readonly place: ReadonlyArray<number>
}

/** the inputs that a kernel loads at the very point it stores, and nowhere else */
const loadedInPlace = ({ code, inputs }: Step): ReadonlySet<number> => {
  if (code._tag !== "Kernel") return new Set()
  const elsewhere = new Set<number>()
  forEachPart(code.stores, (v) => {
    if (v._tag === "Load" && !(isPoint(v.at) && v.at.length === code.space.length)) elsewhere.add(inputs[v.input] ?? -1)
  })
  const whole = code.space.join()
  inputs.forEach((b, i) => (code.inputs[i]?.join() === whole ? undefined : elsewhere.add(b)))
  return new Set(inputs.filter((b) => !elsewhere.has(b)))
}

/**
 * `given` may keep a buffer for longer than the steps that use it, where several run together: row by row, which a
 * result in place does not disturb.
 */
export const inPlace = (plan: Plan, given: ReadonlyArray<Need | undefined>): Placement => {
  const needs = [...given]
  const place = plan.buffers.map((_, i) => i)
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  plan.steps.forEach((step, i) => {
    for (const b of step.inputs) last.set(b, i)
    for (const b of step.outputs) {
      last.set(b, i)
      if (!first.has(b)) first.set(b, i)
    }
  })
  const isTemp = (b: number): boolean => plan.buffers[b]?.role._tag === "Temp"
  plan.steps.forEach((step, i) => {
    const ending = (b: number) => isTemp(b) && last.get(b) === i && !step.outputs.includes(b)
    const free = [...loadedInPlace(step)].filter(ending)
    for (const output of step.outputs) {
      const own = needs[output]
      if (!isTemp(output) || own === undefined || first.get(output) !== i) continue
      const at = free.findIndex((b) => needs[place[b] ?? b]?.bytes === own.bytes)
      const [taken] = at < 0 ? [] : free.splice(at, 1)
      const root = taken === undefined ? undefined : place[taken]
      const before = root === undefined ? undefined : needs[root]
      if (root === undefined || before === undefined) continue
      needs[root] = { ...before, last: Math.max(before.last, own.last) }
      needs[output] = { ...own, bytes: 0 }
      place[output] = root
    }
  })
  return { needs, place }
}
