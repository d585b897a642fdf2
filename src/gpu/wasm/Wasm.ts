/** The device of every machine: WebAssembly SIMD in workers, over one memory. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { checkRun, slotCount } from "../checkRun.ts"
import { Device, type DeviceBuffer, DeviceError, type DeviceInfo, type Executable } from "../Device.ts"
import { makeHandles } from "../handles.ts"
import { fits } from "../memory.ts"
import { elements, type Plan } from "../Plan.ts"
import { makeHeap } from "./heap.ts"
import { type Engine, type KernelCache, prepare, schedule } from "./prepare.ts"
import { enableRevectorization } from "./revectorize.ts"
import { selectKernels } from "./selectKernels.ts"
import { canShare, processors, startWorkers } from "./workers.ts"

const name = "wasm"

export interface Options {
  /** workers that compute; without it, as many as there are processors, at most 8 */
  readonly threads?: number
  /** `false` keeps the memory in a single worker, as in a page that is not cross-origin isolated */
  readonly shared?: boolean
  /**
   * `auto` (the default) lets V8 fuse vectors into 256 bits where it can (Node only, and for the whole process) and takes the
   * contractions made for that if they are faster here; 128 leaves the engine as it is.
   */
  readonly vectorBits?: "auto" | 128
  /** `true` runs contractions as ordinary kernels: slow, for comparison */
  readonly plain?: boolean
}

/** plans of one device with equal code share it; so many are remembered */
const rememberedModules = 64
/** runs that take less than so many milliseconds are computed in this thread too, if it is not needed beside the workers */
const shortRun = { needed: 2, spare: 8 }
/** after so many milliseconds in this thread it is left to others for a moment */
const politeness = 8
/** the schedules of one plan for different addresses */
const rememberedSchedules = 8

const make = (options: Options) =>
  Effect.gen(function* () {
    const wanted = options.threads ?? Math.min(8, processors())
    if (!Number.isSafeInteger(wanted) || wanted < 1) {
      const reason = `${wanted} is not a number of threads; give a whole number, at least 1`
      return yield* new DeviceError({ device: name, action: "start", reason })
    }
    const auto = (options.vectorBits ?? "auto") === "auto"
    if (auto) enableRevectorization()
    const shared = options.shared !== false && canShare()
    // they start while the kernels are chosen here
    const starting = yield* Effect.forkChild(startWorkers(name, { threads: wanted, shared }), {
      startImmediately: true,
    })
    const select = (ofShared: boolean) =>
      Effect.try({
        try: () => selectKernels({ auto, shared: ofShared }),
        catch: (cause) =>
          new DeviceError({ device: name, action: "start", reason: "this engine has no WebAssembly SIMD", cause }),
      })
    const selected = yield* select(shared)
    const workers = yield* Fiber.join(starting)
    // the engine may have had no memory to share
    const kernels = workers.shared === shared ? selected : yield* select(workers.shared)
    const engine: Engine = {
      threads: workers.threads,
      shared: workers.shared,
      wide: kernels.wide,
      relaxed: kernels.relaxed,
      plain: options.plain === true,
    }
    const handles = makeHandles<number>(name)
    const turn = yield* Semaphore.make(1)
    const heap = makeHeap(workers.maximumPages, workers.grow)
    const cache: KernelCache = new Map()
    const modules = new Map<string, Promise<WebAssembly.Module>>()
    let ids = 0
    // what is freed while a run may still use it waits for the end of the run
    let running = false
    const short = processors() > workers.threads ? shortRun.needed : shortRun.spare
    /** when this thread was last left to others */
    let left = performance.now()
    const afterRun: Array<() => void> = []
    const free = (address: number, bytes: number) =>
      running ? void afterRun.push(() => heap.free(address, bytes)) : heap.free(address, bytes)

    const fail = (action: DeviceError["action"], reason: string, kernel?: string, cause?: unknown) =>
      new DeviceError({ device: name, action, reason, kernel, cause })
    const claim = (what: string, bytes: number): number => {
      const tooLarge = fits(name, what, bytes, heap.available())
      if (tooLarge !== undefined) throw tooLarge
      const address = heap.allocate(bytes)
      if (address === undefined) throw fail("allocate", `the engine gave no memory for the ${bytes} bytes of ${what}`)
      return address
    }

    const common = ids++
    const assemble = (bytes: Uint8Array<ArrayBuffer>, key: string) =>
      Effect.tryPromise({
        try: () => {
          const known = modules.get(key) ?? WebAssembly.compile(bytes)
          modules.delete(key)
          modules.set(key, known)
          const [oldest] = modules.keys()
          if (modules.size > rememberedModules && oldest !== undefined) modules.delete(oldest)
          return known
        },
        catch: (cause) => fail("compile", "the engine refused the module", undefined, cause),
      })
    workers.tell({ type: "module", id: common, module: kernels.module })

    const compile = (plan: Plan) =>
      handles.counted(
        Effect.gen(function* () {
          const prepared = yield* Effect.try({
            try: () => prepare(plan, engine, cache),
            catch: (cause) =>
              fail("compile", `${plan.name} has a kernel that this device cannot express`, undefined, cause),
          })
          const module = prepared.bytes === undefined ? undefined : yield* assemble(prepared.bytes, prepared.key)
          const arena = yield* Effect.try({
            try: () => claim(`plan ${plan.name}`, prepared.arena.bytes),
            catch: (cause) => (cause instanceof DeviceError ? cause : fail("allocate", String(cause))),
          })
          const own = ids++
          if (module !== undefined) workers.tell({ type: "module", id: own, module })
          const placed = prepared.pieces.map((p, i) => (p === undefined ? 0 : arena + (prepared.arena.offsets[i] ?? 0)))
          plan.buffers.forEach((b, i) => {
            if (b.role._tag === "Constant" && b.role.data.length > 0) workers.write(placed[i] ?? 0, b.role.data)
          })
          for (const { words, piece } of prepared.tables) {
            // the same bits as floats: copied, not computed with
            const floats = new Float32Array(words.buffer, words.byteOffset, words.length)
            if (words.length > 0) workers.write(placed[piece] ?? 0, floats)
          }

          const schedules = new Map<string, number>()
          let recent: { readonly addresses: ReadonlyArray<number>; readonly id: number } | undefined
          const scheduleFor = (addresses: ReadonlyArray<number>): number => {
            if (recent?.addresses.every((a, i) => a === addresses[i]) === true) return recent.id
            const key = addresses.join()
            const known = schedules.get(key) ?? ids++
            if (!schedules.has(key))
              workers.tell({ type: "schedule", id: known, phases: schedule(prepared, addresses, { own, common }) })
            schedules.delete(key)
            schedules.set(key, known)
            const [oldest] = schedules
            if (schedules.size > rememberedSchedules && oldest !== undefined) {
              schedules.delete(oldest[0])
              workers.tell({ type: "dropSchedule", id: oldest[1] })
            }
            recent = { addresses, id: known }
            return known
          }
          const outputs = Array.from({ length: slotCount(plan, "Output") }, (_, slot) =>
            plan.buffers.findIndex((b) => b.role._tag === "Output" && b.role.slot === slot),
          )
          const stepName = (step: number): string | undefined => plan.steps[step]?.code.name
          let released = false
          let joins = false

          const runNow = (inputs: ReadonlyArray<Float32Array | DeviceBuffer>, state: ReadonlyArray<DeviceBuffer>) =>
            Effect.gen(function* () {
              if (released) return yield* fail("run", `${plan.name} was compiled in a scope that has closed`)
              const error = checkRun(name, plan, inputs, state, handles.unusable)
              if (error !== undefined) return yield* error
              const addresses = [...placed]
              plan.buffers.forEach((b, i) => {
                const given =
                  b.role._tag === "State"
                    ? state[b.role.slot]
                    : b.role._tag === "Input"
                      ? inputs[b.role.slot]
                      : undefined
                if (given === undefined) return
                if (!(given instanceof Float32Array)) addresses[i] = handles.storageUnsafe(given)
                else if (given.length > 0) workers.write(placed[i] ?? 0, given)
              })
              const id = scheduleFor(addresses)
              const start = performance.now()
              const failure = yield* workers.run(id, joins)
              const end = performance.now()
              if (!joins) left = end
              joins = end - start < (joins ? 2 * short : short)
              if (end - left > politeness) {
                yield* Effect.yieldNow
                left = performance.now()
              }
              if (failure !== undefined) return yield* fail("run", failure.message, stepName(failure.step))
              return yield* Effect.forEach(outputs, (i) =>
                workers.read(addresses[i] ?? 0, elements(plan.buffers[i]?.shape ?? [0])),
              )
            }).pipe(Effect.mapError((e) => (typeof e === "string" ? fail("run", ended(e)) : e)))

          const run: Executable["run"] = (inputs, state) =>
            turn.withPermits(1)(
              Effect.uninterruptible(
                Effect.suspend(() => {
                  running = true
                  return runNow(inputs, state)
                }).pipe(
                  Effect.ensuring(
                    Effect.sync(() => {
                      running = false
                      for (const later of afterRun.splice(0)) later()
                    }),
                  ),
                ),
              ),
            )
          const { bytes } = prepared.arena
          const release = () => {
            released = true
            free(arena, bytes)
            for (const id of schedules.values()) workers.tell({ type: "dropSchedule", id })
            if (module !== undefined) workers.tell({ type: "dropModule", id: own })
          }
          return { bytes, value: { run, bytes }, release }
        }),
      )

    return Device.of({
      info: describe(engine, kernels),
      compile,
      allocate: (shape) =>
        handles.allocate(
          shape,
          (bytes) => {
            const address = claim(`a buffer of shape [${shape}]`, bytes)
            if (bytes > 0) workers.zero(address, bytes)
            return address
          },
          free,
        ),
      write: (buffer, data) =>
        turn.withPermits(1)(
          Effect.flatMap(handles.storage(buffer, "write"), (address) => {
            if (data.length * 4 !== buffer.bytes)
              return Effect.fail(
                fail("write", `${data.length} elements do not fill a buffer of shape [${buffer.shape}]`),
              )
            return Effect.sync(() => workers.write(address, data))
          }),
        ),
      read: (buffer) =>
        turn.withPermits(1)(
          Effect.flatMap(handles.storage(buffer, "read"), (address) =>
            Effect.uninterruptible(workers.read(address, buffer.bytes / 4)).pipe(
              Effect.mapError((reason) => fail("read", ended(reason))),
            ),
          ),
        ),
      live: handles.live,
    })
  })

const ended = (reason: string): string => `its workers have ended (${reason}); make the device anew`

const describe = (engine: Engine, kernels: { readonly wide: boolean; readonly relaxed: boolean }): DeviceInfo => {
  const features = [
    `${engine.threads} ${engine.threads === 1 ? "thread" : "threads"}`,
    kernels.wide ? "256-bit vectors" : "128-bit vectors",
    kernels.relaxed ? "fused multiply-add" : "separate multiply and add",
    engine.shared ? "shared memory" : "memory of one worker",
    ...(engine.plain ? ["no tuned contractions"] : []),
  ]
  return {
    name,
    description: `WebAssembly SIMD, ${features.join(", ")}`,
    threads: engine.threads,
    backend: kernels.relaxed ? "wasm-relaxed-simd" : "wasm-simd",
  }
}

/**
 * The WebAssembly device. Its workers end with the layer's scope; where memory cannot be shared (a page that is not
 * cross-origin isolated) there is one, and the results are the same bits.
 *
 * ```ts
 * program.pipe(Effect.provide(Wasm.layer({ threads: 2 })))
 * ```
 */
export const layer = (options: Options = {}): Layer.Layer<Device, DeviceError> => Layer.effect(Device, make(options))
