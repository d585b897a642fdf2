import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as K from "../../src/gpu/Kernel.ts"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../src/gpu/wasm/Wasm.ts"
import { runKernel } from "./runKernel.ts"

// written out as a tree, this would have 2^60 leaves
const rounds = 60
const kernel: K.Kernel = {
  _tag: "Kernel",
  name: "shared",
  space: [37],
  inputs: [[37]],
  stores: [
    Array.from({ length: rounds }).reduce<K.Value>(
      (x, _, i) =>
        i % 10 === 9
          ? K.select(K.compare("gt", x, 5), K.sub(x, x), x)
          : K.sub(K.add(x, 1), K.mul(K.floor(K.div(K.add(x, 1), 11)), 11)),
      K.load(0, [K.axis(0)]),
    ),
  ],
}
const expected = (x: number): number => {
  let v = x
  for (let i = 0; i < rounds; i++) v = i % 10 === 9 ? (v > 5 ? 0 : v) : v + 1 - Math.floor((v + 1) / 11) * 11
  return v
}

describe("parts that a kernel shares", () => {
  it.each([
    ["reference", Reference.layer],
    ["wasm", Wasm.layer({ threads: 1 })],
  ] as const)("are read, printed and computed once: %s", async (_, layer) => {
    const x = Float32Array.from({ length: 37 }, (_, i) => i)
    const [y] = await Effect.runPromise(runKernel(kernel, [x]).pipe(Effect.provide(layer)))
    assert.deepStrictEqual([...(y ?? [])], [...x].map(expected))
  })
})
