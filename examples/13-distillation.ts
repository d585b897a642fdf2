/**
 * One step past 12: two networks in one program. The LeNet of 02 is the teacher of a smaller network, which is told how
 * probable the teacher finds each class, beside the label (Hinton, Vinyals and Dean, 2015), and so learns more from few
 * pictures. Needs the run of 02: `node examples/main.ts 02`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Evaluate, HostTensor, Nn, Ops, Optim, Program, State, Tensor, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

export const teacher = Nn.lenet()
export const student = Nn.sequential(Nn.input("N", 1, 28, 28), Nn.flatten(), ["fc1", Nn.linear(784, 32)], Nn.relu(), [
  "fc2",
  Nn.linear(32, 10),
])
const adam = Optim.adam()

/** The student after its epochs, and the mean loss of each; `share` is what the teacher's word counts in it, from 0 to 1. */
export const study = (options: {
  readonly known: Nn.HostStateDict<typeof teacher>
  readonly data: Data.Dataset<readonly [1, 28, 28]>
  readonly share: number
  readonly temperature: number
  readonly epochs: number
}) =>
  Effect.gen(function* () {
    const { known, data, share, temperature, epochs } = options
    const params = Nn.init(student, { seed: 1 })
    let state = yield* State.make({ params, slots: Optim.init(adam, params) })
    // a state that the program does not give back stays as it is
    const frozen = yield* State.make(known)
    const step = yield* Program.compile(
      { state, frozen, x: Tensor.input("N", 1, 28, 28), y: Tensor.labels("N"), scalars: adam.spec },
      ({ state: { params, slots }, frozen, x, y, scalars }) => {
        const logits = Nn.apply(student, params, x, { training: true })
        const told = Ops.softmax(Ops.div(Nn.apply(teacher, frozen, x), temperature), 1)
        // the square brings its gradients back to the size of the labels'
        const soft = Ops.mul(Ops.crossEntropy(Ops.div(logits, temperature), told), temperature ** 2)
        const loss = Ops.add(Ops.mul(soft, share), Ops.mul(Ops.crossEntropy(logits, y), 1 - share))
        return { state: Optim.update(adam, { params, gradients: Ops.grad(loss, params), slots, scalars }), loss }
      },
    )
    const batches = data.pipe(Data.shuffle, Data.batch(32))
    const losses: Array<number> = []
    for (let epoch = 1, done = 0; epoch <= epochs; epoch++) {
      let sum = 0
      yield* Stream.runForEach(batches.epoch({ seed: 1, epoch }), (batch) =>
        Effect.gen(function* () {
          const x = HostTensor.make([batch.rows, 1, 28, 28], batch.images)
          const y = HostTensor.make([batch.rows], batch.labels)
          const next = yield* step.run({ state, frozen, x, y, scalars: adam.scalars(++done) })
          state = next.state
          sum += next.loss * batch.rows
          yield* Effect.yieldNow
        }),
      )
      losses.push(sum / data.length)
    }
    return { student: (yield* State.read(state)).params, teacher: yield* State.read(frozen), losses }
  }).pipe(Effect.scoped)

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train, test } = limited(yield* Data.mnist(), budget)
    const { parameters } = yield* Train.load(`${budget.out}/lenet/model.safetensors`)
    const known = yield* Nn.stateDict(teacher, parameters)
    const few = Data.limit(train, Math.min(5000, train.length))
    const accuracyOf = (model: Train.Model<readonly ["N", 1, 28, 28]>, parameters: Train.HostParameters) =>
      Effect.map(
        Evaluate.run({ model, parameters, data: test, metrics: { accuracy: Evaluate.accuracy } }),
        ({ accuracy }) => accuracy,
      )
    const ofStudent = (share: number) =>
      Effect.flatMap(study({ known, data: few, share, temperature: 4, epochs: 30 }), (done) =>
        accuracyOf(student, done.student),
      )
    const found = {
      teacher: yield* accuracyOf(teacher, known),
      alone: yield* ofStudent(0),
      taught: yield* ofStudent(0.9),
    }
    console.log(`teacher ${found.teacher.toFixed(4)}, ${Nn.summary(teacher).parameters} parameters`)
    console.log(
      `student ${found.alone.toFixed(4)} from ${few.length} labels alone, ${found.taught.toFixed(4)} with the teacher`,
    )
    return found
  })
