/** A training loop of one's own, from the parts that `Train.fit` is made of, as a user would write it. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Device, HostTensor, Nn, Ops, Optim, Program, State, Tensor, Wasm } from "../../src/index.ts"

const net = Nn.sequential(Nn.input("N", 1, 6, 6), Nn.flatten(), ["fc1", Nn.linear(36, 16)], Nn.relu(), [
  "fc2",
  Nn.linear(16, 3),
])
const adam = Optim.adam({ lr: 0.01 })

const program = Effect.gen(function* () {
  const { train } = yield* Data.synthetic({ seed: 3, shape: [1, 6, 6], classes: 3, train: 96, noise: 0.05 })
  const params = Nn.init(net, { seed: 1 })
  let state = yield* State.make({ params, slots: Optim.init(adam, params) })
  const step = yield* Program.compile(
    { state, x: Tensor.input("N", 1, 6, 6), y: Tensor.labels("N"), scalars: adam.spec },
    ({ state: { params, slots }, x, y, scalars }) => {
      const loss = Ops.crossEntropy(Nn.apply(net, params, x, { training: true }), y)
      const gradients = Ops.grad(loss, params)
      return { state: Optim.update(adam, { params, gradients, slots, scalars }), loss }
    },
  )
  const losses: Array<number> = []
  for (let epoch = 1; epoch <= 8; epoch++) {
    yield* Stream.runForEach(train.pipe(Data.shuffle, Data.batch(32)).epoch({ seed: 1, epoch }), (batch) =>
      Effect.gen(function* () {
        const x = HostTensor.make([batch.rows, 1, 6, 6], batch.images)
        const y = HostTensor.make([batch.rows], batch.labels)
        const next = yield* step.run({ state, x, y, scalars: adam.scalars(losses.length + 1) })
        state = next.state
        losses.push(next.loss)
      }),
    )
  }
  return { losses, trained: (yield* State.read(state)).params }
})

it.live("trains, and leaves nothing behind", () =>
  Effect.gen(function* () {
    const { losses, trained } = yield* Effect.scoped(program)
    assert.strictEqual(losses.length, 24)
    assert.isBelow(
      losses.slice(-3).reduce((a, b) => a + b),
      losses.slice(0, 3).reduce((a, b) => a + b) * 0.8,
    )
    assert.deepStrictEqual(trained["fc2.weight"].shape, [3, 16])
    const live = yield* (yield* Device).live
    assert.strictEqual(live.handles, 0)
  }).pipe(Effect.provide(Wasm.layer({ threads: 2 }))),
)
