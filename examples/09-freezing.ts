/**
 * One step past 08: what was learned on one set, used for another. A LeNet learns the digits 0 to 4; then its
 * convolutions are frozen, and only its linear layers learn 5 to 9 from few pictures.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Data, Evaluate, Loss, Nn, Optim, Train } from "../src/index.ts"
import { type Budget, limited } from "./budget.ts"

const model = Nn.lenet()

/** a run's last parameters */
const trained = <E, R>(events: Stream.Stream<Train.TrainEvent, E, R>) =>
  events.pipe(
    Train.progressBar,
    Stream.filter((event) => event._tag === "EpochEnd"),
    Stream.mapEffect((event) => event.state.parameters),
    Stream.runLast,
    Effect.map((last) => (last._tag === "None" ? {} : last.value)),
  )

export const run = (budget: Budget) =>
  Effect.gen(function* () {
    const { train, test } = limited(yield* Data.mnist(), {
      ...budget,
      limit: Math.min(budget.limit ?? Infinity, 12_000),
    })
    const isLow = ({ label }: Data.Known) => label < 5
    const low = Data.filter(train, isLow)
    const high = Data.filter(train, (sample) => !isLow(sample))
    const few = Data.limit(high, Math.min(500, high.length))
    const heldHigh = Data.filter(test, (sample) => !isLow(sample))
    const loss = Loss.crossEntropy()
    const fit = { model, loss, epochs: 2, seed: 1 }
    const first = yield* trained(
      Train.fit({ ...fit, optimizer: Optim.adam(), data: low.pipe(Data.shuffle, Data.batch(32)) }),
    )
    const second = yield* trained(
      Train.fit({
        ...fit,
        parameters: first,
        optimizer: Optim.adam().pipe(Optim.freeze(["layer1", "layer2"])),
        data: few.pipe(Data.shuffle, Data.batch(32)),
      }),
    )
    const same = (name: string): boolean => first[name]?.data.every((x, i) => x === second[name]?.data[i]) ?? false
    const names = Object.keys(first)
    console.log(`stayed: ${names.filter(same).join(", ")}\nlearned: ${names.filter((n) => !same(n)).join(", ")}`)
    const { accuracy } = yield* Evaluate.run({
      model,
      parameters: second,
      data: heldHigh,
      metrics: { accuracy: Evaluate.accuracy },
    })
    console.log(`${few.length} pictures of 5 to 9 were enough for an accuracy of ${accuracy.toFixed(3)} on those`)
    return { stayed: names.filter(same), learned: names.filter((n) => !same(n)), accuracy }
  })
