/** What a run tells Effect's metrics: any exporter of them shows it. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const name = (what: string): string => `effect_nn_train_${what}`

const steps = Metric.counter(name("steps_total"), { description: "steps done", incremental: true })
const samples = Metric.counter(name("samples_total"), { description: "samples trained on", incremental: true })
const loss = Metric.gauge(name("loss"), { description: "loss of the last batch" })
const learningRate = Metric.gauge(name("learning_rate"), { description: "learning rate of the last step" })
const duration = Metric.histogram(name("step_milliseconds"), {
  description: "how long steps take",
  boundaries: Metric.exponentialBoundaries({ start: 0.25, factor: 2, count: 18 }),
})

/** a step that is done */
export const stepDone = Effect.fnUntraced(function* (step: {
  readonly loss: number
  readonly learningRate: number
  readonly samples: number
  readonly milliseconds: number
}) {
  yield* Metric.update(steps, 1)
  yield* Metric.update(samples, step.samples)
  yield* Metric.update(loss, step.loss)
  yield* Metric.update(learningRate, step.learningRate)
  yield* Metric.update(duration, step.milliseconds)
})
