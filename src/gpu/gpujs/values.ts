/**
 * Runs a lowered plan where a kernel gives a new value each time: arrays on the host (`cpu`, `webasm`) or textures (the
 * WebGL modes). A buffer of the plan is a variable that holds the newest value.
 */
import { DeviceError } from "../Device.ts"
import { elements, type Plan } from "../Plan.ts"
import type { Dialect } from "./dialect.ts"
import {
  build,
  destroySharing,
  type GlTexture,
  type GpuJsInstance,
  type GpuJsKernel,
  type GpuJsLibrary,
  otherBackend,
  shareCorners,
  viewTexture,
} from "./internals.ts"
import type { Group, Lowered, Single } from "./lower.ts"
import { type Dimensions, print, type Printed } from "./print.ts"

/** How the values of one family of modes are made, shown to kernels, read and given back. */
export interface Values<V> {
  readonly upload: (data: Float32Array) => V
  /** as `upload`, for data that nobody changes while the value is used */
  readonly borrow: (data: Float32Array) => V
  /** as an argument of a kernel, in the dimensions it indexes it in */
  readonly argument: (value: V, dimensions: Dimensions) => unknown
  readonly argumentType: string
  /** a kernel's result as a value that holds a reference of its own */
  readonly result: (given: unknown, size: number) => V
  /** a value that outlives the kernel that made it */
  readonly keep: (value: V, size: number) => V
  readonly read: (value: V, size: number) => Float32Array
  readonly release: (value: V) => void
  /** called with each kernel before it is built, and when it is over */
  readonly adopt: (kernel: GpuJsKernel) => void
  readonly retire: (kernel: GpuJsKernel) => void
  /** Throws what the device has refused without a word. */
  readonly check: () => void
  readonly destroy: () => void
}

export interface Session {
  readonly library: GpuJsLibrary
  readonly instance: GpuJsInstance
  readonly dialect: Dialect
  readonly device: string
}

export const failure = (
  device: string,
  action: DeviceError["action"],
  kernel: string | undefined,
  cause: unknown,
): DeviceError =>
  cause instanceof DeviceError
    ? cause
    : new DeviceError({ device, action, kernel, reason: cause instanceof Error ? cause.message : String(cause), cause })

const scalarValues = { inf: Infinity, nan: NaN } as const
export const scalarArguments = (printed: Printed): ReadonlyArray<number> => printed.scalars.map((s) => scalarValues[s])

/** a kernel of gpu.js's, built for arguments like `args` and asked whether it runs where it should */
export const createKernel = (session: Session, name: string, printed: Printed, arrayType: string): GpuJsKernel => {
  try {
    return session.instance.createKernel(printed.source, {
      output: printed.output,
      argumentTypes: [...printed.arrays.map(() => arrayType), ...printed.scalars.map(() => "Float")],
      pipeline: session.dialect.shader,
      immutable: session.dialect.shader && session.dialect.mode !== "webgpu",
      precision: "single",
      returnType: "Number",
      fixIntegerDivisionAccuracy: false,
      loopMaxIterations: 2 ** 30,
      tactic: "precision",
    })
  } catch (cause) {
    throw failure(session.device, "compile", name, cause)
  }
}

export const assertBackend = (session: Session, name: string, kernel: GpuJsKernel): void => {
  const reason = otherBackend(session.library, kernel, session.dialect.mode)
  if (reason !== undefined) throw new DeviceError({ device: session.device, action: "compile", kernel: name, reason })
}

export const printed = (device: string, kernel: Single, dialect: Dialect): Printed => {
  const text = print(kernel, dialect)
  if (!("_tag" in text)) return text
  throw new DeviceError({ device, action: "compile", kernel: text.kernel, reason: text.reason })
}

// ---------- the two families

const flat = (given: unknown, size: number): Float32Array => {
  if (given instanceof Float32Array) {
    if (given.length === size) return given
    throw new Error(`gpu.js gave ${given.length} elements for ${size}`)
  }
  // rows of one array (webasm), or arrays of their own
  const rows = (Array.isArray(given) ? given : []).flat(2) as ReadonlyArray<Float32Array> // of numbers nowhere: single precision
  const [first] = rows
  if (first instanceof Float32Array && first.buffer.byteLength === size * 4 && rows.length * first.length === size) {
    return new Float32Array(first.buffer)
  }
  const all = new Float32Array(size)
  let at = 0
  for (const row of rows) {
    all.set(row, at)
    at += row.length
  }
  if (at !== size) throw new Error(`gpu.js gave ${at} elements for ${size}`)
  return all
}

/** gpu.js has no arrays without elements: one stands for none, and nobody reads it */
const atLeastOne = (data: Float32Array): Float32Array => (data.length > 0 ? data : new Float32Array(1))

export const arrays = (session: Session): Values<Float32Array> => ({
  upload: (data) => Float32Array.from(atLeastOne(data)),
  borrow: atLeastOne,
  argument: (value, dimensions) => session.library.input(value, dimensions),
  argumentType: "Input",
  result: flat,
  keep: (value) => value,
  read: (value, size) => value.slice(0, size),
  release: () => {},
  adopt: () => {},
  retire: (kernel) => kernel.destroy(),
  check: () => {},
  destroy: () => {},
})

interface GlContext {
  getError(): number
}

/** `first` is a kernel that is built, and outlives all others */
export const textures = (session: Session, first: GpuJsKernel): Values<GlTexture> => {
  const gl = first.kernel.context as GlContext // the context its kernels draw with
  // a texture dies with the kernel that made it: what must outlive a plan is made by kernels of the device, one a size
  const [uploads, copies] = [new Map<number, GpuJsKernel>(), new Map<number, GpuJsKernel>()]
  const identity = (size: number, type: string, cache: Map<number, GpuJsKernel>, argument: unknown): GlTexture => {
    let kernel = cache.get(size)
    if (kernel === undefined) {
      const text: Printed = {
        source: "function (x0) {\n  return x0[this.thread.x];\n}",
        arrays: [{ name: "x0", dimensions: [size, 1, 1] }],
        scalars: [],
        output: [size],
      }
      kernel = createKernel(session, `copy of ${size}`, text, type)
      cache.set(size, kernel)
      shareCorners(kernel, first)
      build(kernel, [argument])
      assertBackend(session, `copy of ${size}`, kernel)
    }
    return kernel(argument) as GlTexture // what a pipelined kernel of a GL mode gives
  }
  const argument = (value: GlTexture, dimensions: Dimensions) => viewTexture(value, dimensions)
  const upload = (given: Float32Array) => {
    const data = atLeastOne(given)
    return identity(data.length, "Input", uploads, session.library.input(data, [data.length, 1, 1]))
  }
  return {
    upload,
    borrow: upload,
    argument,
    argumentType: "NumberTexture",
    result: (given) => given as GlTexture, // as above
    keep: (value, size) => {
      const kept = identity(size, "NumberTexture", copies, argument(value, [size, 1, 1]))
      value.delete()
      return kept
    },
    read: (value, size) => {
      if (size === 0) return new Float32Array(0)
      const rows = value.toArray()
      return Float32Array.from(flat(rows, size))
    },
    release: (value) => value.delete(),
    adopt: (kernel) => shareCorners(kernel, first),
    retire: destroySharing,
    check: () => {
      const error = gl.getError()
      if (error !== 0) throw new Error(`WebGL reports error ${error}`)
    },
    destroy: () => {
      for (const kernel of [...uploads.values(), ...copies.values()]) destroySharing(kernel)
    },
  }
}

// ---------- compiling and running

interface Compiled {
  readonly name: string
  readonly kernel: GpuJsKernel
  readonly printed: Printed
  readonly inputs: ReadonlyArray<number>
  readonly output: number
  readonly size: number
}

/** an input of a run: from the host, or a device's buffer */
export type Given<V> =
  | { readonly _tag: "Host"; readonly data: Float32Array }
  | { readonly _tag: "Held"; readonly value: V }

export interface Program<V> {
  readonly run: (inputs: ReadonlyArray<Given<V>>, state: ReadonlyArray<{ value: V }>) => ReadonlyArray<Float32Array>
  readonly bytes: number
  readonly release: () => void
}

/** Builds every kernel of a plan. Throws a `DeviceError`. */
export const compile = <V>(session: Session, values: Values<V>, plan: Plan, lowered: Lowered): Program<V> => {
  const { device, dialect } = session
  const size = (b: number) => elements(lowered.buffers[b]?.shape ?? [])
  const made: Array<Compiled> = []
  const constants = new Map<number, V>()
  const release = () => {
    for (const { kernel } of made) values.retire(kernel)
    for (const value of constants.values()) values.release(value)
  }
  try {
    const groups = lowered.groups.map((group) => ({
      group,
      kernels: group.actions.map((action): Compiled => {
        if (action._tag === "Contraction") throw new Error("contractions are lowered to kernels here")
        const text = printed(device, action.kernel, dialect)
        const kernel = createKernel(session, action.kernel.name, text, values.argumentType)
        const compiled = {
          name: action.kernel.name,
          kernel,
          printed: text,
          inputs: action.inputs,
          output: action.output,
          size: elements(action.kernel.space),
        }
        made.push(compiled)
        // the texture or array has the size of the real one; its content does not matter
        const samples = action.inputs.map((b) => values.upload(new Float32Array(size(b))))
        try {
          const args = samples.map((v, i) => values.argument(v, text.arrays[i]?.dimensions ?? [1, 1, 1]))
          values.adopt(kernel)
          build(kernel, [...args, ...scalarArguments(text)])
          assertBackend(session, action.kernel.name, kernel)
        } catch (cause) {
          throw failure(device, "compile", action.kernel.name, cause)
        } finally {
          samples.forEach(values.release)
        }
        return compiled
      }),
    }))
    for (const [i, buffer] of plan.buffers.entries()) {
      if (buffer.role._tag === "Constant") constants.set(i, values.upload(buffer.role.data))
    }
    const bytes = lowered.buffers.reduce((n, b) => n + (b.role._tag === "State" ? 0 : elements(b.shape) * 4), 0)
    return { run: (inputs, state) => run(session, values, lowered, groups, constants, inputs, state), bytes, release }
  } catch (cause) {
    release()
    throw cause
  }
}

const run = <V>(
  session: Session,
  values: Values<V>,
  lowered: Lowered,
  groups: ReadonlyArray<{ readonly group: Group; readonly kernels: ReadonlyArray<Compiled> }>,
  constants: ReadonlyMap<number, V>,
  inputs: ReadonlyArray<Given<V>>,
  state: ReadonlyArray<{ value: V }>,
): ReadonlyArray<Float32Array> => {
  const now = new Map<number, V>(constants)
  /** values of this run alone, released at its end */
  const owned = new Set<V>()
  const lastUse = lastUses(lowered)
  const shape = (b: number) => lowered.buffers[b]?.shape ?? []
  const set = (b: number, value: V) => {
    const before = now.get(b)
    now.set(b, value)
    owned.add(value)
    if (before !== undefined && owned.delete(before)) values.release(before)
  }
  const get = (b: number): V => {
    let value = now.get(b)
    if (value === undefined) {
      value = values.upload(new Float32Array(elements(shape(b))))
      set(b, value)
    }
    return value
  }
  try {
    for (const [i, { role }] of lowered.buffers.entries()) {
      if (role._tag === "Input") {
        const given = inputs[role.slot]
        if (given?._tag === "Host") set(i, values.borrow(given.data))
        else if (given !== undefined) now.set(i, given.value)
      } else if (role._tag === "State") {
        const slot = state[role.slot]
        if (slot !== undefined) now.set(i, slot.value)
      }
    }
    for (const [step, { group, kernels }] of groups.entries()) {
      const results: Array<readonly [number, V]> = []
      for (const compiled of kernels) {
        const args = compiled.inputs.map((b, i) =>
          values.argument(get(b), compiled.printed.arrays[i]?.dimensions ?? [1, 1, 1]),
        )
        let value: V
        try {
          const given = compiled.kernel(...args, ...scalarArguments(compiled.printed))
          value = values.result(given, compiled.size)
        } catch (cause) {
          throw failure(session.device, "run", compiled.name, cause)
        }
        // temporaries of the step are read by what follows in it; its outputs only when it is over
        if (group.outputs.includes(compiled.output)) {
          results.push([compiled.output, value])
          owned.add(value)
        } else set(compiled.output, value)
      }
      for (const [b, value] of results) set(b, value)
      for (const b of lastUse.get(step) ?? []) {
        const value = now.get(b)
        if (value !== undefined && owned.delete(value)) values.release(value)
        now.delete(b)
      }
    }
    const outputs: Array<Float32Array> = []
    for (const [i, { role }] of lowered.buffers.entries()) {
      if (role._tag === "Output") outputs[role.slot] = values.read(get(i), elements(shape(i)))
    }
    values.check()
    // only now, when nothing can fail any more, does the state move on
    for (const [i, { role }] of lowered.buffers.entries()) {
      if (role._tag !== "State") continue
      const slot = state[role.slot]
      const value = now.get(i)
      if (slot === undefined || value === undefined || slot.value === value) continue
      owned.delete(value)
      const before = slot.value
      slot.value = values.keep(value, elements(shape(i)))
      values.release(before)
    }
    return outputs
  } finally {
    owned.forEach(values.release)
  }
}

/** by step: the temporaries that no later step reads */
const lastUses = (lowered: Lowered): ReadonlyMap<number, ReadonlyArray<number>> => {
  const last = new Map<number, number>()
  for (const [step, group] of lowered.groups.entries()) {
    for (const action of group.actions) for (const b of [...action.inputs, action.output]) last.set(b, step)
  }
  const at = new Map<number, Array<number>>()
  for (const [b, step] of last) {
    if (lowered.buffers[b]?.role._tag !== "Temp") continue
    const list = at.get(step) ?? []
    list.push(b)
    at.set(step, list)
  }
  return at
}
