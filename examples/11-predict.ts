/**
 * One step past 10: a trained model at work. Predictions are asked for one by one, from many fibers at once, and made in
 * batches. Needs the run of 02: `node examples/main.ts 02`.
 */
import * as Effect from "effect/Effect"
import { Data, Predict } from "../src/index.ts"
import type { Budget } from "./budget.ts"

export const run = ({ out, limit = 200 }: Budget) =>
  Effect.gen(function* () {
    const { predict } = yield* Predict.fromRun(`${out}/lenet`, { batchSize: 32, maxDelay: "2 millis" })
    const { test } = yield* Data.mnist()
    const positions = Uint32Array.from({ length: Math.min(limit, 200) }, (_, i) => i)
    const { images, labels } = yield* test.read(positions, { seed: 0, epoch: 1 })
    const predictions = yield* Effect.forEach(
      positions,
      (i) => predict(images.subarray(784 * i, 784 * (i + 1)), `test picture ${i}`),
      { concurrency: 50 },
    )
    const right = predictions.filter(({ index }, i) => index === labels[i]).length
    const least = predictions.toSorted((a, b) => a.probability - b.probability)[0]
    console.log(
      `${right} of ${positions.length} right; it was least sure of a ${least?.label} (${least?.probability.toFixed(2)})`,
    )
    return { right, asked: positions.length }
  }).pipe(Effect.scoped)
