import { DeviceError, type DeviceBuffer } from "./Device.ts"
import { type Buffer, elements, type Plan } from "./Plan.ts"

type Tag = "Input" | "State" | "Output"
type Slots = Readonly<Record<Tag, ReadonlyArray<readonly [slot: number, buffer: Buffer, elements: number]>>>

/** asked at every run */
const known = new WeakMap<Plan, Slots>()
const slots = (plan: Plan, tag: Tag): Slots[Tag] => {
  const of = (t: Tag) =>
    plan.buffers.flatMap((b) => (b.role._tag === t ? [[b.role.slot, b, elements(b.shape)] as const] : []))
  const all = known.get(plan) ?? { Input: of("Input"), State: of("State"), Output: of("Output") }
  known.set(plan, all)
  return all[tag]
}

/** how many inputs, states and outputs a plan has: one more than the highest slot */
export const slotCount = (plan: Plan, tag: Tag): number =>
  slots(plan, tag).reduce((n, [slot]) => Math.max(n, slot + 1), 0)

/**
 * What is wrong with the arguments of a run, or `undefined`. `isLive` says why a handle cannot be used, if it cannot.
 */
export const checkRun = (
  device: string,
  plan: Plan,
  inputs: ReadonlyArray<Float32Array | DeviceBuffer>,
  state: ReadonlyArray<DeviceBuffer>,
  unusable: (buffer: DeviceBuffer) => string | undefined,
): DeviceError | undefined => {
  const fail = (reason: string) => new DeviceError({ device, action: "run", reason: `${plan.name}: ${reason}` })
  const check = (
    kind: string,
    [slot, wanted, n]: Slots[Tag][number],
    given: Float32Array | DeviceBuffer | undefined,
  ): DeviceError | undefined => {
    if (given === undefined)
      return fail(`${kind} ${slot} of shape [${wanted.shape}] is missing; give one for each slot`)
    if (!(given instanceof Float32Array)) {
      const why = unusable(given)
      if (why !== undefined) return fail(`${kind} ${slot} ${why}`)
    }
    const got = given instanceof Float32Array ? given.length : given.bytes / 4
    return got === n
      ? undefined
      : fail(`${kind} ${slot} has ${got} elements but its shape [${wanted.shape}] needs ${n}`)
  }
  for (const slot of slots(plan, "Input")) {
    const error = check("input", slot, inputs[slot[0]])
    if (error !== undefined) return error
  }
  for (const slot of slots(plan, "State")) {
    const error = check("state", slot, state[slot[0]])
    if (error !== undefined) return error
  }
  return undefined
}
