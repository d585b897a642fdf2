/** The reader of reference cases, on a folder made here. */
import { describe, expect, it } from "vitest"
import * as Cases from "./Cases.ts"

const safetensors = (tensors: Readonly<Record<string, Cases.Tensor>>): Uint8Array => {
  let offset = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const entry = { dtype: "F32", shape, data_offsets: [offset, offset + 4 * data.length] }
      offset += 4 * data.length
      return [name, entry]
    }),
  )
  const text = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, 4 * data.length), at)
    at += 4 * data.length
  }
  return bytes
}

describe("a folder of cases", () => {
  it("gives its tensors by name, whatever the alignment of the file", () => {
    const x = { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 4) }
    const y = { shape: [1], data: Float32Array.of(7) }
    const folder = Cases.parse(`{"cases":[]}`, safetensors({ "case/x": x, "case/y": y }))
    expect(folder.tensor("case/x")).toEqual(x)
    expect(folder.tensor("case/y")).toEqual(y)
    expect(() => folder.tensor("case/z")).toThrow("tensors.safetensors has no case/z")
  })
})

describe("values by formula", () => {
  it("are those of the formula in exact integers", () => {
    const exact = (i: number, seed: number): number => {
      const mask = 0xffffffffn
      let h = (BigInt(i) * 0x9e3779b1n + BigInt(seed)) & mask
      h ^= h >> 16n
      h = (h * 0x85ebca6bn) & mask
      h ^= h >> 13n
      h = (h * 0xc2b2ae35n) & mask
      h ^= h >> 16n
      return Number(h)
    }
    for (const [i, seed] of [
      [0, 1],
      [1, 1],
      [12345, 1000],
      [37_748_735, 7],
      [4_000_000_000, 5000],
    ] as const) {
      expect(Cases.hash32(i, seed)).toBe(exact(i, seed))
    }
  })

  it("give parameters their seeds in order, and skip running statistics", () => {
    const state = Cases.stateByFormula(
      [
        ["0.weight", [2, 3]],
        ["1.weight", [2]],
        ["1.running_mean", [2]],
        ["1.running_var", [2]],
        ["2.bias", [2]],
      ],
      6,
    )
    expect(state["0.weight"]?.data).toEqual(Cases.values([2, 3], 1, Math.sqrt(2)).data)
    expect(state["1.weight"]?.data).toEqual(Cases.values([2], 2, 0.1).data.map((v) => 1 + v))
    expect([...(state["1.running_var"]?.data ?? [])]).toEqual([1, 1])
    expect(state["2.bias"]?.data).toEqual(Cases.values([2], 3, 0.1).data)
  })
})
