/// <reference types="@webgpu/types" />
import { expectTypeOf, test } from "vitest"
import type * as Runner from "../../../src/gpu/webgpu/Runner.ts"

test("a real GPUDevice, its passes and its buffers fit our structural types", () => {
  expectTypeOf<GPUDevice>().toExtend<Runner.GpuDevice>()
  expectTypeOf<GPUComputePassEncoder>().toExtend<Runner.GpuComputePass>()
  expectTypeOf<GPUCommandEncoder>().toExtend<Runner.GpuCommandEncoder>()
  expectTypeOf<GPUBuffer>().toExtend<Runner.GpuBuffer>()
})
