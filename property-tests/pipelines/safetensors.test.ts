import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as Safetensors from "../../src/pipelines/Safetensors.ts"

/** a file from a header and so many bytes of body */
const file = (header: unknown, body: number): Uint8Array => {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + body)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}
const f32 = (shape: ReadonlyArray<number>, begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
})

const faults: ReadonlyArray<
  readonly [name: string, bytes: Uint8Array, tag: Safetensors.SafetensorsReason["_tag"], message: RegExp]
> = [
  ["empty", new Uint8Array(0), "Truncated", /^w ends after 0 bytes where 8 are needed: it was cut short/],
  ["shorter than its header", file({}, 0).subarray(0, 9), "Truncated", /ends after 9 bytes where 10 are needed/],
  ["a header of 2⁶³ bytes", new Uint8Array(16).fill(0xff), "BadHeader", /at most 100000000 are allowed/],
  ["no JSON", file("{nonsense", 0), "BadHeader", /^w has no valid safetensors header \(it is not a JSON object\)/],
  ["not an object", file("[]", 0), "BadHeader", /does not start with \{/],
  ["no shape", file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), "BadHeader", /tensor a: Missing key/],
  ["negative size", file({ a: f32([-1], 0, 4) }, 4), "BadHeader", /tensor a: /],
  ["half an offset", file({ a: f32([1], 0.5, 4.5) }, 8), "BadHeader", /tensor a: /],
  ["metadata of numbers", file({ __metadata__: { epoch: 1 } }, 0), "BadHeader", /__metadata__/],
  [
    "a type we do not read",
    file({ a: { dtype: "I32", shape: [1], data_offsets: [0, 4] } }, 4),
    "UnsupportedType",
    /tensor a of type I32, but F32, F64, F16, BF16 and I64 are read/,
  ],
  [
    "overlapping",
    file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
    "BadOffsets",
    /tensor b at bytes 4 to 12, but it must begin at 8/,
  ],
  [
    "a hole",
    file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
    "BadOffsets",
    /tensor b at bytes 8 to 12, but it must begin at 4/,
  ],
  ["backwards", file({ a: f32([1], 0, 4), b: f32([1], 4, 0) }, 4), "BadOffsets", /tensor b at bytes 4 to 0/],
  ["beyond the end", file({ a: f32([4], 0, 16) }, 8), "Truncated", /it was cut short/],
  [
    "shape and bytes disagree",
    file({ a: f32([3], 0, 8) }, 8),
    "SizeMismatch",
    /tensor a 8 bytes, but F32 of shape \[3\] takes 12/,
  ],
  ["more than the header tells", file({ a: f32([1], 0, 4) }, 6), "TrailingBytes", /2 more than its header tells of/],
]

describe("Safetensors", () => {
  it.each(faults)("%s", (_, bytes, tag, message) => {
    const result = Safetensors.decode(bytes, "w")
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) {
      assert.strictEqual(result.failure.reason._tag, tag)
      assert.match(result.failure.message, message)
    }
  })

  it("half precision is read as floats", () => {
    const halves = {
      a: { dtype: "F16", shape: [5], data_offsets: [0, 10] },
      b: { dtype: "BF16", shape: [2], data_offsets: [10, 14] },
    }
    const bytes = file(halves, 14)
    const view = new DataView(bytes.buffer, bytes.length - 14)
    // 1, −2, the smallest positive half, infinity, 65504; then 1 and −3.140625 in bfloat16
    for (const [i, bits] of [0x3c00, 0xc000, 0x0001, 0x7c00, 0x7bff, 0x3f80, 0xc049].entries())
      view.setUint16(2 * i, bits, true)
    const { tensors } = Result.getOrThrow(Safetensors.decode(bytes, "w"))
    assert.deepStrictEqual(tensors.get("a")?.data, Float32Array.of(1, -2, 2 ** -24, Infinity, 65504))
    assert.deepStrictEqual(tensors.get("b")?.data, Float32Array.of(1, -3.140625))
  })

  it("what was encoded is read back bit for bit, from any offset in memory", () => {
    const shape = fc.array(fc.nat(4), { maxLength: 4 })
    const tensor = fc
      .tuple(shape, fc.constantFrom("F32", "F64", "I64"), fc.infiniteStream(fc.float()))
      .map(([shape, dtype, values]): Safetensors.Tensor => {
        const data = Float32Array.from(values.take(shape.reduce((n, d) => n * d, 1)))
        if (dtype === "F32") return { dtype, shape, data }
        if (dtype === "F64") return { dtype, shape, data: Float64Array.from(data) }
        return {
          dtype: "I64",
          shape,
          data: BigInt64Array.from(data, (x) => BigInt(Number.isFinite(x) ? Math.trunc(x) : 0)),
        }
      })
    const names = fc.uniqueArray(
      fc.string().filter((s) => s !== "__metadata__" && s !== "__proto__"),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(names, fc.infiniteStream(tensor), fc.nat(7), (names, tensors, offset) => {
        const written = names.map((name) => [name, tensors.next().value] as const)
        const bytes = Safetensors.encode(written, { made: "here" })
        const moved = new Uint8Array(bytes.length + offset).subarray(offset)
        moved.set(bytes)
        const read = Result.getOrThrow(Safetensors.decode(moved, "w"))
        assert.deepStrictEqual(read.metadata, { made: "here" })
        assert.deepStrictEqual(read.tensors, new Map(written))
      }),
      { numRuns: 100, seed: 1 },
    )
  })

  it("a file cut anywhere is refused", () => {
    const bytes = Safetensors.encode([["a", { dtype: "F32", shape: [3], data: Float32Array.of(1, 2, 3) }]])
    for (let end = 0; end < bytes.length; end++) {
      assert.isTrue(Result.isFailure(Safetensors.decode(bytes.subarray(0, end), "w")), `cut at ${end}`)
    }
  })
})

layer(NodeServices.layer)("Safetensors files", (it) => {
  const one: ReadonlyArray<readonly [string, Safetensors.Tensor]> = [
    ["a", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }],
  ]

  it.effect("written whole, in a folder made for it, and nothing is left beside it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      yield* Safetensors.write(`${folder}/run/model.safetensors`, one)
      yield* Safetensors.write(`${folder}/run/model.safetensors`, one, { epoch: "2" })
      const back = yield* Safetensors.read(`${folder}/run/model.safetensors`)
      assert.deepStrictEqual(back.tensors, new Map(one))
      assert.deepStrictEqual(back.metadata, { epoch: "2" })
      assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/run`), ["model.safetensors"])
    }).pipe(Effect.scoped),
  )

  it.effect("missing, or where nothing can be written: the file is named", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(Safetensors.read("/nowhere/model.safetensors"))
      assert.strictEqual(missing.reason._tag, "Unreadable")
      assert.match(missing.message, /^\/nowhere\/model\.safetensors cannot be read/)
      const refused = yield* Effect.flip(Safetensors.write("/dev/null/model.safetensors", one))
      assert.strictEqual(refused.reason._tag, "Unwritable")
    }),
  )
})
