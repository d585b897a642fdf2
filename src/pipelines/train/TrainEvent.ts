/** What a run tells while it goes on: plain values, in the order in which they happen. */
import * as Data from "effect/Data"
import type { DeviceInfo } from "../../gpu/Device.ts"
import { type Origin, sayOrigin } from "./origin.ts"
import type { RunState } from "./RunState.ts"

/** The run is compiled and about to take its first step. */
export interface Start {
  readonly _tag: "Start"
  readonly device: DeviceInfo
  readonly epochs: number
  /** steps of an epoch */
  readonly steps: number
  /** samples of an epoch */
  readonly samples: number
  readonly batchSize: number
  readonly optimizer: string
  readonly seed: number
  /** the checkpoint that the run goes on from; absent in one that begins anew */
  readonly resumed?: Resumed
  readonly state: RunState
}

/** Where a run goes on from. */
export interface Resumed {
  readonly path: string
  /** that the run was in, counted from 1 */
  readonly epoch: number
  /** of this epoch that were done */
  readonly step: number
  readonly totalSteps: number
  /** the last of them is told once more: nobody had seen it when the checkpoint was written */
  readonly retold: boolean
  /** why the rest of the run may differ in some bits from an uninterrupted one; none where it does not */
  readonly differences: ReadonlyArray<string>
}

/** A step is done. */
export interface Step {
  readonly _tag: "Step"
  /** counted from 1 */
  readonly epoch: number
  readonly epochs: number
  /** in this epoch, counted from 1 */
  readonly step: number
  readonly steps: number
  /** since the beginning of the run, counted from 1 */
  readonly totalSteps: number
  /** of this batch, before the parameters were updated */
  readonly loss: number
  /** share of this epoch's samples so far that were classified correctly */
  readonly accuracy: number
  readonly learningRate: number
  readonly imagesPerSecond: number
  /** since the epoch began */
  readonly seconds: number
  /** until the run is over, if it goes on at this pace; evaluations not counted */
  readonly secondsLeft: number
  readonly state: RunState
}

/** All steps of an epoch are done. */
export interface EpochEnd {
  readonly _tag: "EpochEnd"
  readonly epoch: number
  readonly epochs: number
  readonly totalSteps: number
  /** mean over the epoch's samples, each with the parameters of its step */
  readonly loss: number
  readonly accuracy: number
  readonly seconds: number
  readonly state: RunState
}

/** The model was evaluated on data it is not trained on. */
export interface Evaluation {
  readonly _tag: "Evaluation"
  readonly epoch: number
  readonly totalSteps: number
  readonly data: string
  readonly metrics: Readonly<Record<string, number>>
  readonly seconds: number
  readonly state: RunState
}

/** The parameters were written to a file. */
export interface Saved {
  readonly _tag: "Saved"
  readonly epoch: number
  readonly totalSteps: number
  readonly path: string
  readonly state: RunState
}

/** All that the run goes on from was written to a file. */
export interface Checkpoint {
  readonly _tag: "Checkpoint"
  readonly epoch: number
  /** of this epoch that are done */
  readonly step: number
  readonly totalSteps: number
  readonly path: string
  /** whether it is the best so far, and lies in `best.safetensors` for that */
  readonly best: boolean
  readonly seconds: number
  readonly state: RunState
}

/** An operator ends the run before its last epoch is over, or gives its best parameters back at the end. */
export interface Stopped {
  readonly _tag: "Stopped"
  readonly epoch: number
  readonly totalSteps: number
  /** a sentence */
  readonly reason: string
  /** the steps after which the parameters were those that the run has now; absent where they are the last ones */
  readonly restored?: number
  readonly state: RunState
}

export type TrainEvent = Start | Step | EpochEnd | Evaluation | Saved | Checkpoint | Stopped

/** A loss that is not finite: the run stops before it wastes more time. */
export class NonFiniteLoss extends Data.TaggedError("NonFiniteLoss")<{
  readonly epoch: number
  readonly step: number
  readonly totalSteps: number
  readonly loss: number
  /** what was not finite first, where that could be found out */
  readonly origin?: Origin | undefined
  /** the last checkpoint from before it */
  readonly checkpoint?: string | undefined
}> {
  override get message(): string {
    const { loss, epoch, step, totalSteps, origin, checkpoint } = this
    const where = origin === undefined ? "" : `: ${sayOrigin(origin)}`
    const remedy = origin?._tag === "Input" ? "look at the data" : "take a lower learning rate, or clip the gradients"
    const good = checkpoint === undefined ? "" : `; the last good checkpoint is ${checkpoint}`
    return `the loss is ${loss} at epoch ${epoch}, step ${step} (step ${totalSteps} of the run)${where}; ${remedy}${good}`
  }
}

/**
 * The line that an epoch leaves: `epoch 1, loss 0.2841, train acc 0.914, test acc 0.957, time 12.3 sec`. Without an
 * evaluation (or one that has no accuracy) the test accuracy is left out.
 */
export const epochLine = (
  end: Pick<EpochEnd, "epoch" | "loss" | "accuracy" | "seconds">,
  evaluation?: Pick<Evaluation, "metrics" | "seconds">,
): string => {
  const accuracy = evaluation?.metrics["accuracy"]
  const test = accuracy === undefined ? "" : `, test acc ${accuracy.toFixed(3)}`
  const seconds = end.seconds + (evaluation?.seconds ?? 0)
  const train = `epoch ${end.epoch}, loss ${end.loss.toFixed(4)}, train acc ${end.accuracy.toFixed(3)}`
  return `${train}${test}, time ${seconds.toFixed(1)} sec`
}

/** An event as plain JSON, for logs and other programs: without the state that it offers. */
export const toJson = (event: TrainEvent): Readonly<Record<string, unknown>> => {
  const { _tag, state: _, ...rest } = event
  return { event: _tag, ...rest }
}
