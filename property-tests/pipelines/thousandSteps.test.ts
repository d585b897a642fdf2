/** A long run holds at its end what it held near its beginning: on the device, in JavaScript's heap and outside of it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { vi } from "vitest"
import {
  Data,
  Device,
  deviceLayer,
  type DeviceName,
  Evaluate,
  HostTensor,
  Loss,
  Nn,
  Ops,
  Optim,
  Program,
  State,
  Tensor,
  Train,
} from "../../src/index.ts"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")
/** every memory that a device makes */
const memories = vi.spyOn(WebAssembly, "Memory")

/** what is held once all garbage is gone; finalisers run between two collections */
const held = Effect.gen(function* () {
  for (let i = 0; i < 3; i++) {
    collect()
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  const { external, arrayBuffers } = process.memoryUsage()
  // without the machine code of what has become hot by now
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !/code|trusted/.test(space_name))
  const heap = spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0)
  const wasm = memories.mock.results.map(({ value }) => (value as WebAssembly.Memory).buffer.byteLength)
  return { device: { ...(yield* (yield* Device).live) }, wasm, heap, external, arrayBuffers }
})
type Held = Effect.Success<typeof held>

const batchSize = 8
const { train: samples, test } = Effect.runSync(
  Data.synthetic({ seed: 3, shape: [1, 8, 8], classes: 3, train: 50 * batchSize, test: 16 }),
)
const batches = samples.pipe(Data.shuffle, Data.batch(batchSize), Data.prefetch(2))
const net = Nn.sequential(
  Nn.input("N", 1, 8, 8),
  ["conv", Nn.conv2d(1, 2, { kernelSize: 3 })],
  Nn.relu(),
  Nn.maxPool2d({ kernelSize: 2 }),
  Nn.flatten(),
  ["fc", Nn.linear(18, 3)],
)
const adam = Optim.adam({ lr: 0.01 })
const epochs = 24
const isLookedAt = (step: number) => step % 200 === 0

/** with all that goes on beside the steps of a run */
const fitted = Effect.gen(function* () {
  const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
  const seen: Array<Held> = []
  const events = Train.fit({ model: net, loss: Loss.crossEntropy(), optimizer: adam, data: batches, epochs })
  yield* events.pipe(
    Train.evaluateEvery("70 steps", test, Evaluate.accuracy),
    Train.checkpoint(folder, { every: "90 steps", keep: 2 }),
    Train.log(`${folder}/log.jsonl`),
    Train.on("Step", (e) => (isLookedAt(e.totalSteps) ? Effect.map(held, (now) => void seen.push(now)) : Effect.void)),
    Stream.runDrain,
  )
  return seen
})

/** a loop of one's own */
const looped = Effect.gen(function* () {
  const params = Nn.init(net, { seed: 1 })
  let state = yield* State.make({ params, slots: Optim.init(adam, params) })
  const step = yield* Program.compile(
    { state, x: Tensor.input("N", 1, 8, 8), y: Tensor.labels("N"), scalars: adam.spec },
    ({ state: { params, slots }, x, y, scalars }) => {
      const loss = Ops.crossEntropy(Nn.apply(net, params, x, { training: true }), y)
      return { state: Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars }), loss }
    },
  )
  const seen: Array<Held> = []
  let done = 0
  for (let epoch = 1; epoch <= epochs; epoch++) {
    yield* Stream.runForEach(batches.epoch({ seed: 1, epoch }), (batch) =>
      Effect.gen(function* () {
        const x = HostTensor.make([batch.rows, 1, 8, 8], batch.images)
        const y = HostTensor.make([batch.rows], batch.labels)
        const next = yield* step.run({ state, x, y, scalars: adam.scalars(++done) })
        state = next.state
        if (isLookedAt(done)) seen.push(yield* held)
      }),
    )
  }
  return seen
})

const KiB = 1024

describe.each<DeviceName>(["wasm", "gpujs-cpu"])("a thousand steps at constant batch on %s", (name) => {
  const device = deviceLayer(name, name === "wasm" ? { threads: 2 } : {})
  for (const [what, steps] of [
    ["of Train.fit", fitted],
    ["of a loop of one's own", looped],
  ] as const) {
    it.live(`${what} grow neither the heap nor the device's bytes`, () =>
      steps.pipe(
        Effect.map((seen) => {
          const [first, middle, last] = [seen[0]!, seen[2]!, seen[5]!]
          assert.strictEqual(seen.length, 6)
          assert.isAbove(first.device.bytes, 0)
          assert.strictEqual(first.wasm.length > 0, name === "wasm")
          for (const { device, wasm } of seen)
            assert.deepStrictEqual({ device, wasm }, { device: first.device, wasm: first.wasm })
          // a batch is 2 KiB: one kept in 50 steps shows
          assert.isBelow(last.arrayBuffers - first.arrayBuffers, 16 * KiB)
          assert.isBelow(last.external - first.external, 32 * KiB)
          // what the engine learns of hot functions levels off; 110 bytes a step for ever would not
          assert.isBelow(last.heap - first.heap, 384 * KiB)
          assert.isBelow(last.heap - middle.heap, 64 * KiB)
        }),
        Effect.scoped,
        Effect.provide(Layer.merge(device, NodeServices.layer)),
      ),
    )
  }
})
