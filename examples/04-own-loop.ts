/** One step past 03: no `Train.fit`. A program is compiled once and run for each batch, by a loop of one's own. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, HostTensor, Nn, Ops, Optim, Program, State, Tensor } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

const net = Nn.lenet()
const sgd = Optim.sgd({ lr: 0.05, momentum: 0.9 })

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train } = limited(yield* Data.mnist(), { ...budget, limit: Math.min(budget.limit ?? Infinity, 12_800) })
    const params = Nn.init(net, { seed: 1 })
    let state = yield* State.make({ params, slots: Optim.init(sgd, params) })
    const step = yield* Program.compile(
      { state, x: Tensor.input("N", 1, 28, 28), y: Tensor.labels("N"), scalars: sgd.spec },
      ({ state: { params, slots }, x, y, scalars }) => {
        const loss = Ops.crossEntropy(Nn.apply(net, params, x, { training: true }), y)
        return { state: Optim.update(sgd, { params, gradients: Ops.grad(loss, params), slots, scalars }), loss }
      },
    )
    const losses: Array<number> = []
    const batches = train.pipe(Data.shuffle, Data.batch(64)).epoch({ seed: 1, epoch: 1 })
    yield* Stream.runForEach(batches, (batch) =>
      Effect.gen(function* () {
        const x = HostTensor.make([batch.rows, 1, 28, 28], batch.images)
        const y = HostTensor.make([batch.rows], batch.labels)
        // the step takes the state and gives the next: the old handle is stale from then on
        const next = yield* step.run({ state, x, y, scalars: sgd.scalars(losses.length + 1) })
        state = next.state
        losses.push(next.loss)
        if (losses.length % 50 === 0) console.log(`step ${losses.length}, loss ${next.loss.toFixed(4)}`)
        // lets timers and Ctrl-C through
        yield* Effect.yieldNow
      }),
    )
    return losses
  }).pipe(Effect.scoped)
