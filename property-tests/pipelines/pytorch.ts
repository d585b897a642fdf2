/** What PyTorch 1.13 gave for schedules, optimisers with random options, and clipping, in float64. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type * as Optim from "../../src/pipelines/Optim.ts"

interface Fixture {
  readonly schedules: ReadonlyArray<{
    readonly schedule: Optim.ScheduleName
    readonly options: object
    readonly lrs: ReadonlyArray<number>
  }>
  readonly composed: Readonly<Record<"sequential" | "chained", ReadonlyArray<number>>>
  readonly plateau: {
    readonly metrics: ReadonlyArray<number>
    readonly cases: ReadonlyArray<{
      readonly options: Optim.schedule.PlateauOptions
      readonly lrs: ReadonlyArray<number>
    }>
  }
  readonly optimizers: ReadonlyArray<{
    readonly optimizer: Optim.OptimizerName
    readonly options: object
    readonly p0: ReadonlyArray<number>
    readonly gradients: ReadonlyArray<ReadonlyArray<number>>
    readonly params: ReadonlyArray<ReadonlyArray<number>>
  }>
  readonly clipNorm: ReadonlyArray<{
    readonly gradients: ReadonlyArray<ReadonlyArray<number>>
    readonly maxNorm: number
    readonly normType: number | "inf"
    readonly norm: number
    readonly clipped: ReadonlyArray<ReadonlyArray<number>>
  }>
}

// the file was written in this form
export const pytorch = JSON.parse(readFileSync(join(import.meta.dirname, "pytorchOptim.json"), "utf8")) as Fixture
