/**
 * The safetensors format: a JSON header of names, types, shapes and offsets, then the tensors' bytes, little-endian.
 * Runs in a browser too; only `read` and `write` touch files.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { atomicWrite, atomicWriteWith } from "./atomicWrite.ts"
import * as Checksum from "./checksum.ts"
import { platformReason } from "./platformReason.ts"

/** The element types that are written; `F16` and `BF16` are read too, as floats. */
export type Tensor =
  | { readonly dtype: "F32"; readonly shape: ReadonlyArray<number>; readonly data: Float32Array }
  | { readonly dtype: "F64"; readonly shape: ReadonlyArray<number>; readonly data: Float64Array }
  | { readonly dtype: "I64"; readonly shape: ReadonlyArray<number>; readonly data: BigInt64Array }

/** What a file holds: tensors by name, in the file's order, and free text by key. */
export interface Contents {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

/** Why a file is not safetensors, or not one we read. */
export type SafetensorsReason =
  | { readonly _tag: "Unreadable"; readonly detail: string }
  | { readonly _tag: "Unwritable"; readonly detail: string }
  | { readonly _tag: "Truncated"; readonly expectedBytes: number; readonly actualBytes: number }
  | { readonly _tag: "BadHeader"; readonly detail: string }
  | { readonly _tag: "UnsupportedType"; readonly tensor: string; readonly dtype: string }
  /** the bytes of a tensor do not follow those of the one before: they overlap, leave a hole or run backwards */
  | {
      readonly _tag: "BadOffsets"
      readonly tensor: string
      readonly begin: number
      readonly end: number
      readonly expectedBegin: number
    }
  | {
      readonly _tag: "SizeMismatch"
      readonly tensor: string
      readonly dtype: string
      readonly shape: ReadonlyArray<number>
      readonly expectedBytes: number
      readonly actualBytes: number
    }
  | { readonly _tag: "TrailingBytes"; readonly expectedBytes: number; readonly actualBytes: number }
  /** it has a checksum, and its bytes have another */
  | { readonly _tag: "Altered"; readonly expected: string; readonly actual: string }

const sentences: {
  readonly [T in SafetensorsReason["_tag"]]: (r: Extract<SafetensorsReason, { readonly _tag: T }>) => string
} = {
  Unreadable: (r) => `cannot be read (${r.detail}); check the path and its permissions`,
  Unwritable: (r) => `cannot be written (${r.detail}); check the folder, its permissions and the free space`,
  Truncated: (r) =>
    `ends after ${r.actualBytes} bytes where ${r.expectedBytes} are needed: it was cut short; write or fetch it again`,
  BadHeader: (r) => `has no valid safetensors header (${r.detail}); is it a .safetensors file?`,
  UnsupportedType: (r) =>
    `holds tensor ${r.tensor} of type ${r.dtype}, but F32, F64, F16, BF16 and I64 are read; convert it to one of these`,
  BadOffsets: (r) =>
    `places tensor ${r.tensor} at bytes ${r.begin} to ${r.end}, but it must begin at ${r.expectedBegin}, ` +
    `where the one before ends; write or fetch it again`,
  SizeMismatch: (r) =>
    `gives tensor ${r.tensor} ${r.actualBytes} bytes, but ${r.dtype} of shape [${r.shape.join(", ")}] takes ` +
    `${r.expectedBytes}; write or fetch it again`,
  TrailingBytes: (r) =>
    `has ${r.actualBytes} bytes, ${r.actualBytes - r.expectedBytes} more than its header tells of; ` +
    `write or fetch it again`,
  Altered: (r) =>
    `was altered after it was written (its checksum is ${r.actual}, its header says ${r.expected}); ` +
    `write or fetch it again`,
}

/** A safetensors file that cannot be used: which, why, and what to do. */
export class SafetensorsError extends Data.TaggedError("SafetensorsError")<{
  readonly file: string
  readonly reason: SafetensorsReason
}> {
  override get message(): string {
    // the tag picks the sentence made for it; the compiler cannot follow the correlation through the union
    return `${this.file} ${(sentences[this.reason._tag] as (r: SafetensorsReason) => string)(this.reason)}`
  }
}

interface TensorHeader {
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  readonly data_offsets: readonly [begin: number, end: number]
}

// by hand, so that a program that trains need not load Effect's Schema to start
const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)
const isSize = (u: unknown): u is number => Number.isSafeInteger(u) && Number(u) >= 0
const decodeJson = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const json: unknown = JSON.parse(text)
    return isRecord(json) ? json : undefined
  } catch {
    return undefined
  }
}
/** the header of a tensor, or what is wrong with it */
const decodeTensor = (entry: unknown): TensorHeader | string => {
  if (!isRecord(entry)) return `Expected an object, got ${JSON.stringify(entry)}`
  const wrong = (key: string, wanted: string): string =>
    key in entry ? `Expected ${wanted} for "${key}", got ${JSON.stringify(entry[key])}` : `Missing key "${key}"`
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== "string") return wrong("dtype", "a string")
  if (!Array.isArray(shape) || !shape.every(isSize)) return wrong("shape", "whole numbers, zero or more")
  const [begin, end]: ReadonlyArray<unknown> = Array.isArray(offsets) && offsets.length === 2 ? offsets : []
  if (!isSize(begin) || !isSize(end)) return wrong("data_offsets", "two whole numbers, zero or more")
  return { dtype, shape, data_offsets: [begin, end] }
}
const isMetadata = (u: unknown): u is Readonly<Record<string, string>> =>
  isRecord(u) && Object.values(u).every((text) => typeof text === "string")

/** bytes of an element; a type that is not here is known by no safetensors that we read */
const width = { F64: 8, I64: 8, F32: 4, F16: 2, BF16: 2 } as const
type Stored = keyof typeof width
const isStored = (dtype: string): dtype is Stored => Object.hasOwn(width, dtype)

/** as the reference implementation: a longer header is taken for a broken one */
const maxHeaderBytes = 100_000_000

/** a half-precision float: sign, 5 bits of exponent, 10 of fraction */
const fromHalf = (bits: number): number => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff]
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const read16 = (view: DataView, count: number, bfloat: boolean): Float32Array => {
  const data = new Float32Array(count)
  if (!bfloat) for (let i = 0; i < count; i++) data[i] = fromHalf(view.getUint16(2 * i, true))
  else {
    // a bfloat16 is the upper half of a float32
    const words = new Uint32Array(data.buffer)
    for (let i = 0; i < count; i++) words[i] = view.getUint16(2 * i, true) << 16
  }
  return data
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** turns little-endian elements into the machine's, or back, in place: nothing to do on all but rare machines */
const swap = (bytes: Uint8Array, width: number): void => {
  if (!isLittleEndian) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse()
}

/** the elements, copied so that they are aligned and hold no other tensor's memory */
const elements = (bytes: Uint8Array, dtype: Stored, shape: ReadonlyArray<number>): Tensor => {
  if (dtype === "F16" || dtype === "BF16") {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return { dtype: "F32", shape, data: read16(view, bytes.length / 2, dtype === "BF16") }
  }
  const copy = new Uint8Array(bytes)
  swap(copy, width[dtype])
  switch (dtype) {
    case "F32":
      return { dtype, shape, data: new Float32Array(copy.buffer) }
    case "F64":
      return { dtype, shape, data: new Float64Array(copy.buffer) }
    case "I64":
      return { dtype, shape, data: new BigInt64Array(copy.buffer) }
  }
}

/**
 * The tensors that the bytes of a safetensors file hold. `F16` and `BF16` become `F32`.
 *
 * `file` is the name that an error gives it. Fails with `SafetensorsError`: `Truncated`, `BadHeader`,
 * `UnsupportedType`, `BadOffsets`, `SizeMismatch`, `TrailingBytes`, and `Altered` where it tells a checksum that is not
 * its own.
 */
export const decode = (bytes: Uint8Array, file: string): Result.Result<Contents, SafetensorsError> => {
  const fail = (reason: SafetensorsReason) => Result.fail(new SafetensorsError({ file, reason }))
  const truncated = (expectedBytes: number) => fail({ _tag: "Truncated", expectedBytes, actualBytes: bytes.length })
  if (bytes.length < 8) return truncated(8)
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (headerBytes > maxHeaderBytes) {
    return fail({
      _tag: "BadHeader",
      detail: `a header of ${headerBytes} bytes, at most ${maxHeaderBytes} are allowed`,
    })
  }
  const start = 8 + headerBytes
  if (bytes.length < start) return truncated(start)
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start))
  } catch {
    return fail({ _tag: "BadHeader", detail: "it is not UTF-8" })
  }
  if (!text.startsWith("{")) return fail({ _tag: "BadHeader", detail: "it does not start with {" })
  const json = decodeJson(text)
  if (json === undefined) return fail({ _tag: "BadHeader", detail: "it is not a JSON object" })

  const headers: Array<readonly [name: string, header: TensorHeader]> = []
  let metadata: Readonly<Record<string, string>> = {}
  for (const [name, entry] of Object.entries(json)) {
    if (name === "__metadata__") {
      if (!isMetadata(entry)) return fail({ _tag: "BadHeader", detail: "__metadata__ holds more than texts" })
      metadata = entry
      continue
    }
    const header = decodeTensor(entry)
    if (typeof header === "string") return fail({ _tag: "BadHeader", detail: `tensor ${name}: ${header}` })
    headers.push([name, header])
  }

  const body = bytes.subarray(start)
  let expectedBegin = 0
  const inOrder = headers.toSorted(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )
  const decoded: Array<
    readonly [name: string, at: readonly [number, number], dtype: Stored, shape: ReadonlyArray<number>]
  > = []
  for (const [
    tensor,
    {
      dtype,
      shape,
      data_offsets: [begin, end],
    },
  ] of inOrder) {
    if (!isStored(dtype)) return fail({ _tag: "UnsupportedType", tensor, dtype })
    if (begin !== expectedBegin || end < begin) return fail({ _tag: "BadOffsets", tensor, begin, end, expectedBegin })
    const expectedBytes = shape.reduce((n, d) => n * d, width[dtype])
    if (end - begin !== expectedBytes) {
      return fail({ _tag: "SizeMismatch", tensor, dtype, shape, expectedBytes, actualBytes: end - begin })
    }
    decoded.push([tensor, [begin, end], dtype, shape])
    expectedBegin = end
  }
  if (body.length < expectedBegin) return truncated(start + expectedBegin)
  if (body.length > expectedBegin) {
    return fail({ _tag: "TrailingBytes", expectedBytes: start + expectedBegin, actualBytes: bytes.length })
  }
  const expected = metadata[checksumKey]
  if (expected !== undefined) {
    const at = 8 + indexOfChecksum(bytes.subarray(8, start), expected)
    const actual = Checksum.of(bytes.subarray(0, at), noChecksum, bytes.subarray(at + noChecksum.length))
    if (actual !== expected) return fail({ _tag: "Altered", expected, actual })
  }
  const tensors = new Map(
    decoded.map(([name, at, dtype, shape]) => [name, elements(body.subarray(...at), dtype, shape)]),
  )
  return Result.succeed({ tensors, metadata })
}

/** the length of a header and its text, filled up with spaces so that what follows is aligned */
const encodeHeader = (entries: ReadonlyArray<readonly [string, unknown]>): Uint8Array => {
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const length = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + length).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  return bytes
}

/**
 * The bytes of a safetensors file. Wider types come first, so that each tensor is aligned; the order is otherwise kept.
 *
 * Each tensor's `data` must have as many elements as its `shape`; anything else is a defect.
 */
export const encode = (
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const ordered = Array.from(tensors).sort(([, a], [, b]) => width[b.dtype] - width[a.dtype])
  let offset = 0
  const entries = ordered.map(([name, { dtype, shape, data }]) => {
    const begin = offset
    offset += shape.reduce((n, d) => n * d, width[dtype])
    if (offset - begin !== data.byteLength) {
      throw new RangeError(`tensor ${name} has ${data.length} elements, its shape [${shape.join(", ")}] says otherwise`)
    }
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const
  })
  const noted = Object.keys(metadata).length === 0 ? [] : ([["__metadata__", metadata]] as const)
  const header = encodeHeader([...noted, ...entries])
  const bytes = new Uint8Array(header.length + offset)
  bytes.set(header)
  ordered.forEach(([, { dtype, data }], i) => {
    const into = bytes.subarray(header.length + entries[i]![1].data_offsets[0]!)
    into.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    swap(into.subarray(0, data.byteLength), width[dtype])
  })
  return bytes
}

/** where `writeFrom` tells the checksum of a file: xxHash32 of all its bytes, with zeros in the checksum's own place */
const checksumKey = "xxh32"
const noChecksum = new TextEncoder().encode("00000000")

/** where the checksum begins in the bytes of a header; within other texts of JSON its quotes would be escaped */
const indexOfChecksum = (header: Uint8Array, checksum: string): number => {
  // a decoder that gives one character for each byte
  const text = new TextDecoder("windows-1252").decode(header)
  return text.indexOf(`"${checksumKey}":"${checksum}"`) + checksumKey.length + 4
}

/** A tensor of floats whose numbers are asked for when it is written, so that one at a time is in memory. */
export interface Source<out E = never, out R = never> {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly read: Effect.Effect<Float32Array, E, R>
}

/**
 * Writes a safetensors file as `write` does, tensor by tensor, with a checksum that `decode` compares. `publish` wraps the
 * moment at which the file gets its name. Fails with `SafetensorsError`, `Unwritable`, and with what a source fails with.
 */
export const writeFrom = <E, R, E2 = never, R2 = never>(
  path: string,
  sources: ReadonlyArray<Source<E, R>>,
  metadata: Readonly<Record<string, string>>,
  publish?: (rename: Effect.Effect<void, PlatformError>) => Effect.Effect<void, PlatformError | E2, R2>,
) => {
  let offset = 0
  const entries = sources.map(({ name, shape }) => {
    const begin = offset
    offset += shape.reduce((n, d) => n * d, width.F32)
    return [name, { dtype: "F32", shape, data_offsets: [begin, offset] }] as const
  })
  const told = { [checksumKey]: new TextDecoder().decode(noChecksum), ...metadata }
  const header = encodeHeader([["__metadata__", told], ...entries])
  const write = Effect.fnUntraced(function* (file: FileSystem.File) {
    const sum = Checksum.make()
    const put = (bytes: Uint8Array) => {
      sum.add(bytes)
      return file.writeAll(bytes)
    }
    yield* put(header)
    for (const { read } of sources) {
      const data = yield* read
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      swap(bytes, width.F32)
      yield* put(bytes)
      swap(bytes, width.F32)
    }
    yield* file.seek(BigInt(8 + indexOfChecksum(header.subarray(8), new TextDecoder().decode(noChecksum))), "start")
    yield* file.writeAll(new TextEncoder().encode(sum.digest()))
  })
  return atomicWriteWith(path, write, publish).pipe(
    Effect.mapError((error) =>
      isPlatformError(error)
        ? new SafetensorsError({ file: path, reason: { _tag: "Unwritable", detail: platformReason(error) } })
        : error,
    ),
  )
}

const isPlatformError = (error: unknown): error is PlatformError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "PlatformError"

/** The tensors of a safetensors file. Fails as `decode` does, and with `Unreadable`. */
export const read = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.mapError(
    fs.readFile(path),
    (error) => new SafetensorsError({ file: path, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
  )
  return yield* Effect.fromResult(decode(bytes, path))
})

/** Writes a safetensors file, whole or not at all: beside it, then renamed. Fails with `SafetensorsError`, `Unwritable`. */
export const write = Effect.fnUntraced(function* (
  path: string,
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  metadata: Readonly<Record<string, string>> = {},
) {
  yield* Effect.mapError(
    atomicWrite(path, encode(tensors, metadata)),
    (error) => new SafetensorsError({ file: path, reason: { _tag: "Unwritable", detail: platformReason(error) } }),
  )
})

/** an integer tensor's or a double's values as float32, where a float is wanted */
export const toFloat32 = (tensor: Tensor): Float32Array =>
  tensor.dtype === "I64" ? Float32Array.from(tensor.data, Number) : new Float32Array(tensor.data)

/** a tensor by name */
export const get = (contents: Contents, name: string): Option.Option<Tensor> =>
  Option.fromNullishOr(contents.tensors.get(name))
