/** The IDX format of MNIST and its relatives: a header of big-endian sizes, then the elements. Plain or gzip. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { DataError, type DataReason } from "./DataError.ts"
import { platformReason } from "./platformReason.ts"

/** The elements of an IDX file of unsigned bytes, row-major; a view into the file's bytes. */
export interface Idx {
  readonly shape: ReadonlyArray<number>
  readonly data: Uint8Array
}

/** what an IDX file may say of its elements; only the first is read, the others are named in the refusal */
const elementTypes: Readonly<Record<number, string>> = {
  0x08: "unsigned bytes",
  0x09: "signed bytes",
  0x0b: "16-bit integers",
  0x0c: "32-bit integers",
  0x0d: "32-bit floats",
  0x0e: "64-bit floats",
}

const fail = (source: string, reason: DataReason) => Result.fail(new DataError({ source, reason }))

/**
 * The array that the bytes of an IDX file hold.
 *
 * `source` is the name that an error gives the file. Fails with `DataError`: `BadMagic`, `BadElementType`, `BadRank`,
 * `BadSize`, `Truncated`, `TrailingBytes`.
 *
 * @example
 * Idx.parse(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels") // => success { shape: [2], data: [7, 9] }
 */
export const parse = (bytes: Uint8Array, source: string): Result.Result<Idx, DataError> => {
  const found = Array.from(bytes.subarray(0, 4))
  if (found.length > 0 && found.slice(0, 2).some((b) => b !== 0)) return fail(source, { _tag: "BadMagic", found })
  if (bytes.length < 4) return fail(source, { _tag: "Truncated", expectedBytes: 4, actualBytes: bytes.length })
  const [type, rank] = [found[2]!, found[3]!]
  if (elementTypes[type] === undefined) return fail(source, { _tag: "BadMagic", found })
  if (type !== 0x08) {
    return fail(source, { _tag: "BadElementType", found: type, expected: "0x08, unsigned bytes" })
  }
  if (rank === 0) return fail(source, { _tag: "BadRank", found: 0, expected: "at least one" })
  const header = 4 + 4 * rank
  if (bytes.length < header) {
    return fail(source, { _tag: "Truncated", expectedBytes: header, actualBytes: bytes.length })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  let elements = 1
  for (const [dimension, size] of shape.entries()) {
    elements *= size
    if (size === 0 || elements > 2 ** 40) {
      const expected = size === 0 ? "at least 1" : "sizes whose product a file can hold"
      return fail(source, { _tag: "BadSize", dimension, found: size, expected, offset: 4 + 4 * dimension })
    }
  }
  const sizes = { expectedBytes: header + elements, actualBytes: bytes.length }
  if (sizes.actualBytes < sizes.expectedBytes) return fail(source, { _tag: "Truncated", ...sizes })
  if (sizes.actualBytes > sizes.expectedBytes) return fail(source, { _tag: "TrailingBytes", ...sizes })
  return Result.succeed({ shape, data: bytes.subarray(header) })
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const gunzip = (bytes: Uint8Array, source: string): Effect.Effect<Uint8Array, DataError> =>
  Effect.tryPromise({
    try: () => {
      const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => {
          // a copy with a buffer of its own: what the platform's stream takes
          controller.enqueue(new Uint8Array(bytes))
          controller.close()
        },
      })
      return new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer()
    },
    catch: (cause) => {
      const detail = cause instanceof Error ? cause.message : String(cause)
      return new DataError({ source, reason: { _tag: "BadGzip", detail } })
    },
  }).pipe(Effect.map((buffer) => new Uint8Array(buffer)))

/**
 * The array that the bytes of an IDX file hold, unpacked first where they are gzip. Runs in a browser too.
 *
 * Fails as `parse` does, and with `BadGzip`.
 */
export const decode = (bytes: Uint8Array, source: string): Effect.Effect<Idx, DataError> =>
  isGzip(bytes)
    ? Effect.flatMap(gunzip(bytes, source), (plain) => Effect.fromResult(parse(plain, source)))
    : Effect.fromResult(parse(bytes, source))

/** The array of an IDX file, plain or gzip. Fails as `decode` does, and with `Unreadable`. */
export const read = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.mapError(
    fs.readFile(path),
    (error) => new DataError({ source: path, reason: { _tag: "Unreadable", detail: platformReason(error) } }),
  )
  return yield* decode(bytes, path)
})

/** The bytes of an IDX file of unsigned bytes. */
export const encode = (idx: Idx): Uint8Array => {
  const header = 4 + 4 * idx.shape.length
  const bytes = new Uint8Array(header + idx.data.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0, 0, 0x08, idx.shape.length])
  idx.shape.forEach((size, i) => view.setUint32(4 + 4 * i, size))
  bytes.set(idx.data, header)
  return bytes
}
