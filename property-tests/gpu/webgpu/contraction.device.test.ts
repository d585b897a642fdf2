/** The tuned WGSL contractions on a WebGPU device, against float64 loops. Without an adapter: skipped, and said. */
import * as fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import type { Contraction } from "../../../src/gpu/Contraction.ts"
import { contraction, type Limits } from "../../../src/gpu/webgpu/contraction.ts"
import { anyConv2d, anyMatmul, conv2d, documented, matmul } from "./cases.ts"
import { dawn } from "./dawn.ts"
import * as Reference from "./reference.ts"
import { inputsFor, run } from "./run.ts"

const found = await dawn()
const where = found._tag === "Device" ? found.description : `skipped: ${found.reason}`
if (found._tag === "Absent") console.warn(`WebGPU contractions ${where}`)

describe.skipIf(found._tag === "Absent")(`contraction on WebGPU (${where})`, () => {
  const device = found._tag === "Device" ? found.device : (undefined as never) // skipped without one
  afterAll(() => device.destroy())

  /**
   * Each of a sum's terms passes through at most 128 additions in its block, as many as there are blocks in a split, and
   * as many as there are splits, each rounding by half a unit in the last place; plus its product and the bias.
   */
  const wrong = async (c: Contraction, limits: Limits = device.limits): Promise<string | undefined> => {
    const inputs = inputsFor(c, 3)
    const actual = await run(device, c, inputs, limits)
    const { values, magnitudes } = Reference.contraction(c, inputs)
    const terms = Math.min(128, termsOf(c)) + Math.ceil(termsOf(c) / 128) + 66
    const allowed = magnitudes.map((m) => terms * 2 ** -24 * m + 1e-30)
    const i = values.findIndex((expected, i) => !(Math.abs(actual[i]! - expected) <= allowed[i]!))
    return i === -1 ? undefined : `element ${i} is ${actual[i]}, not ${values[i]} ± ${allowed[i]}`
  }

  test.each(documented)("%s", async (_, c) => expect(await wrong(c)).toBeUndefined())

  test("any matmul", { timeout: 60_000 }, async () =>
    fc.assert(
      fc.asyncProperty(anyMatmul, async (c) => {
        expect(await wrong(c)).toBeUndefined()
      }),
      { seed: 1, numRuns: 25 },
    ),
  )

  test("any conv2d", { timeout: 60_000 }, async () =>
    fc.assert(
      fc.asyncProperty(anyConv2d, async (c) => {
        expect(await wrong(c)).toBeUndefined()
      }),
      { seed: 2, numRuns: 35 },
    ),
  )

  test("a device with few workgroups per dimension and small ones", async () => {
    const limits = {
      maxComputeWorkgroupStorageSize: 4096,
      maxComputeInvocationsPerWorkgroup: 64,
      maxComputeWorkgroupSizeX: 64,
      maxComputeWorkgroupsPerDimension: 7,
      maxStorageBufferBindingSize: 1 << 20,
    }
    expect(await wrong(matmul({ m: 130, n: 140, k: 60 }), limits)).toBeUndefined()
    expect(await wrong(matmul({ m: 20, n: 30, k: 4000 }, true), limits)).toBeUndefined()
    expect(await wrong(conv2d({ pass: "weightGradient", n: 4 }), limits)).toBeUndefined()
  })

  test("a weight gradient over 200,704 positions keeps float32's accuracy, one-signed data too", async () => {
    const c = conv2d({ pass: "weightGradient", n: 4, c: 1, o: 2, h: 224, w: 224, kernel: [1, 1], padding: [0, 0] })
    const inputs = [new Float32Array(4 * 224 * 224).fill(0.1), new Float32Array(8 * 224 * 224).fill(0.7)]
    const exact = 4 * 224 * 224 * Math.fround(0.1) * Math.fround(0.7)
    for (const value of await run(device, c, inputs)) expect(Math.abs(value / exact - 1)).toBeLessThan(2e-6)
  })

  test("the same inputs give the same bits", async () => {
    const c = matmul({ m: 30, n: 20, k: 9000 })
    expect(contraction(c, device.limits).dispatches.length).toBe(2)
    const inputs = inputsFor(c, 5)
    expect(await run(device, c, inputs)).toEqual(await run(device, c, inputs))
  })

  test("a refused shader is a DeviceError that names the kernel", async () => {
    const Effect = await import("effect/Effect")
    const Runner = await import("../../../src/gpu/webgpu/Runner.ts")
    const broken = { shaders: ["@compute fn main() { nonsense }"], workspaceBytes: 0, dispatches: [] }
    const error = await Effect.runPromise(Effect.flip(Runner.prepare(device, broken, "conv1")))
    expect(error._tag).toBe("DeviceError")
    expect(error.message).toContain("(kernel conv1)")
  })
})

const termsOf = (c: Contraction): number => {
  const f = c.form
  if (f._tag === "MatMul") return f.k
  const taps = f.kernel[0] * f.kernel[1]
  if (f.pass === "weightGradient") return f.n * f.oh * f.ow
  return ((f.pass === "forward" ? f.c : f.o) / f.groups) * taps
}
