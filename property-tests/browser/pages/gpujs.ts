/** gpu.js itself in a page: which backend runs, asked of the context it draws with, and whether it computes. */
import { GPU } from "gpu.js"

/** what is used of gpu.js; its own types take kernels as functions only, and leave out what runs */
interface Kernel {
  (a: Float32Array): Promise<Float32Array> | Float32Array
  readonly kernel: { readonly context: unknown; readonly fallbackReason: string | null }
}
interface GpuJs {
  createKernel?(source: string, settings: object): Kernel
}

const contextName = (context: unknown): string =>
  context instanceof WebGL2RenderingContext
    ? "webgl2"
    : context instanceof WebGLRenderingContext
      ? "webgl"
      : Object.prototype.toString.call(context)

export const main = async (mode: "webgl" | "webgl2") => {
  const gpu = new GPU({ mode })
  const untyped: GpuJs = gpu as object
  const kernel = untyped.createKernel!("function (a) { return a[this.thread.x] * 3 + this.constants.one }", {
    output: [1000],
    constants: { one: 1 },
    precision: "single",
    fixIntegerDivisionAccuracy: true,
  })
  const input = Float32Array.from({ length: 1000 }, (_, i) => i / 7)
  const result = Array.from(await kernel(input))
  const worst = Math.max(...result.map((v, i) => Math.abs(v - (Math.fround(i / 7) * 3 + 1))))
  const { context, fallbackReason } = kernel.kernel
  const ran = contextName(context)
  const renderer =
    context instanceof WebGL2RenderingContext || context instanceof WebGLRenderingContext
      ? String(context.getParameter(context.RENDERER))
      : "none"
  await gpu.destroy()
  return { ran, fallbackReason, renderer, worst, length: result.length }
}
