/** A folder of reference cases as data, in the form that `golden/README.md` describes. Reads bytes; touches no file. */

export interface Tensor {
  readonly shape: Array<number>
  readonly data: Float32Array
}

export type Attributes = Readonly<Record<string, unknown>>

interface Common {
  readonly name: string
  readonly tol: number
}

export interface OpCase extends Common {
  readonly kind: "op"
  readonly op: string
  readonly attrs: Attributes
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly grads: ReadonlyArray<string>
  readonly cotangent: string
  readonly state?: ReadonlyArray<string>
  readonly newState?: ReadonlyArray<string>
}

export interface OptimizerCase extends Common {
  readonly kind: "optimizer"
  readonly optimizer: string
  readonly attrs: Attributes
  readonly params: ReadonlyArray<string>
  readonly steps: number
}

export interface ScheduleCase extends Common {
  readonly kind: "schedule"
  readonly schedule: string
  readonly attrs: Attributes
  readonly lrs: ReadonlyArray<number>
}

export interface ModelCase extends Common {
  readonly kind: "model"
  readonly model: string
  readonly weightGain: number
  readonly input: { readonly shape: ReadonlyArray<number>; readonly seed: number; readonly bound: number }
  readonly targets: ReadonlyArray<number>
  readonly params: number
  readonly state: ReadonlyArray<readonly [name: string, shape: ReadonlyArray<number>]>
  readonly trainLossDropout0: number
  readonly gradNorms: Readonly<Record<string, number>>
}

export interface TrainingCase extends Common {
  readonly kind: "training"
  readonly model: string
  readonly weightGain: number
  readonly input: { readonly shape: ReadonlyArray<number>; readonly firstSeed: number; readonly bound: number }
  readonly targets: string
  readonly classes: number
  readonly steps: number
  readonly optimizer: Attributes & { readonly type: string }
  readonly losses: ReadonlyArray<number>
}

export type Case = OpCase | OptimizerCase | ScheduleCase | ModelCase | TrainingCase

export interface Cases {
  readonly cases: ReadonlyArray<Case>
  /** `<case name>/<tensor>`; a name that the folder lacks is an error of the folder */
  readonly tensor: (name: string) => Tensor
}

interface Entry {
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  readonly data_offsets: readonly [number, number]
}

/** The two files of a folder, read. Throws an `Error` whose message names the file and what is wrong with it. */
export const parse = (json: string, safetensors: Uint8Array): Cases => {
  const listed = parseJson("cases.json", json)
  const found: unknown = isRecord(listed) ? listed["cases"] : undefined
  if (!Array.isArray(found)) throw new Error(`cases.json has no list of cases under "cases"`)
  found.forEach((c: unknown, i) => {
    if (!isRecord(c) || typeof c["name"] !== "string" || typeof c["kind"] !== "string")
      throw new Error(`case ${i} of cases.json has no name or no kind`)
  })
  const header = headerOf(safetensors)
  const view = new DataView(safetensors.buffer, safetensors.byteOffset, safetensors.byteLength)
  return {
    // the fields of each kind are what the README says; a case of an unknown kind is reported by the runner
    cases: found as ReadonlyArray<Case>,
    tensor: (name) => {
      const entry = Object.hasOwn(header.entries, name) ? header.entries[name] : undefined
      if (entry === undefined) throw new Error(`tensors.safetensors has no ${name}`)
      if (entry.dtype !== "F32") throw new Error(`${name} is ${entry.dtype}, but reference tensors are F32`)
      const [from, to] = entry.data_offsets
      if (header.end + to > safetensors.byteLength) throw new Error(`tensors.safetensors ends before ${name} does`)
      const data = new Float32Array((to - from) / 4)
      for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(header.end + from + 4 * i, true)
      return { shape: [...entry.shape], data }
    },
  }
}

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

const parseJson = (file: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${file} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

const headerOf = (bytes: Uint8Array): { readonly entries: Readonly<Record<string, Entry>>; readonly end: number } => {
  const no = (): never => {
    throw new Error("tensors.safetensors is no safetensors file")
  }
  if (bytes.byteLength < 8) return no()
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true))
  if (8 + length > bytes.byteLength) return no()
  const entries = parseJson(
    "the header of tensors.safetensors",
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  )
  // a file that is a safetensors file has such a header
  return isRecord(entries) ? { entries: entries as Readonly<Record<string, Entry>>, end: 8 + length } : no()
}

// ---------- values by formula

/** a hash of an index and a seed, in unsigned 32-bit arithmetic */
export const hash32 = (i: number, seed: number): number => {
  let h = (Math.imul(i, 0x9e3779b1) + seed) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0
  return (h ^ (h >>> 16)) >>> 0
}

const size = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/** uniform numbers in [−bound, bound), by position */
export const values = (shape: ReadonlyArray<number>, seed: number, bound: number): Tensor => {
  const data = new Float32Array(size(shape))
  // a loop: the largest weights have 10⁸ elements
  for (let i = 0; i < data.length; i++) data[i] = ((hash32(i, seed) / 2 ** 32) * 2 - 1) * bound
  return { shape: [...shape], data }
}

/**
 * The state of a model by formula: parameters in the order of the state take the seeds 1, 2, 3, …; running means are 0
 * and running variances 1. `state` lists names and shapes as PyTorch does.
 */
export const stateByFormula = (
  state: ReadonlyArray<readonly [name: string, shape: ReadonlyArray<number>]>,
  weightGain: number,
): Readonly<Record<string, Tensor>> => {
  let seed = 0
  const one = (name: string, shape: ReadonlyArray<number>): Tensor => {
    const fill = (x: number): Tensor => ({ shape: [...shape], data: new Float32Array(size(shape)).fill(x) })
    if (name.endsWith("running_mean")) return fill(0)
    if (name.endsWith("running_var")) return fill(1)
    if (name.endsWith("num_batches_tracked")) return fill(0)
    seed += 1
    if (shape.length >= 2) return values(shape, seed, Math.sqrt(weightGain / size(shape.slice(1))))
    const value = values(shape, seed, 0.1)
    // the only one-dimensional weights are those of norm layers
    if (!name.endsWith("weight")) return value
    return { ...value, data: value.data.map((v) => Math.fround(1 + v)) }
  }
  return Object.fromEntries(state.map(([name, shape]) => [name, one(name, shape)]))
}

/** the class of each sample of a training case's step, as its `targets` says in words */
export const targetsOfStep = (c: TrainingCase, step: number): Tensor => {
  const batch = c.input.shape[0] ?? 0
  return { shape: [batch], data: Float32Array.from({ length: batch }, (_, i) => (i * (step + 3)) % c.classes) }
}
