import type { Metric } from "./Metric.ts"

/**
 * The same figure of each batch, and the mean of those: a last batch that is short weighs as much as the others. What
 * many tutorials print, for comparison with them; without it, every figure is weighted by samples.
 *
 * @example
 * Evaluate.run({ model, parameters, data: Data.batch(test, 32), metrics: { acc: Evaluate.meanOfBatches(Evaluate.accuracy) } })
 */
export const meanOfBatches = (metric: Metric): Metric => ({
  ...metric,
  name: `${metric.name} (mean of batches)`,
  ofBatch: (total, samples) => {
    const own = metric.ofBatch?.(total, samples) ?? total
    return Float64Array.of(metric.finish(own, samples), 1)
  },
  finish: ([sum = 0, batches = 0]) => sum / batches,
})
