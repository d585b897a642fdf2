/** The curves of a run, from the lines of its log. */
import * as Effect from "effect/Effect"

/** a figure at a moment of the run, counted in steps from its beginning */
export interface Point {
  readonly step: number
  readonly value: number
}

export interface Epoch {
  readonly epoch: number
  readonly step: number
  readonly loss: number
  readonly accuracy: number
  readonly seconds: number
  /** of the evaluation after it, where there was one that gave it */
  readonly testLoss: number | undefined
  readonly testAccuracy: number | undefined
}

export interface RunLog {
  readonly epochs: ReadonlyArray<Epoch>
  readonly loss: ReadonlyArray<Point>
  readonly learningRate: ReadonlyArray<Point>
}

/** points of a curve at most: each the mean of those that it stands for */
const points = 300

const thinned = (all: ReadonlyArray<Point>): ReadonlyArray<Point> => {
  const size = Math.ceil(all.length / points)
  if (size <= 1) return all
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => {
    const part = all.slice(i * size, (i + 1) * size)
    const mean = (of: (p: Point) => number): number => part.reduce((sum, p) => sum + of(p), 0) / part.length
    return { step: mean((p) => p.step), value: mean((p) => p.value) }
  })
}

const number = (x: unknown): number | undefined => (typeof x === "number" && Number.isFinite(x) ? x : undefined)

/** The curves from the text of a log; where a step or an epoch is told twice (a run that was resumed), the last counts. */
export const parse = Effect.fnUntraced(function* (text: string) {
  const { decodeLine } = yield* Effect.promise(() => import("./schemas.ts"))
  const losses = new Map<number, number>()
  const rates = new Map<number, number>()
  const epochs = new Map<number, Epoch>()
  for (const line of text.split("\n")) {
    const found = decodeLine(line)
    if (found._tag === "None") continue
    const event = found.value
    switch (event.event) {
      case "Step":
        losses.set(event.totalSteps, event.loss)
        rates.set(event.totalSteps, event.learningRate)
        break
      case "EpochEnd": {
        const { epoch, totalSteps: step, loss, accuracy, seconds } = event
        epochs.set(epoch, { epoch, step, loss, accuracy, seconds, testLoss: undefined, testAccuracy: undefined })
        break
      }
      case "Evaluation": {
        const of = epochs.get(event.epoch)
        if (of === undefined) break
        const { loss, accuracy } = event.metrics
        epochs.set(event.epoch, {
          ...of,
          testLoss: number(loss) ?? of.testLoss,
          testAccuracy: number(accuracy) ?? of.testAccuracy,
        })
      }
    }
  }
  const sorted = (map: ReadonlyMap<number, number>): ReadonlyArray<Point> =>
    thinned(Array.from(map, ([step, value]) => ({ step, value })).toSorted((a, b) => a.step - b.step))
  const log: RunLog = {
    epochs: [...epochs.values()].toSorted((a, b) => a.epoch - b.epoch),
    loss: sorted(losses),
    learningRate: sorted(rates),
  }
  return log
})
