/** A training loop of one's own, from `Program.compile`. */
import { Data, HostTensor, Nn, Ops, Optim, Program, State, Tensor } from "effect-nn"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const net = Nn.sequential(
  Nn.input("N", 1, 6, 6),
  ["conv1", Nn.conv2d(1, 4, { kernelSize: 3, padding: 1 })],
  Nn.relu(),
  Nn.maxPool2d({ kernelSize: 2 }),
  Nn.flatten(),
  ["fc1", Nn.linear(36, 3)],
)
const adam = Optim.adam({ lr: 0.01 })

/** the losses of twenty steps; `after` is told each of them, and may fail */
export const ownLoop = Effect.fnUntraced(function* <E>(after: (step: number) => Effect.Effect<void, E>) {
  const { train } = yield* Data.synthetic({ seed: 3, shape: [1, 6, 6], classes: 3, train: 160, noise: 0.05 })
  const params = Nn.init(net, { seed: 1 })
  let state = yield* State.make({ params, slots: Optim.init(adam, params) })
  const step = yield* Program.compile(
    { state, x: Tensor.input("N", 1, 6, 6), y: Tensor.labels("N"), scalars: adam.spec },
    ({ state: { params, slots }, x, y, scalars }) => {
      const loss = Ops.crossEntropy(Nn.apply(net, params, x, { training: true }), y)
      return { state: Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars }), loss }
    },
  )
  const losses: Array<number> = []
  for (let epoch = 1; epoch <= 4; epoch++) {
    yield* Stream.runForEach(train.pipe(Data.shuffle, Data.batch(32)).epoch({ seed: 1, epoch }), (batch) =>
      Effect.gen(function* () {
        const x = HostTensor.make([batch.rows, 1, 6, 6], batch.images)
        const y = HostTensor.make([batch.rows], batch.labels)
        const next = yield* step.run({ state, x, y, scalars: adam.scalars(losses.length + 1) })
        state = next.state
        losses.push(next.loss)
        yield* Effect.yieldNow
        yield* after(losses.length)
      }),
    )
  }
  return losses
}, Effect.scoped)
