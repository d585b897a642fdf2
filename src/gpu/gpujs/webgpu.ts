/**
 * Runs a lowered plan on gpu.js's `webgpu` mode: every buffer of the plan is a `GPUBuffer` of ours, into which gpu.js's
 * kernels write; temporaries share memory where their lives do not overlap.
 */
import { type Contraction } from "../Contraction.ts"
import { DeviceError } from "../Device.ts"
import { elements, type Plan } from "../Plan.ts"
import type { GpuBuffer, GpuCommandEncoder, GpuContext, TunedKernel } from "./gpuTypes.ts"
import { bufferArgument, build, type GpuJsKernel, writeInto } from "./internals.ts"
import type { Action, Lowered } from "./lower.ts"
import type { Printed } from "./print.ts"
import { assertBackend, createKernel, failure, type Given, printed, scalarArguments, type Session } from "./values.ts"

// the numbers are the specification's; the globals that name them do not exist everywhere
const [mapRead, copySource, copyDestination, storage] = [0x0001, 0x0004, 0x0008, 0x0080]

export interface WebGpuSession extends Session {
  readonly context: GpuContext
  /** compiles a contraction's own kernel; absent where contractions run as plain kernels */
  readonly tuned: ((contraction: Contraction) => Promise<TunedKernel>) | undefined
}

/** Storage for `bytes`, filled with zeros. Throws a `DeviceError` where the device has no such buffers. */
export const createBuffer = (session: WebGpuSession, bytes: number): GpuBuffer => {
  const { device } = session.context
  const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  if (bytes > most) {
    const reason = `a buffer of ${bytes} bytes is over this adapter's limit of ${most} for one buffer; use a smaller batch`
    throw new DeviceError({ device: session.device, action: "allocate", reason })
  }
  return device.createBuffer({ size: Math.max(4, bytes), usage: storage | copySource | copyDestination })
}

/** Runs `work` and gives its result once the device has accepted all it was told. Fails with what the device refused. */
export const checked = async <A>(
  session: WebGpuSession,
  action: DeviceError["action"],
  kernel: string | undefined,
  work: () => Promise<A>,
): Promise<A> => {
  const { device } = session.context
  device.pushErrorScope("validation")
  device.pushErrorScope("out-of-memory")
  // the scopes are closed before anything is awaited, so that no other work falls into them
  const pending = work()
  const problems = Promise.all([device.popErrorScope(), device.popErrorScope()])
  const [result, found] = await Promise.allSettled([pending, problems])
  if (found.status === "rejected") throw failure(session.device, action, kernel, found.reason)
  const problem = found.value.find((p) => p !== null)
  if (problem !== undefined && problem !== null) throw failure(session.device, action, kernel, problem.message)
  if (result.status === "rejected") throw failure(session.device, action, kernel, result.reason)
  return result.value
}

export const read = async (
  session: WebGpuSession,
  sources: ReadonlyArray<readonly [GpuBuffer, number]>,
  staging: GpuBuffer,
) => {
  const { device } = session.context
  const encoder = device.createCommandEncoder()
  let total = 0
  for (const [source, bytes] of sources) {
    if (bytes > 0) encoder.copyBufferToBuffer(source, 0, staging, total, bytes)
    total += bytes
  }
  device.queue.submit([encoder.finish()])
  if (total === 0) {
    await device.queue.onSubmittedWorkDone()
    return sources.map(() => new Float32Array(0))
  }
  await staging.mapAsync(mapRead, 0, total)
  const mapped = staging.getMappedRange(0, total)
  let at = 0
  const arrays = sources.map(([, bytes]) => {
    const array = new Float32Array(mapped.slice(at, at + bytes))
    at += bytes
    return array
  })
  staging.unmap()
  return arrays
}

export const createStaging = (session: WebGpuSession, bytes: number): GpuBuffer =>
  session.context.device.createBuffer({ size: Math.max(4, bytes), usage: mapRead | copyDestination })

// ---------- memory

/** where a buffer of the plan lies: in memory of the plan, or in what the run is given */
type Place = { readonly _tag: "Own"; readonly slot: number } | { readonly _tag: "Given" }

interface Layout {
  readonly places: ReadonlyArray<Place>
  /** by step and output: the slot it is written to before it is copied */
  readonly scratch: ReadonlyArray<ReadonlyMap<number, number>>
  readonly slotBytes: ReadonlyArray<number>
}

/** Temporaries and scratch take turns in as few slots as their lives allow; the rest has a slot each. */
const layOut = (lowered: Lowered): Layout => {
  const bytesOf = (b: number) => elements(lowered.buffers[b]?.shape ?? []) * 4
  const slotBytes: Array<number> = []
  const free: Array<number> = []
  const take = (bytes: number): number => {
    // the smallest that is large enough; else a new one
    const fitting = free.filter((s) => (slotBytes[s] ?? 0) >= bytes && (slotBytes[s] ?? 0) <= 2 * bytes + 1024)
    const best = fitting.sort((a, b) => (slotBytes[a] ?? 0) - (slotBytes[b] ?? 0))[0]
    if (best === undefined) return slotBytes.push(bytes) - 1
    free.splice(free.indexOf(best), 1)
    return best
  }
  const places: Array<Place> = lowered.buffers.map(({ role }, b) =>
    role._tag === "State"
      ? { _tag: "Given" }
      : { _tag: "Own", slot: role._tag === "Temp" ? -1 : slotBytes.push(bytesOf(b)) - 1 },
  )
  const last = new Map<number, number>()
  for (const [step, group] of lowered.groups.entries()) {
    for (const action of group.actions) for (const b of [...action.inputs, action.output]) last.set(b, step)
  }
  const scratch = lowered.groups.map((group, step) => {
    const read = new Set(group.actions.flatMap((a) => a.inputs))
    const mine = new Map<number, number>()
    const touched = new Set(group.actions.flatMap((a) => [...a.inputs, a.output]))
    for (const b of touched) {
      const place = places[b]
      if (place?._tag === "Own" && place.slot < 0) places[b] = { _tag: "Own", slot: take(bytesOf(b)) }
    }
    for (const b of group.outputs) if (read.has(b)) mine.set(b, take(bytesOf(b)))
    free.push(...mine.values())
    for (const b of touched) {
      const place = places[b]
      if (place?._tag === "Own" && lowered.buffers[b]?.role._tag === "Temp" && last.get(b) === step)
        free.push(place.slot)
    }
    return mine
  })
  return { places, scratch, slotBytes }
}

// ---------- compiling and running

interface KernelRun {
  readonly _tag: "Kernel"
  readonly action: Action
  readonly name: string
  readonly kernel: GpuJsKernel
  readonly printed: Printed
}
interface TunedRun {
  readonly _tag: "Tuned"
  readonly action: Action
  readonly name: string
  readonly tuned: TunedKernel
  readonly workspace: GpuBuffer | undefined
  /** the last buffers and what encodes them: the same in every run but where a state is another */
  bound:
    | { readonly buffers: ReadonlyArray<GpuBuffer>; readonly encode: (encoder: GpuCommandEncoder) => void }
    | undefined
}

export interface Program {
  readonly run: (
    inputs: ReadonlyArray<Given<GpuBuffer>>,
    state: ReadonlyArray<GpuBuffer>,
  ) => Promise<ReadonlyArray<Float32Array>>
  readonly bytes: number
  readonly release: () => void
}

/** Builds every kernel of a plan and takes its memory. Rejects with a `DeviceError`. */
export const compile = async (session: WebGpuSession, plan: Plan, lowered: Lowered): Promise<Program> => {
  const { context, device, dialect } = session
  const layout = layOut(lowered)
  const kernels: Array<GpuJsKernel> = []
  const slots: Array<GpuBuffer> = []
  const workspaces: Array<GpuBuffer> = []
  const bytesOf = (b: number) => elements(lowered.buffers[b]?.shape ?? []) * 4
  const outputs = lowered.buffers.flatMap(({ role }, b) => (role._tag === "Output" ? [[role.slot, b] as const] : []))
  outputs.sort(([a], [b]) => a - b)
  const stagingBytes = outputs.reduce((n, [, b]) => n + bytesOf(b), 0)
  let staging: GpuBuffer | undefined
  const release = () => {
    for (const kernel of kernels) kernel.destroy()
    for (const buffer of [...slots, ...workspaces]) buffer.destroy()
    staging?.destroy()
  }
  try {
    await checked(session, "allocate", undefined, async () => {
      for (const bytes of layout.slotBytes) slots.push(createBuffer(session, bytes))
      staging = createStaging(session, stagingBytes)
      for (const [b, { role }] of plan.buffers.entries()) {
        const place = layout.places[b]
        if (role._tag !== "Constant" || place?._tag !== "Own" || role.data.length === 0) continue
        const slot = slots[place.slot]
        if (slot !== undefined) context.device.queue.writeBuffer(slot, 0, role.data)
      }
    })
    const [any] = slots.length > 0 ? slots : [createBuffer(session, 4)]
    if (slots.length === 0 && any !== undefined) slots.push(any)
    const groups = await Promise.all(
      lowered.groups.map((group) =>
        Promise.all(
          group.actions.map(async (action): Promise<KernelRun | TunedRun> => {
            if (action._tag === "Contraction") {
              const { name } = action.contraction
              if (session.tuned === undefined) throw new Error("a contraction was not lowered to a kernel")
              const tuned = await session.tuned(action.contraction)
              const workspace = tuned.workspaceBytes > 0 ? createBuffer(session, tuned.workspaceBytes) : undefined
              if (workspace !== undefined) workspaces.push(workspace)
              return { _tag: "Tuned", action, name, tuned, workspace, bound: undefined }
            }
            const { name } = action.kernel
            const text = printed(device, action.kernel, dialect)
            const kernel = createKernel(session, name, text, "WebGPUBuffer")
            kernels.push(kernel)
            try {
              // only the type of an argument is looked at here
              const args = text.arrays.map((a) => bufferArgument(any, a.dimensions, context))
              await build(kernel, [...args, ...scalarArguments(text)])
              assertBackend(session, name, kernel)
            } catch (cause) {
              throw failure(device, "compile", name, cause)
            }
            return { _tag: "Kernel", action, name, kernel, printed: text }
          }),
        ),
      ),
    )
    const bytes = [...slots, ...workspaces, ...(staging === undefined ? [] : [staging])].reduce((n, b) => n + b.size, 0)
    const run: Program["run"] = (inputs, state) =>
      checked(session, "run", undefined, async () => {
        const { queue } = context.device
        const physical = lowered.buffers.map(({ role }, b): GpuBuffer | undefined => {
          const place = layout.places[b]
          const own = place?._tag === "Own" ? slots[place.slot] : undefined
          const given = role._tag === "Input" ? inputs[role.slot] : undefined
          const buffer = role._tag === "State" ? state[role.slot] : given?._tag === "Held" ? given.value : own
          // a temporary that no kernel touches has no memory: its kernel writes somewhere else at once
          if (buffer === undefined) {
            if (role._tag === "Temp") return undefined
            throw new Error(`buffer ${b} of ${plan.name} has no memory`)
          }
          if (given?._tag === "Host" && given.data.length > 0) queue.writeBuffer(buffer, 0, given.data)
          return buffer
        })
        const pending: Array<Promise<unknown>> = []
        for (const [step, actions] of groups.entries()) {
          const scratch = layout.scratch[step] ?? new Map<number, number>()
          for (const run of actions) {
            const inputs = run.action.inputs.map((b) => physical[b] ?? any)
            const scratched = scratch.get(run.action.output)
            const output = scratched === undefined ? physical[run.action.output] : slots[scratched]
            if (output === undefined) throw new Error(`${run.name} has no output buffer`)
            if (run._tag === "Tuned") encodeTuned(session, run, inputs, output)
            else pending.push(dispatch(session, run, inputs, output))
          }
          if (scratch.size === 0) continue
          const encoder = context.device.createCommandEncoder()
          for (const [b, slot] of scratch) {
            const [from, to] = [slots[slot], physical[b]]
            if (from !== undefined && to !== undefined && bytesOf(b) > 0) {
              encoder.copyBufferToBuffer(from, 0, to, 0, bytesOf(b))
            }
          }
          queue.submit([encoder.finish()])
        }
        const sources = outputs.map(([, b]) => [physical[b] ?? any, bytesOf(b)] as const)
        const results =
          staging === undefined ? [] : read(session, sources as ReadonlyArray<readonly [GpuBuffer, number]>, staging)
        await Promise.all(pending)
        return results
      })
    return { run, bytes, release }
  } catch (cause) {
    release()
    throw cause
  }
}

/** gpu.js submits at once: what is called in order runs in order, and nothing needs to be awaited in between */
const dispatch = (
  session: WebGpuSession,
  run: KernelRun,
  inputs: ReadonlyArray<GpuBuffer | undefined>,
  output: GpuBuffer,
): Promise<unknown> => {
  writeInto(run.kernel, output)
  const args = inputs.map((b, i) => bufferArgument(b, run.printed.arrays[i]?.dimensions ?? [1, 1, 1], session.context))
  return Promise.resolve(run.kernel(...args, ...scalarArguments(run.printed))).catch((cause: unknown) => {
    throw failure(session.device, "run", run.name, cause)
  })
}

const encodeTuned = (
  session: WebGpuSession,
  run: TunedRun,
  inputs: ReadonlyArray<GpuBuffer | undefined>,
  output: GpuBuffer,
): void => {
  const given = inputs.filter((b) => b !== undefined)
  const buffers = [...given, output]
  if (run.bound === undefined || run.bound.buffers.some((b, i) => b !== buffers[i])) {
    run.bound = { buffers, encode: run.tuned.bind(given, output, run.workspace) }
  }
  const encoder = session.context.device.createCommandEncoder()
  run.bound.encode(encoder)
  session.context.device.queue.submit([encoder.finish()])
}
