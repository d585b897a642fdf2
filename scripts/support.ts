/**
 * Prints docs/support.md: which device runs which op, from the ops' own kernels. Each op and its gradient are lowered to
 * kernels, and each device's own code generator is asked for them; nothing is run. `--write` puts it into the file.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { samples } from "../property-tests/support/samples.ts"
import * as Contraction from "../src/gpu/Contraction.ts"
import { dialectOf, type Mode } from "../src/gpu/gpujs/dialect.ts"
import * as GpuJsLower from "../src/gpu/gpujs/lower.ts"
import { print } from "../src/gpu/gpujs/print.ts"
import type { Plan } from "../src/gpu/Plan.ts"
import { javascript } from "../src/gpu/reference/javascript.ts"
import { compileKernel } from "../src/gpu/wasm/compileKernel.ts"
import { planContraction } from "../src/gpu/wasm/contraction.ts"
import { contraction as wgsl } from "../src/gpu/webgpu/contraction.ts"
import * as Ops from "../src/ops/Ops.ts"
import { lower } from "../src/ops/lower.ts"
import * as Tensor from "../src/ops/Tensor.ts"

/** WebGPU's default limits, which every adapter has */
const limits = {
  maxComputeWorkgroupSizeX: 256,
  maxStorageBufferBindingSize: 134217728,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
}

/** throws, or gives a sentence, where the device cannot run the plan */
type Ask = (plan: Plan) => string | undefined

const gpujs =
  (mode: Mode): Ask =>
  (plan) => {
    const dialect = dialectOf(mode)
    const lowered = GpuJsLower.lower(plan, dialect, false)
    if ("_tag" in lowered) return lowered.reason
    for (const group of lowered.groups)
      for (const action of group.actions) {
        const printed = action._tag === "Kernel" ? print(action.kernel, dialect) : undefined
        if (printed !== undefined && "_tag" in printed) return printed.reason
      }
    return undefined
  }

const each =
  (
    kernel: (code: Exclude<Plan["steps"][number]["code"], Contraction.Contraction>) => unknown,
    contraction: (code: Contraction.Contraction) => unknown,
  ): Ask =>
  (plan) => {
    for (const { code } of plan.steps) void (code._tag === "Kernel" ? kernel(code) : contraction(code))
    return undefined
  }

const plainly = (c: Contraction.Contraction): unknown => javascript(Contraction.plain(c))

const devices: { readonly [name: string]: Ask } = {
  wasm: each(
    (k) => compileKernel(k, "kernel", { relaxed: true, wide: false }),
    (c) => planContraction(c, { threads: 2, wide: false }),
  ),
  reference: each(javascript, plainly),
  "gpujs-cpu": gpujs("cpu"),
  "gpujs-webasm": gpujs("webasm"),
  "gpujs-webgpu": (plan) => {
    for (const { code } of plan.steps) if (code._tag === "Contraction") wgsl(code, limits)
    return gpujs("webgpu")(plan)
  },
  "gpujs-webgl2": gpujs("webgl2"),
  "gpujs-webgl": gpujs("webgl"),
}

const planOf = (name: keyof typeof samples, gradient: boolean): Plan | string => {
  const { inputs: shapes, call } = samples[name]
  const inputs = shapes.map((shape) => Tensor.make(shape, { _tag: "Input" }))
  const y = call(...inputs)
  const dy = Tensor.make(y.shape, { _tag: "Input" })
  const dx = Object.values(Ops.vjp(y, dy, Object.fromEntries(inputs.map((x, i) => [`${i}`, x]))))
  const outputs = gradient ? dx : [y]
  const refused = outputs.map(Tensor.refusal).find((error) => error !== undefined)
  return refused === undefined
    ? lower({ name, inputs: [...inputs, dy], state: [], newState: [], outputs })
    : refused._tag === "NotDifferentiable"
      ? "none"
      : refused.message
}

const answer = (plan: Plan | string, ask: Ask): string => {
  if (typeof plan === "string") return plan
  try {
    const refused = ask(plan)
    return refused === undefined ? "yes" : `no: ${refused}`
  } catch (error) {
    return `no: ${String(error)}`
  }
}

/** the page as it should be */
export const supportPage = (): string => {
  const columns = Object.keys(devices)
  const rows = (Object.keys(samples) as Array<keyof typeof samples>).map((name) => {
    const [forward, backward] = [planOf(name, false), planOf(name, true)]
    const cells = columns.map((device) => {
      const ask = devices[device] as Ask // a column is a device's name
      const [value, gradient] = [answer(forward, ask), answer(backward, ask)]
      return value === gradient ? value : `${value} (gradient: ${gradient})`
    })
    return `| \`${name}\` | ${cells.join(" | ")} |`
  })
  return [
    "# What runs where",
    "",
    "Each op, and its gradient, on each device: printed by `node scripts/support.ts --write` from the ops' own kernels,",
    "which each device's code generator was asked for. `gpujs-headlessgl` is as `gpujs-webgl`, where the package `gl` is",
    "installed. The WebGL devices take arrays of at most 2²⁴ elements; all others are limited by memory alone.",
    "",
    `| op | ${columns.map((c) => `\`${c}\``).join(" | ")} |`,
    `| --- |${columns.map(() => " --- |").join("")}`,
    ...rows,
    "",
  ].join("\n")
}

if (import.meta.main) {
  const page = supportPage()
  if (process.argv.includes("--write")) writeFileSync(join(import.meta.dirname, "../docs/support.md"), page)
  else console.log(page)
}
