/** What can be said of the WGSL without a GPU. */
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { outputShape } from "../../../src/gpu/Contraction.ts"
import { elements } from "../../../src/gpu/Plan.ts"
import { contraction, type Limits } from "../../../src/gpu/webgpu/contraction.ts"
import { anyConv2d, anyMatmul, conv2d, documented, matmul } from "./cases.ts"

/** the least that WebGPU promises */
const limits: Limits = {
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxStorageBufferBindingSize: 134217728,
}

const workgroupSize = (text: string): number => Number(/@workgroup_size\((\d+)\)/.exec(text)?.[1])
const sharedBytes = (text: string): number =>
  [...text.matchAll(/var<workgroup> \w+ : array<vec4<f32>, (\d+)>/g)].reduce((sum, m) => sum + 16 * Number(m[1]), 0)

describe("documented cases", () => {
  test("aligned operands are read and written as vec4", () => {
    const { shaders } = contraction(matmul({ m: 64, n: 64, k: 64 }), limits)
    expect(shaders[0]).toContain("var<storage, read> a : array<vec4<f32>>")
    expect(shaders[0]).toContain("var<storage, read> b : array<vec4<f32>>")
    expect(shaders[0]).toContain("var<storage, read_write> y : array<vec4<f32>>")
  })

  test("a short sum is one pass and needs no workspace; the bias is added in it", () => {
    const tuned = contraction(matmul({ m: 64, n: 120, k: 400, transposeB: true }, true), limits)
    expect(tuned.workspaceBytes).toBe(0)
    expect(tuned.dispatches.map((d) => d.bindings.map((b) => b.source._tag))).toEqual([
      ["Input", "Input", "Output", "Input"],
    ])
  })

  test("a long sum of few results is split, and added in a second pass", () => {
    const tuned = contraction(conv2d({ pass: "weightGradient", n: 64, h: 28, w: 28 }), limits)
    expect(tuned.dispatches.map((d) => d.bindings.map((b) => b.source._tag))).toEqual([
      ["Input", "Input", "Workspace"],
      ["Output", "Workspace"],
    ])
    expect(tuned.workspaceBytes % (6 * 4 * 9 * 4)).toBe(0)
    expect(tuned.workspaceBytes).toBeGreaterThan(0)
  })

  test("a long sum puts partial sums aside", () => {
    expect(contraction(matmul({ m: 2048, n: 2048, k: 4096 }), limits).shaders[0]).toContain("total0 += acc0")
    expect(contraction(matmul({ m: 2048, n: 2048, k: 128 }), limits).shaders[0]).not.toContain("total0")
  })

  test("nothing to compute is nothing to dispatch", () => {
    expect(contraction(matmul({ m: 0 }), limits)).toEqual({ shaders: [], workspaceBytes: 0, dispatches: [] })
  })
})

describe("laws", () => {
  const any = fc.oneof(anyMatmul, anyConv2d)

  test("every choice stays within the device's limits", () =>
    fc.assert(
      fc.property(any, (c) => {
        const tuned = contraction(c, limits)
        for (const text of tuned.shaders) {
          expect(workgroupSize(text)).toBeLessThanOrEqual(limits.maxComputeInvocationsPerWorkgroup)
          expect(sharedBytes(text)).toBeLessThanOrEqual(limits.maxComputeWorkgroupStorageSize)
        }
        for (const d of tuned.dispatches) for (const count of d.workgroups) expect(count).toBeLessThanOrEqual(65535)
        expect(tuned.workspaceBytes % (4 * elements(outputShape(c)))).toBe(0)
      }),
      { seed: 3, numRuns: 300 },
    ))

  test("one of them writes the output, and each shader binds what it declares", () => {
    for (const [, c] of documented) {
      const tuned = contraction(c, limits)
      for (const d of tuned.dispatches) {
        const declared = [...tuned.shaders[d.shader]!.matchAll(/@binding\((\d+)\) var<storage, (read_write|read)>/g)]
        expect(declared.map((m) => (m[2] === "read" ? "read" : "write"))).toEqual(d.bindings.map((b) => b.access))
        expect(declared.map((m) => Number(m[1]))).toEqual(d.bindings.map((_, i) => i))
      }
      const writes = tuned.dispatches.at(-1)?.bindings.filter((b) => b.source._tag === "Output")
      expect(writes?.map((b) => b.access) ?? ["write"]).toEqual(["write"])
    }
  })

  test("the same contraction and limits give the same texts, whatever its name", () =>
    fc.assert(
      fc.property(any, (c) => {
        expect(contraction({ ...c, name: "another" }, limits)).toEqual(contraction(c, limits))
      }),
      { seed: 4, numRuns: 50 },
    ))

  test("a large image's groups are folded over two dimensions", () => {
    const { dispatches } = contraction(conv2d({ n: 64, c: 3, o: 8, h: 1024, w: 1024 }), limits)
    const [x, y, z] = dispatches[0]!.workgroups
    expect(x).toBe(65535)
    expect(y).toBeGreaterThan(1)
    expect(z).toBe(1)
  })
})
