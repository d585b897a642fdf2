import { DeviceError, type DeviceBuffer } from "./Device.ts"
import { type Buffer, elements, type Plan } from "./Plan.ts"

const slots = (plan: Plan, tag: "Input" | "State" | "Output"): ReadonlyArray<readonly [number, Buffer]> =>
  plan.buffers.flatMap((b) => (b.role._tag === tag ? [[b.role.slot, b] as const] : []))

/** how many inputs, states and outputs a plan has: one more than the highest slot */
export const slotCount = (plan: Plan, tag: "Input" | "State" | "Output"): number =>
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
  const check = (kind: string, slot: number, wanted: Buffer, given: Float32Array | DeviceBuffer | undefined) => {
    const n = elements(wanted.shape)
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
  for (const [slot, b] of slots(plan, "Input")) {
    const error = check("input", slot, b, inputs[slot])
    if (error !== undefined) return error
  }
  for (const [slot, b] of slots(plan, "State")) {
    const error = check("state", slot, b, state[slot])
    if (error !== undefined) return error
  }
  return undefined
}
