import { assert, describe, it } from "@effect/vitest"
import { installWebGpu } from "../../../src/gpu/gpujs/dawn.ts"
import {
  backendOf,
  bufferArgument,
  build,
  contextOf,
  type KernelSettings,
  load,
  writeInto,
} from "../../../src/gpu/gpujs/internals.ts"
import { probe } from "./modes.ts"

const settings = (types: ReadonlyArray<string>, pipeline: boolean): KernelSettings => ({
  output: [3],
  argumentTypes: types,
  pipeline,
  immutable: false,
  precision: "single",
  returnType: "Number",
  fixIntegerDivisionAccuracy: false,
  loopMaxIterations: 1000,
  tactic: "precision",
})
const source = "function (x0) {\n  return x0[this.thread.x] + 1;\n}"

const webgpu = (await probe("webgpu")).absent === undefined ? it : it.skip

describe("gpu.js", () => {
  webgpu("lets a webgpu kernel read buffers and write into a buffer that are ours", async () => {
    const installed = await installWebGpu()
    assert.property(installed, "remove")
    const library = await load()
    const kernel = new library.GPU({ mode: "webgpu" }).createKernel(source, settings(["WebGPUBuffer"], true))
    const seen = new library.GPU({ mode: "webgpu" }).createKernel("function () {\n  return 1;\n}", settings([], true))
    await seen()
    const context = contextOf(seen) as {
      device: {
        createBuffer: (d: object) => { destroy(): void; mapState: string }
        queue: { writeBuffer: (...a: ReadonlyArray<unknown>) => void }
      }
    }
    const make = () => context.device.createBuffer({ size: 12, usage: 0x8c })
    const [from, to] = [make(), make()]
    context.device.queue.writeBuffer(from, 0, Float32Array.of(1, 2, 3))
    await build(kernel, [bufferArgument(from, [3, 1, 1], context)])
    assert.strictEqual(backendOf(library, kernel), "webgpu")
    writeInto(kernel, to)
    const result = (await kernel(bufferArgument(from, [3, 1, 1], context))) as {
      buffer: unknown
      toArray: () => Promise<Float32Array>
    }
    assert.strictEqual(result.buffer, to)
    assert.deepStrictEqual([...(await result.toArray())], [2, 3, 4])
    kernel.destroy()
    // its own destroy leaves the buffer that is ours alive
    context.device.queue.writeBuffer(to, 0, Float32Array.of(7, 7, 7))
    assert.deepStrictEqual([...(await result.toArray())], [7, 7, 7])
    seen.destroy()
    await library.WebGPUContext.destroy()
    if ("remove" in installed) installed.remove()
  })
})
