/** The device that is gpu.js, in each of its modes. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { checkRun } from "../checkRun.ts"
import type { Contraction } from "../Contraction.ts"
import { Device, type DeviceBuffer, DeviceError, type DeviceInfo, type DeviceShape } from "../Device.ts"
import { makeHandles } from "../handles.ts"
import type { Plan } from "../Plan.ts"
import * as Runner from "../webgpu/Runner.ts"
import { installWebGpu } from "./dawn.ts"
import { type Dialect, dialectOf, type Mode } from "./dialect.ts"
import type { GpuBuffer, GpuContext } from "./gpuTypes.ts"
import { contextOf, type GpuJsKernel, load } from "./internals.ts"
import { lower } from "./lower.ts"
import * as Values from "./values.ts"
import * as WebGpu from "./webgpu.ts"

export type { Mode } from "./dialect.ts"

export interface Options {
  readonly mode: Mode
  /** only gpu.js's kernels, also for contractions; without it, `webgpu` runs contractions on kernels of our own */
  readonly plain?: boolean | undefined
}

/**
 * gpu.js as the device.
 *
 * Fails with `DeviceError` where the mode does not exist here (no adapter, no WebGL, a package that is not installed),
 * and where gpu.js would run in another mode than the one asked for.
 *
 * @example
 * program.pipe(Effect.provide(GpuJs.layer({ mode: "webgpu" })))
 */
export const layer = (options: Options): Layer.Layer<Device, DeviceError> => Layer.effect(Device, make(options))

const attempt = <A>(device: string, action: DeviceError["action"], work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => Values.failure(device, action, undefined, cause) })

const make = Effect.fnUntraced(function* (options: Options) {
  const { mode } = options
  const device = `gpujs-${mode}`
  const dialect = dialectOf(mode)
  if (dialect === undefined) {
    const reason = `gpu.js has no mode ${String(mode)}`
    return yield* new DeviceError({ device, action: "start", reason })
  }
  const session = yield* openSession(device, dialect)
  if (mode === "webgpu") return yield* makeWebGpu(session, options.plain === true)
  // the first kernel shows which backend runs, and in the GL modes outlives all others
  const first = yield* attempt(device, "start", async () => (await probe(session)).kernel)
  return yield* dialect.shader
    ? makeValues(session, Values.textures(session, first), first)
    : makeValues(session, Values.arrays(session), first)
})

/** Loads gpu.js, opens it in the mode asked for, and runs one kernel to see that this is the mode that runs. */
const openSession = Effect.fnUntraced(function* (device: string, dialect: Dialect) {
  const { mode } = dialect
  if (mode === "webgpu") {
    yield* Effect.acquireRelease(
      attempt(device, "start", async () => {
        const installed = await installWebGpu()
        if ("missing" in installed) {
          throw new DeviceError({ device, action: "start", reason: installed.missing })
        }
        return installed
      }),
      ({ remove }) => Effect.sync(remove),
    )
  }
  const session = yield* Effect.acquireRelease(
    attempt(device, "start", async (): Promise<Values.Session> => {
      const library = await load()
      try {
        return { library, instance: new library.GPU({ mode }), dialect, device }
      } catch (cause) {
        const reason = `gpu.js has no ${mode} mode here: ${cause instanceof Error ? cause.message : String(cause)}`
        throw new DeviceError({ device, action: "start", reason: `${reason}; ${advice(mode)}`, cause })
      }
    }),
    ({ instance, library }) =>
      Effect.promise(async () => {
        await instance.destroy().catch(() => {})
        // the device is gpu.js's own, and one for all; whoever comes next opens another
        if (mode === "webgpu") await library.WebGPUContext.destroy().catch(() => {})
      }),
  )
  return session
})

const advice = (mode: Mode): string =>
  mode === "headlessgl"
    ? "install the package gl (npm install gl), which compiles native code"
    : mode === "webgl" || mode === "webgl2"
      ? "WebGL exists in browsers only"
      : "take another device"

const probe = async (session: Values.Session) => {
  const text = { source: "function () {\n  return 1;\n}", arrays: [], scalars: [], output: [1] }
  const kernel = Values.createKernel(session, "probe", text, "Input")
  const result = await kernel()
  Values.assertBackend(session, "probe", kernel)
  return { kernel, result }
}

const shared = (session: Values.Session, backend: string, description: string): DeviceInfo => ({
  name: session.device,
  description,
  threads: 1,
  backend,
})

// ---------- cpu, webasm and the GL modes

const makeValues = Effect.fnUntraced(function* <V>(
  session: Values.Session,
  values: Values.Values<V>,
  first: GpuJsKernel,
) {
  const { device, dialect } = session
  const description = describe(session, first.kernel.context)
  yield* Effect.addFinalizer(() => Effect.sync(values.destroy))
  const handles = makeHandles<{ value: V }>(device)
  const one = yield* Semaphore.make(1)

  const compile: DeviceShape["compile"] = (plan) =>
    handles.counted(
      Effect.map(
        Effect.try({
          try: () => Values.compile(session, values, plan, lowered(session, plan, false)),
          catch: (cause) => Values.failure(device, "compile", undefined, cause),
        }),
        (program) => ({
          bytes: program.bytes,
          release: program.release,
          value: {
            bytes: program.bytes,
            run: (
              inputs: ReadonlyArray<Float32Array | DeviceBuffer>,
              state: ReadonlyArray<DeviceBuffer>,
            ): Effect.Effect<ReadonlyArray<Float32Array>, DeviceError> =>
              Effect.suspend(() => {
                const error = checkRun(device, plan, inputs, state, handles.unusable)
                if (error !== undefined) return Effect.fail(error)
                const given = inputs.map((i): Values.Given<V> =>
                  i instanceof Float32Array
                    ? { _tag: "Host", data: i }
                    : { _tag: "Held", value: handles.storageUnsafe(i).value },
                )
                return Effect.try({
                  try: () => program.run(given, state.map(handles.storageUnsafe)),
                  catch: (cause) => Values.failure(device, "run", undefined, cause),
                })
              }).pipe(one.withPermits(1), Effect.uninterruptible),
          },
        }),
      ),
    )

  return Device.of({
    info: shared(session, dialect.mode, description),
    compile,
    allocate: (shape) =>
      handles.allocate(
        shape,
        (bytes) => ({ value: values.upload(new Float32Array(bytes / 4)) }),
        (storage) => values.release(storage.value),
      ),
    write: (buffer, data) =>
      Effect.flatMap(
        handles.storage(buffer, "write"),
        (storage) =>
          wrongSize(device, buffer, data) ??
          Effect.try({
            try: () => {
              const before = storage.value
              // the upload kernel's result is a texture of its own, since the one before is still held
              storage.value = values.upload(data)
              values.release(before)
            },
            catch: (cause) => Values.failure(device, "write", undefined, cause),
          }),
      ),
    read: (buffer) =>
      Effect.flatMap(handles.storage(buffer, "read"), (storage) =>
        Effect.try({
          try: () => values.read(storage.value, buffer.bytes / 4),
          catch: (cause) => Values.failure(device, "read", undefined, cause),
        }),
      ),
    live: handles.live,
  })
})

const wrongSize = (device: string, buffer: DeviceBuffer, data: Float32Array) => {
  if (data.length * 4 === buffer.bytes) return undefined
  const reason = `${data.length} elements do not fill a buffer of shape [${buffer.shape}]`
  return Effect.fail(new DeviceError({ device, action: "write", reason }))
}

const lowered = (session: Values.Session, plan: Plan, tuned: boolean) => {
  const result = lower(plan, session.dialect, tuned)
  if (!("_tag" in result)) return result
  throw new DeviceError({ device: session.device, action: "compile", kernel: result.kernel, reason: result.reason })
}

interface GlContext {
  getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number } | null
  getParameter(name: number): unknown
}

const describe = (session: Values.Session, context: unknown): string => {
  const { mode } = session.dialect
  if (mode === "cpu") return "gpu.js cpu: JavaScript in float64, one thread"
  if (mode === "webasm")
    return "gpu.js webasm: WebAssembly in float32, 128-bit vectors where it finds a use, one thread"
  const gl = context as GlContext // gpu.js keeps the context its kernels draw with in this field
  const renderer = gl.getParameter(gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? 0x1f01)
  return `gpu.js ${mode}: ${String(renderer)}`
}

// ---------- webgpu

const makeWebGpu = Effect.fnUntraced(function* (opened: Values.Session, plain: boolean) {
  const { device } = opened
  const context = yield* attempt(device, "start", async () => {
    const { kernel } = await probe(opened).catch((cause: unknown) => {
      if (!(cause instanceof Error) || !cause.message.includes("no adapter")) throw cause
      const reason =
        "WebGPU finds no adapter here; install a GPU driver (in Node, a Vulkan driver that VK_ICD_FILENAMES can name), " +
        "or take another device"
      throw new DeviceError({ device, action: "start", reason, cause })
    })
    const found = contextOf(kernel) as GpuContext // what gpu.js's own context module gives its kernels
    kernel.destroy()
    return found
  })
  const pipelines: Runner.Pipelines = new Map()
  const services = yield* Effect.context<never>()
  const tuned = plain
    ? undefined
    : (c: Contraction) => Effect.runPromiseWith(services)(Runner.kernel(context.device, c, pipelines))
  const session: WebGpu.WebGpuSession = { ...opened, context, tuned }
  const handles = makeHandles<GpuBuffer>(device)
  const one = yield* Semaphore.make(1)
  const info = context.adapter.info ?? {}
  const adapter = [info.description, info.architecture, info.device, info.vendor].find(
    (s) => s !== undefined && s !== "",
  )
  const contractions = tuned === undefined ? "gpu.js kernels only" : "contractions on kernels of our own"
  const software =
    info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(`${info.architecture} ${info.description}`)
  const description = `gpu.js webgpu: ${adapter ?? "unknown adapter"}${software ? " (software)" : ""}, ${contractions}`

  const compile: DeviceShape["compile"] = (plan) =>
    handles.counted(
      Effect.map(
        Effect.uninterruptible(
          attempt(device, "compile", () => WebGpu.compile(session, plan, lowered(session, plan, tuned !== undefined))),
        ),
        (program) => ({
          bytes: program.bytes,
          release: program.release,
          value: {
            bytes: program.bytes,
            run: (
              inputs: ReadonlyArray<Float32Array | DeviceBuffer>,
              state: ReadonlyArray<DeviceBuffer>,
            ): Effect.Effect<ReadonlyArray<Float32Array>, DeviceError> =>
              Effect.suspend(() => {
                const error = checkRun(device, plan, inputs, state, handles.unusable)
                if (error !== undefined) return Effect.fail(error)
                const given = inputs.map((i): Values.Given<GpuBuffer> =>
                  i instanceof Float32Array
                    ? { _tag: "Host", data: i }
                    : { _tag: "Held", value: handles.storageUnsafe(i) },
                )
                return attempt(device, "run", () => program.run(given, state.map(handles.storageUnsafe)))
              }).pipe(one.withPermits(1), Effect.uninterruptible),
          },
        }),
      ),
    )

  return Device.of({
    info: shared(session, "webgpu", description),
    compile,
    allocate: (shape) =>
      handles.allocate(
        shape,
        (bytes) => WebGpu.createBuffer(session, bytes),
        (storage) => storage.destroy(),
      ),
    write: (buffer, data) =>
      Effect.flatMap(
        handles.storage(buffer, "write"),
        (storage) =>
          wrongSize(device, buffer, data) ??
          attempt(device, "write", () =>
            WebGpu.checked(session, "write", undefined, async () => {
              if (data.length > 0) context.device.queue.writeBuffer(storage, 0, data)
            }),
          ),
      ),
    read: (buffer) =>
      Effect.flatMap(handles.storage(buffer, "read"), (storage) =>
        attempt(device, "read", async () => {
          const staging = WebGpu.createStaging(session, buffer.bytes)
          try {
            const [data] = await WebGpu.checked(session, "read", undefined, () =>
              WebGpu.read(session, [[storage, buffer.bytes]], staging),
            )
            return data ?? new Float32Array(0)
          } finally {
            staging.destroy()
          }
        }),
      ).pipe(Effect.uninterruptible),
    live: handles.live,
  })
})
