import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { gzipSync } from "node:zlib"
import type { DataReason } from "../../src/pipelines/DataError.ts"
import * as Idx from "../../src/pipelines/Idx.ts"

const small = Idx.encode({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
const changed = (at: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(small)
  bytes[at] = value
  return bytes
}

/** [what was done to the file, its bytes, the reason, the sentence] */
const faults: ReadonlyArray<readonly [name: string, bytes: Uint8Array, tag: DataReason["_tag"], message: string]> = [
  [
    "first byte",
    changed(0, 0x89),
    "BadMagic",
    "x is no IDX file: it starts with bytes 89 00 08 02 instead of 00 00, an element type and a number of dimensions; fetch the file again, or name another folder",
  ],
  [
    "unknown type",
    changed(2, 0x07),
    "BadMagic",
    "x is no IDX file: it starts with bytes 00 00 07 02 instead of 00 00, an element type and a number of dimensions; fetch the file again, or name another folder",
  ],
  [
    "float elements",
    changed(2, 0x0d),
    "BadElementType",
    "x has elements of type 0x0d at byte 2, expected 0x08, unsigned bytes; is it the right file of the set?",
  ],
  [
    "no dimensions",
    changed(3, 0),
    "BadRank",
    "x has 0 dimensions at byte 3, expected at least one; are images and labels mixed up?",
  ],
  [
    "size zero",
    changed(7, 0),
    "BadSize",
    "x says dimension 0 is 0 at byte 4, expected at least 1; is it the right file of the set?",
  ],
  [
    "one byte short",
    small.subarray(0, small.length - 1),
    "Truncated",
    "x ends after 17 bytes, but its header promises 18: it was cut short; fetch the file again, or name another folder",
  ],
  [
    "one byte long",
    new Uint8Array([...small, 0]),
    "TrailingBytes",
    "x has 19 bytes, 1 more than the 18 its header promises; fetch the file again, or name another folder",
  ],
  [
    "empty",
    new Uint8Array(0),
    "Truncated",
    "x ends after 0 bytes, but its header promises 4: it was cut short; fetch the file again, or name another folder",
  ],
]

describe("Idx", () => {
  it.effect.each(faults)("%s: %s", ([, bytes, tag, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Idx.decode(bytes, "x"))
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.message, message)
    }),
  )

  it.effect("a broken gzip stream is named", () =>
    Effect.gen(function* () {
      const packed = gzipSync(small)
      const error = yield* Effect.flip(Idx.decode(packed.subarray(0, packed.length - 9), "x.gz"))
      assert.strictEqual(error.reason._tag, "BadGzip")
      assert.match(error.message, /^x\.gz starts as gzip does but cannot be unpacked/)
    }),
  )

  it("what was encoded is read back, plain and gzip", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(255)),
        async (shape, bytes) => {
          const size = shape.reduce((n, d) => n * d, 1)
          const data = Uint8Array.from(bytes.take(size))
          const file = Idx.encode({ shape, data })
          for (const form of [file, new Uint8Array(gzipSync(file))]) {
            const back = await Effect.runPromise(Idx.decode(form, "x"))
            assert.deepStrictEqual(back.shape, shape)
            assert.deepStrictEqual(Array.from(back.data), Array.from(data))
          }
        },
      ),
      { numRuns: 50, seed: 1 },
    ))

  it("a file cut anywhere, or with any byte changed, gives an array or a DataError, never a defect", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(small.length), fc.nat(small.length - 1), fc.nat(255), async (end, at, value) => {
        const result = await Effect.runPromise(Effect.result(Idx.decode(changed(at, value).subarray(0, end), "x")))
        if (result._tag === "Failure") assert.strictEqual(result.failure._tag, "DataError")
        else
          assert.strictEqual(
            result.success.data.length,
            result.success.shape.reduce((n, d) => n * d, 1),
          )
      }),
      { numRuns: 500, seed: 2 },
    ))
})
