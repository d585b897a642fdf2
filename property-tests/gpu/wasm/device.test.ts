import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Contraction from "../../../src/gpu/Contraction.ts"
import { Device, type DeviceBuffer, type DeviceError } from "../../../src/gpu/Device.ts"
import * as K from "../../../src/gpu/Kernel.ts"
import { elements, type Plan } from "../../../src/gpu/Plan.ts"
import * as Reference from "../../../src/gpu/reference/Reference.ts"
import * as Wasm from "../../../src/gpu/wasm/Wasm.ts"
import { runKernel } from "../runKernel.ts"

const runtimes = {
  reference: ManagedRuntime.make(Reference.layer),
  "two threads": ManagedRuntime.make(Wasm.layer({ threads: 2 })),
  "one thread": ManagedRuntime.make(Wasm.layer({ threads: 1 })),
  "three threads, 128 bits": ManagedRuntime.make(Wasm.layer({ threads: 3, vectorBits: 128 })),
  "a worker's own memory": ManagedRuntime.make(Wasm.layer({ shared: false })),
  "plain contractions": ManagedRuntime.make(Wasm.layer({ threads: 2, plain: true })),
}
type Name = keyof typeof runtimes
const names = Object.keys(runtimes) as ReadonlyArray<Name> // the keys of the record above
afterAll(async () => {
  for (const r of Object.values(runtimes)) await r.dispose()
})

const message = (exit: Exit.Exit<unknown, DeviceError>): string =>
  Exit.isFailure(exit)
    ? exit.cause.reasons.map((r) => (r._tag === "Fail" ? r.error.message : r._tag)).join()
    : "success"

const waves = (n: number, phase: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.7 + phase))

const sameBits = (a: Float32Array | undefined, b: Float32Array | undefined): boolean =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((x, i) => Object.is(x, b[i]))

const n = 70_000
const at = [K.axis(0)]
const [p, m, v, g] = [K.load(0, at), K.load(1, at), K.load(2, at), K.load(3, at)]
const newM = K.add(K.mul(m, 0.9), K.mul(g, 0.1))
const newV = K.add(K.mul(v, 0.99), K.mul(K.mul(g, g), 0.01))
/** an optimiser's update: three states in place, in one pass; and the loss of this step */
const update: Plan = {
  name: "update",
  buffers: [
    { shape: [n], role: { _tag: "State", slot: 0 } },
    { shape: [n], role: { _tag: "State", slot: 1 } },
    { shape: [n], role: { _tag: "State", slot: 2 } },
    { shape: [7, n / 7], role: { _tag: "Input", slot: 0 } },
    { shape: [n], role: { _tag: "Temp" } },
    { shape: [], role: { _tag: "Output", slot: 0 } },
    { shape: [n], role: { _tag: "Constant", data: waves(n, 3) } },
  ],
  steps: [
    {
      code: {
        _tag: "Kernel",
        name: "gradient",
        space: [n],
        inputs: [[n], [n], [n]],
        stores: [K.add(K.sub(K.load(0, at), K.load(1, at)), K.mul(K.load(2, at), 0.01))],
      },
      inputs: [0, 3, 6],
      outputs: [4],
    },
    {
      code: {
        _tag: "Kernel",
        name: "loss",
        space: [],
        inputs: [[n]],
        stores: [K.div(K.sum([{ axis: 64, extent: n }], K.mul(K.load(0, [K.axis(64)]), K.load(0, [K.axis(64)]))), n)],
      },
      inputs: [4],
      outputs: [5],
    },
    {
      code: {
        _tag: "Kernel",
        name: "adam",
        space: [n],
        inputs: [[n], [n], [n], [n]],
        stores: [K.sub(p, K.div(K.mul(newM, 0.1), K.add(K.sqrt(newV), 1e-3))), newM, newV],
      },
      inputs: [0, 1, 2, 4],
      outputs: [0, 1, 2],
    },
  ],
}

const train = (steps: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const device = yield* Device
      const executable = yield* device.compile(update)
      const state = yield* Effect.forEach([0, 1, 2], () => device.allocate([n]))
      yield* device.write(state[0] as DeviceBuffer, waves(n, 0)) // three were allocated
      const uploaded = yield* device.allocate([n])
      yield* device.write(uploaded, waves(n, 1))
      const losses: Array<number> = []
      for (let step = 0; step < steps; step++) {
        // by turns a host array and a buffer uploaded ahead
        const [loss] = yield* executable.run([step % 2 === 0 ? waves(n, 1) : uploaded], state)
        losses.push(loss?.[0] ?? NaN)
      }
      const states = yield* Effect.forEach(state, (s) => device.read(s))
      return { losses, states }
    }),
  )

describe("state in place", () => {
  it("is updated alike on every device, and bit for bit by any number of threads", async () => {
    const expected = await runtimes.reference.runPromise(train(5))
    const first = await runtimes["one thread"].runPromise(train(5))
    assert.isBelow(first.losses[4] ?? NaN, (first.losses[0] ?? NaN) * 0.9)
    for (const name of names) {
      const { losses, states } = await runtimes[name].runPromise(train(5))
      losses.forEach((loss, i) => assert.closeTo(loss, expected.losses[i] ?? NaN, 1e-5))
      if (name === "reference") continue
      assert.deepStrictEqual(losses, first.losses, name)
      states.forEach((s, i) => assert.isTrue(sameBits(s, first.states[i]), name))
    }
  })
})

describe("contractions", () => {
  const lenet: Contraction.Conv2d = {
    _tag: "Conv2d",
    pass: "forward",
    n: 5,
    c: 6,
    h: 14,
    w: 14,
    o: 16,
    oh: 10,
    ow: 10,
    kernel: [5, 5],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
  }
  const conv = (form: Partial<Contraction.Conv2d>): Contraction.Contraction => ({
    _tag: "Contraction",
    name: "convolution",
    form: {
      ...lenet,
      ...form,
    },
    bias: (form.pass ?? "forward") === "forward",
  })
  const strided = { h: 15, w: 11, c: 4, o: 8, kernel: [3, 3], stride: [2, 2], padding: [1, 1], oh: 8, ow: 6 } as const
  const passes = ["forward", "inputGradient", "weightGradient"] as const
  const matmul: Contraction.Contraction = {
    _tag: "Contraction",
    name: "linear",
    form: {
      _tag: "MatMul",
      batch: 1,
      m: 64,
      n: 120,
      k: 400,
      transposeA: false,
      transposeB: true,
      batchedA: false,
      batchedB: false,
    },
    bias: true,
  }
  const all = [
    matmul,
    ...passes.map((pass) => conv({ pass })),
    ...passes.map((pass) => conv({ ...strided, pass })),
    ...passes.map((pass) => conv({ ...strided, pass, groups: 2 })),
    ...passes.map((pass) => conv({ pass, h: 4, w: 4, oh: 2, ow: 2, kernel: [3, 3], n: 1, c: 1, o: 1 })),
  ]
  it.each(all)("$form.pass $name: tuned, plain and interpreted agree; threads do not change a bit", async (c) => {
    const inputs = Contraction.inputShapes(c).map((s, i) => waves(elements(s), i))
    const [expected] = await runtimes.reference.runPromise(runKernel(c, inputs))
    const results = new Map<Name, Float32Array>()
    for (const name of names) {
      const [y] = await runtimes[name].runPromise(runKernel(c, inputs))
      results.set(name, y ?? new Float32Array(0))
      assert.strictEqual(y?.length, expected?.length)
      y?.forEach((value, i) => {
        const exact = expected?.[i] ?? NaN
        if (!(Math.abs(value - exact) <= 2e-5 * Math.max(1, Math.abs(exact))))
          assert.fail(`${name}: ${value} for ${exact} at ${i}`)
      })
    }
    const one = results.get("one thread")
    for (const name of ["two threads", "three threads, 128 bits", "a worker's own memory"] as const)
      assert.isTrue(sameBits(one, results.get(name)), name)
  })
})

describe("handles", () => {
  const use = Effect.gen(function* () {
    const device = yield* Device
    const executable = yield* device.compile(update)
    const state = yield* Effect.forEach([0, 1, 2], () => device.allocate([n]))
    yield* executable.run([waves(n, 1)], state)
    return state
  })
  const live = Effect.flatMap(Device, (device) => device.live)

  it.each(names)("are counted exactly, and none is left after success, failure or defect: %s", async (name) => {
    await runtimes[name].runPromise(
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const device = yield* Device
            const executable = yield* device.compile(update)
            yield* device.allocate([10, 10])
            assert.deepStrictEqual(yield* device.live, { handles: 2, bytes: executable.bytes + 400 })
          }),
        )
        assert.deepStrictEqual(yield* live, { handles: 0, bytes: 0 })
        yield* Effect.exit(Effect.scoped(Effect.andThen(use, Effect.fail("no"))))
        yield* Effect.exit(Effect.scoped(Effect.andThen(use, Effect.die("no"))))
        yield* Effect.exit(Effect.scoped(Effect.andThen(use, Effect.never)).pipe(Effect.timeout("20 millis")))
        assert.deepStrictEqual(yield* live, { handles: 0, bytes: 0 })
      }),
    )
  })

  it.each(names)("are all released when interrupted at any point: %s", async (name) => {
    await runtimes[name].runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < 30; i++) {
          const fiber = yield* Effect.forkChild(Effect.scoped(Effect.forever(Effect.scoped(use))))
          yield* Effect.sleep(((i * 7) % 13) * 1.3)
          yield* Fiber.interrupt(fiber)
          assert.deepStrictEqual(yield* live, { handles: 0, bytes: 0 })
        }
        // and the device still works
        const { losses } = yield* train(1)
        assert.isTrue(Number.isFinite(losses[0]))
      }),
    )
  })

  it.each(names)("run one at a time, whoever asks: %s", async (name) => {
    const alone = await runtimes[name].runPromise(train(3))
    const together = await runtimes[name].runPromise(
      Effect.all([train(3), train(3), train(3)], { concurrency: "unbounded" }),
    )
    for (const { losses } of together) assert.deepStrictEqual(losses, alone.losses)
  })

  it.each(names)("are refused when released, foreign, or of a wrong size: %s", async (name) => {
    await runtimes[name].runPromise(
      Effect.gen(function* () {
        const device = yield* Device
        const gone = yield* Effect.scoped(device.allocate([n]))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const executable = yield* device.compile(update)
            const state = yield* Effect.forEach([0, 1], () => device.allocate([n]))
            const short = yield* device.allocate([3])
            const run = (x: Float32Array, third: DeviceBuffer | undefined) =>
              Effect.map(Effect.exit(executable.run([x], third === undefined ? state : [...state, third])), message)
            assert.include(yield* run(waves(n, 0), gone), "state 2 is a buffer that has been released")
            assert.include(yield* run(waves(n, 0), undefined), "state 2 of shape [70000] is missing")
            assert.include(yield* run(waves(n, 0), short), "state 2 has 3 elements")
            assert.include(yield* run(waves(5, 0), gone), "input 0 has 5 elements but its shape [7,10000] needs 70000")
            assert.include(message(yield* Effect.exit(device.read(gone))), "released")
            assert.include(message(yield* Effect.exit(device.write(short, waves(4, 0)))), "4 elements do not fill")
            const foreign: DeviceBuffer = { _tag: "DeviceBuffer", shape: [n], bytes: 4 * n }
            assert.include(yield* run(waves(n, 0), foreign), "another device")
            assert.include(
              message(yield* Effect.exit(Effect.scoped(device.allocate([2, -1])))),
              "[2,-1] is not a shape",
            )
            assert.deepStrictEqual([...(yield* device.read(short))], [0, 0, 0])
          }),
        )
      }),
    )
  })

  it("give memory filled with zeros, also where something lay before", async () => {
    for (const name of ["two threads", "a worker's own memory"] as const)
      await runtimes[name].runPromise(
        Effect.gen(function* () {
          const device = yield* Device
          for (let i = 0; i < 3; i++)
            yield* Effect.scoped(
              Effect.gen(function* () {
                const buffer = yield* device.allocate([1000])
                assert.isTrue((yield* device.read(buffer)).every((x) => x === 0))
                yield* device.write(buffer, waves(1000, 1))
              }),
            )
        }),
      )
  })

  it("a plan that cannot fit fails with the bytes it needs, and leaves nothing", async () => {
    const huge: Plan = {
      name: "huge",
      buffers: [0, 1, 2].map(() => ({ shape: [600_000_000], role: { _tag: "Temp" } })),
      steps: [0, 1].map((i) => ({
        code: {
          _tag: "Kernel",
          name: "copy",
          space: [600_000_000],
          inputs: [[600_000_000]],
          // backwards, so that no copy takes the place of the one before
          stores: [K.load(0, [K.isub(599_999_999, K.axis(0))])],
        },
        inputs: [i],
        outputs: [i + 1],
      })),
    }
    await runtimes["two threads"].runPromise(
      Effect.gen(function* () {
        const device = yield* Device
        const text = message(yield* Effect.exit(Effect.scoped(device.compile(huge))))
        assert.match(text, /plan huge needs 4800000000 bytes but \d+ are left/)
        assert.deepStrictEqual(yield* device.live, { handles: 0, bytes: 0 })
      }),
    )
  })
})

describe("workers", () => {
  it("that cannot be started as asked are a typed failure", async () => {
    const exit = await Effect.runPromiseExit(Effect.scoped(Effect.provide(Device, Wasm.layer({ threads: 0 }))))
    assert.include(message(exit), "wasm could not start: 0 is not a number of threads")
  })
})
