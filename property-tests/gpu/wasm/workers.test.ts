/** Workers and the host beside them: who runs what, what goes wrong, and what is left when nothing is to be done. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import threads, { type Worker } from "node:worker_threads"
import {
  encode,
  f32,
  forRange,
  func,
  i32,
  increase,
  set,
  unreachable,
  whileLoop,
} from "../../../src/gpu/wasm/Assembler.ts"
import { startWorkers, type WorkerPhase, type Workers } from "../../../src/gpu/wasm/workers.ts"

const trap = func("trap", { from: "i32", to: "i32" }, "void", () => [unreachable])
const fine = func("fine", { from: "i32", to: "i32" }, "void", () => [])
/** adds one to each of the floats from `from` to `to`, at an address */
const count = func("count", { from: "i32", to: "i32", at: "i32" }, "void", (p, local) => {
  const [i, x] = [local("i32"), local("i32")]
  return [
    set(x, i32.add(p.at, i32.shl(p.from, 2))),
    forRange(i, p.from, p.to, 1, () => [f32.store(x, f32.add(f32.load(x), 1)), increase(x, 4)]),
  ]
})
/** goes on until the word at an address is no longer zero */
const wait = func("wait", { from: "i32", to: "i32", at: "i32" }, "void", (p) => [
  whileLoop(i32.eqz(i32.load(p.at)), () => []),
])

const phase = (step: number, fn: string, alone: boolean, args: ReadonlyArray<number> = []): WorkerPhase => ({
  step,
  alone,
  barrier: true,
  calls: [{ module: 1, fn, args, units: 6 }],
})

const started = (options: Parameters<typeof startWorkers>[1], schedules: ReadonlyArray<ReadonlyArray<WorkerPhase>>) =>
  Effect.gen(function* () {
    const workers = yield* startWorkers("wasm", options)
    const memory = { minimum: 1, maximum: 65536, shared: options.shared, address: "i32" } as const
    const exports = [trap, fine, count, wait]
    const module = yield* Effect.promise(() => WebAssembly.compile(encode({ memory, exports })))
    workers.tell({ type: "module", id: 1, module })
    schedules.forEach((phases, id) => workers.tell({ type: "schedule", id, phases }))
    return workers
  })

/** who takes part: workers only, the host too, by messages only, one worker with a memory of its own */
const ways = [
  { name: "workers", options: { threads: 3, shared: true }, join: false },
  { name: "the host and workers", options: { threads: 3, shared: true }, join: true },
  { name: "the host alone", options: { threads: 1, shared: true }, join: true },
  { name: "workers without parking", options: { threads: 3, shared: true, park: false }, join: true },
  { name: "a worker with its own memory", options: { threads: 3, shared: false }, join: true },
] as const

describe.each(ways)("runs by $name", ({ options, join }) => {
  it("report a trap as the failure of its step, and go on", () =>
    Effect.gen(function* () {
      const good = [phase(0, "fine", false), phase(1, "fine", true), phase(2, "fine", true), phase(3, "fine", false)]
      const bad = good.map((x) => (x.step === 1 ? phase(1, "trap", true) : x))
      const worse = good.map((x) => (x.step === 3 ? phase(3, "trap", false) : x))
      const workers = yield* started(options, [good, bad, worse])
      for (let i = 0; i < 20; i++) {
        assert.isUndefined(yield* workers.run(0, join))
        assert.strictEqual((yield* workers.run(1, join))?.step, 1)
        assert.strictEqual((yield* workers.run(2, join))?.step, 3)
      }
    }).pipe(Effect.scoped, Effect.runPromise))

  it("of a schedule that cannot be are a failure, or the end of the workers, and never a wait for ever", () =>
    Effect.gen(function* () {
      const workers = yield* started(options, [[phase(0, "fine", false), phase(1, "missing", false)]])
      const first = yield* Effect.exit(workers.run(0, join))
      const refused = Exit.isFailure(first) || first.value?.step === 1
      assert.isTrue(refused, "the first run")
      // a broken worker stays broken
      if (Exit.isFailure(first)) assert.isTrue(Exit.isFailure(yield* Effect.exit(workers.run(0, join))))
    }).pipe(Effect.scoped, Effect.runPromise))

  it("do every unit once, among messages and changes of who takes part", () =>
    Effect.gen(function* () {
      const address = 65536
      const shared = [phase(0, "count", false, [address]), phase(1, "count", false, [address])]
      const alone = [{ ...phase(0, "count", true, [address]), barrier: false }]
      const workers = yield* started(options, [shared, alone])
      workers.grow(4)
      workers.zero(address, 24)
      let expected = 0
      for (let i = 0; i < 1500; i++) {
        const id = i % 3 === 0 ? 1 : 0
        assert.isUndefined(yield* workers.run(id, i % 5 === 0 ? !join : join))
        expected += id === 0 ? 2 : 1
        // a schedule dropped and told anew, a pause now and then
        if (i % 7 === 0) {
          workers.tell({ type: "dropSchedule", id: 1 })
          workers.tell({ type: "schedule", id: 1, phases: alone })
        }
        if (i % 50 === 0) yield* Effect.sleep(5)
      }
      assert.deepStrictEqual([...(yield* workers.read(address, 7))], [...Array.from({ length: 6 }, () => expected), 0])
    }).pipe(Effect.scoped, Effect.runPromise))
})

describe("the death of a worker", () => {
  const watched = <A>(use: (workers: Array<Worker>) => Promise<A>): Promise<A> => {
    const made: Array<Worker> = []
    const { Worker } = threads
    threads.Worker = class extends Worker {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given)
        made.push(this)
      }
    }
    return use(made).finally(() => {
      threads.Worker = Worker
    })
  }
  const reason = (exit: Exit.Exit<unknown, string>): string =>
    Exit.isFailure(exit) ? exit.cause.reasons.map((r) => (r._tag === "Fail" ? r.error : r._tag)).join() : "success"

  const flag = 65536
  it.each([
    ["while the workers compute", false, "wait"],
    ["while the host waits for it", true, "wait"],
    ["before a run", false, "fine"],
    ["before a run with the host", true, "fine"],
  ])("is the failure of the run and of all later ones: %s", (_, join, fn) =>
    watched((made) =>
      Effect.gen(function* () {
        // the first part is done at once, and the last never
        const stuck = { ...phase(0, fn, false, [flag]), calls: [{ module: 1, fn, args: [flag], units: 1 }] }
        const workers: Workers = yield* started({ threads: 2, shared: true }, [[stuck, phase(1, "fine", false)]])
        workers.grow(4)
        workers.zero(flag, 4)
        const kill = Effect.promise(() => made[1]?.terminate() ?? Promise.resolve(0))
        if (fn === "fine") yield* kill
        else yield* Effect.forkChild(Effect.delay(kill, 60))
        assert.include(reason(yield* Effect.exit(workers.run(0, join))), "a worker ended with code 1")
        assert.include(reason(yield* Effect.exit(workers.run(0, join))), "a worker ended with code 1")
      }).pipe(Effect.scoped, Effect.runPromise),
    ),
  )
})

describe("a process with a device", () => {
  const run = (body: string) =>
    promisify(execFile)(
      process.execPath,
      [
        "--input-type=module-typescript",
        "-e",
        `import * as Effect from "effect/Effect"
         import * as Layer from "effect/Layer"
         import * as Scope from "effect/Scope"
         import { HostTensor, Ops, Program, Tensor, Wasm } from "./src/index.ts"
         const scope = Effect.runSync(Scope.make())
         const device = await Effect.runPromise(Scope.provide(Layer.build(Wasm.layer({ threads: 2 })), scope))
         const run = (effect) => Effect.runPromise(Scope.provide(Effect.provide(effect, device), scope))
         const x = HostTensor.make([64, 64], new Float32Array(4096).fill(0.01))
         const step = await run(Program.compile({ x: Tensor.input(64, 64) }, ({ x }) => ({ y: Ops.matmul(x, Ops.matmul(x, x)) })))
         const steps = (n) => run(Effect.gen(function*() { for (let i = 0; i < n; i++) yield* step.run({ x }) }))
         ${body}`,
      ],
      { timeout: 30_000 },
    ).then(({ stdout }) => stdout.trim())

  it("uses no processor while idle, before and after runs, and ends by itself though the device is open", async () => {
    const out = await run(`
      const idle = async () => {
        await new Promise((done) => setTimeout(done, 300))
        const before = process.cpuUsage()
        await new Promise((done) => setTimeout(done, 500))
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000 < 100 ? "idle" : "busy " + user + " " + system
      }
      const first = await idle()
      await steps(200)
      console.log(first, await idle())
    `)
    assert.strictEqual(out, "idle idle")
  })

  it("goes on with everything else while short runs follow each other", async () => {
    const out = await run(`
      await steps(20)
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      const end = performance.now() + 500
      await run(Effect.gen(function*() { while (performance.now() < end) yield* step.run({ x }) }))
      clearInterval(timer)
      console.log(ticks >= 5 ? "alive" : "starved " + ticks)
    `)
    assert.strictEqual(out, "alive")
  })
})
