/** The slow and obvious device: each kernel is a plain JavaScript loop nest in float64. Others are compared with it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Contraction from "../Contraction.ts"
import { checkRun, slotCount } from "../checkRun.ts"
import { Device, DeviceError, type Executable } from "../Device.ts"
import { makeHandles } from "../handles.ts"
import { elements, type Plan, type Step } from "../Plan.ts"
import { erf } from "./erf.ts"
import { javascript } from "./javascript.ts"

const name = "reference"

/** C's `pow`, which PyTorch has: `1` to any power is 1, NaN included */
const pow = (a: number, b: number): number => (a === 1 ? 1 : a === -1 && Math.abs(b) === Infinity ? 1 : a ** b)

/** the floor, within the 32 bits that every device has; 0 for NaN */
const toIndex = (v: number): number =>
  Number.isNaN(v) ? 0 : Math.min(2147483647, Math.max(-2147483648, Math.floor(v)))

type Run = (buffers: ReadonlyArray<Float32Array>) => void

const compileStep = (step: Step): Effect.Effect<Run, DeviceError> => {
  const kernel = step.code._tag === "Kernel" ? step.code : Contraction.plain(step.code)
  const parameters = [...kernel.inputs.map((_, i) => `x${i}`), ...kernel.stores.map((_, i) => `y${i}`)]
  return Effect.try({
    try: (): Run => {
      const code = new Function("erf", "pow", "toIndex", ...parameters, javascript(kernel))
      return (buffers) => code(erf, pow, toIndex, ...[...step.inputs, ...step.outputs].map((b) => buffers[b]))
    },
    catch: (cause) =>
      new DeviceError({
        device: name,
        action: "compile",
        kernel: kernel.name,
        reason: "the page's policy forbids code made at run time; allow 'unsafe-eval' or take another device",
        cause,
      }),
  })
}

/**
 * The device that interprets: one thread, float64 arithmetic, float32 at every store. Its code is made with
 * `new Function`, so it needs a page that allows that.
 */
export const layer: Layer.Layer<Device> = Layer.sync(Device, () => {
  const handles = makeHandles<Float32Array>(name)

  const compile = (plan: Plan) =>
    handles.counted(
      Effect.gen(function* () {
        const steps = yield* Effect.forEach(plan.steps, compileStep)
        const own = plan.buffers.map((b) =>
          b.role._tag === "State"
            ? undefined
            : b.role._tag === "Constant"
              ? Float32Array.from(b.role.data)
              : new Float32Array(elements(b.shape)),
        )
        const bytes = own.reduce((n, b) => n + (b?.byteLength ?? 0), 0)
        const outputs = Array.from({ length: slotCount(plan, "Output") }, (_, slot) =>
          plan.buffers.findIndex((b) => b.role._tag === "Output" && b.role.slot === slot),
        )
        const run: Executable["run"] = (inputs, state) =>
          Effect.suspend(() => {
            const error = checkRun(name, plan, inputs, state, handles.unusable)
            if (error !== undefined) return Effect.fail(error)
            const array = (given: Float32Array | (typeof state)[number] | undefined) =>
              given === undefined || given instanceof Float32Array ? given : handles.storageUnsafe(given)
            const buffers = plan.buffers.map((b, i) => {
              if (b.role._tag === "State") return array(state[b.role.slot]) ?? new Float32Array(0)
              // an input is a copy, so that no kernel can write into the caller's array
              if (b.role._tag === "Input") own[i]?.set(array(inputs[b.role.slot]) ?? [])
              return own[i] ?? new Float32Array(0)
            })
            for (const step of steps) step(buffers)
            return Effect.succeed(outputs.map((i) => Float32Array.from(buffers[i] ?? [])))
          })
        return { bytes, value: { run, bytes }, release: () => {} }
      }),
    )

  return Device.of({
    info: {
      name,
      description: "plain JavaScript in float64, one thread: slow and obvious",
      threads: 1,
      backend: "javascript",
    },
    compile,
    allocate: (shape) =>
      handles.allocate(
        shape,
        (bytes) => new Float32Array(bytes / 4),
        () => {},
      ),
    write: (buffer, data) =>
      Effect.flatMap(handles.storage(buffer, "write"), (storage) => {
        if (data.length !== storage.length) {
          const reason = `${data.length} elements do not fill a buffer of shape [${buffer.shape}]`
          return Effect.fail(new DeviceError({ device: name, action: "write", reason }))
        }
        return Effect.sync(() => storage.set(data))
      }),
    read: (buffer) => Effect.map(handles.storage(buffer, "read"), (storage) => Float32Array.from(storage)),
    live: handles.live,
  })
})
