/** Threads in different products of one phase keep to their own memory: a strided input gradient is many products. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import * as Ops from "../../../src/ops/Ops.ts"
import * as Program from "../../../src/ops/Program.ts"
import * as Tensor from "../../../src/ops/Tensor.ts"

const wave = <const S extends ReadonlyArray<number>>(shape: S, seed: number) => ({
  shape: [...shape] as [...S],
  data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(seed + i * 12.9898)),
})

const given = { x: wave([2, 3, 63, 63], 1), w: wave([64, 3, 11, 11], 2), dy: wave([2, 64, 15, 15], 3) }

const gradients = (threads: number, runs: number) =>
  Effect.gen(function* () {
    const program = yield* Program.compile(
      { x: Tensor.input(2, 3, 63, 63), w: Tensor.input(64, 3, 11, 11), dy: Tensor.input(2, 64, 15, 15) },
      ({ x, w, dy }) => Ops.vjp(Ops.conv2d(x, w, null, { stride: 4, padding: 2 }), dy, { x }),
    )
    const all: Array<Float32Array> = []
    for (let i = 0; i < runs; i++) all.push((yield* program.run(given)).x.data)
    return all
  }).pipe(Effect.scoped, Effect.provide(Wasm.layer({ threads })))

it.live(
  "a strided input gradient is the same in every run, on any number of threads",
  () =>
    Effect.gen(function* () {
      const [alone] = yield* gradients(1, 1)
      const together = yield* gradients(3, 300)
      expect(together.filter((dx) => dx.some((v, i) => v !== alone?.[i])).length).toBe(0)
    }),
  60_000,
)
