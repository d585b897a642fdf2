/** What makes a run the one it is: two runs that agree in all of it, on one device, take the same steps. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Plan } from "../../gpu/Plan.ts"
import * as Checksum from "../checksum.ts"
import type { Batches } from "../data/batches.ts"
import type { Optimizer } from "../optim/Optimizer.ts"
import { parameters } from "../../models/StateDict.ts"
import { show } from "../../shapes/Shape.ts"
import type * as Schemas from "./checkpointSchema.ts"
import type { Model } from "./Model.ts"

export type Identity = typeof Schemas.Identity.Type

/** what a field is called where it differs */
const names: { readonly [K in keyof Identity]: string } = {
  model: "model",
  parameters: "set of parameters",
  loss: "loss",
  optimizer: "optimizer",
  schedule: "learning rate (or another number of its optimizer)",
  data: "data",
  batchSize: "batch size",
  last: "treatment of the last batch",
  firstBatch: "first batch (the order of the samples, or what is done to them)",
  seed: "seed",
  step: "step (an option of the model, the loss or the optimizer)",
}

/** the first thing in which two runs differ, in the order in which people think of them */
export const difference = (
  was: Identity,
  is: Identity,
): { readonly what: string; readonly was: string; readonly is: string } | undefined => {
  // the keys of an object literal are those of its type
  const key = (Object.keys(names) as Array<keyof Identity>).find((k) => was[k] !== is[k])
  return key === undefined ? undefined : { what: names[key], was: String(was[key]), is: String(is[key]) }
}

const probes = [1, 2, 3, 10, 100, 1000, 10_000]

const planText = (plan: Plan): string =>
  JSON.stringify(plan, (_, value: unknown) =>
    value instanceof Float32Array
      ? Checksum.of(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
      : value,
  )

const bytesOf = (array: Float32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** the identity of a run; reads one batch */
export const identify = (run: {
  readonly model: Model
  readonly loss: { readonly name: string }
  readonly optimizer: Optimizer
  readonly data: Batches<ReadonlyArray<number>>
  readonly seed: number
  readonly plan: Plan
}): Effect.Effect<Identity> =>
  Effect.gen(function* () {
    const { model, loss, optimizer, data, seed, plan } = run
    const all = parameters(model).map(({ path, shape, requiresGrad }) => [path, shape, requiresGrad])
    const numbers = probes.map((step) => bytesOf(optimizer.scalars(step).data))
    // data that cannot be read fail the run when it comes to them, with the error that says why
    const first = Option.flatten(yield* Effect.option(Stream.runHead(data.epoch({ seed, epoch: 1 }))))
    const batch = Option.map(first, ({ images, labels }) => Checksum.of(bytesOf(images), bytesOf(labels)))
    return {
      model: `${model.repr.replace(/\(.*$/s, "")} of ${show(model.in)} to ${show(model.out)}`,
      parameters: `${all.length} tensors (${Checksum.ofText(JSON.stringify(all))})`,
      loss: loss.name,
      optimizer: [optimizer.name, ...optimizer.slots].join(" with "),
      schedule: `${optimizer.learningRate(1)} at step 1 (${Checksum.of(...numbers)} for all of them)`,
      data: `${data.name}, ${data.samples} samples of ${data.shape.join("×")} in ${data.classes.length} classes`,
      batchSize: data.batchSize,
      last: data.last,
      firstBatch: Option.getOrElse(batch, () => "unreadable"),
      seed,
      step: Checksum.ofText(planText(plan)),
    }
  })
