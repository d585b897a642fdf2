/** Where the numbers of a step first were not finite: the step once more, layer by layer. */
import * as Effect from "effect/Effect"
import type { Device } from "../../gpu/Device.ts"
import * as HostTensor from "../../ops/HostTensor.ts"
import * as Ops from "../../ops/Ops.ts"
import * as Program from "../../ops/Program.ts"
import * as Tensor from "../../ops/Tensor.ts"
import type { Layer } from "../../models/Layer.ts"
import { parameters } from "../../models/StateDict.ts"
import type { Batch } from "../data/batches.ts"
import type { Optimizer } from "../optim/Optimizer.ts"
import { batchValues } from "./batchValues.ts"
import { forward, type Model } from "./Model.ts"
import type { Origin } from "./origin.ts"
import type { TrainState } from "./RunState.ts"
import { isFinite, stepInputs } from "./stepProgram.ts"

const bad = (x: Tensor.Tensor): Tensor.Tensor<[]> =>
  // a sum over all dimensions has none
  Ops.sum(Ops.sub(Tensor.fill(1), isFinite(x))) as Tensor.Tensor<[]>

interface Observed {
  readonly place: string
  readonly layer: Layer
}

const nameOf = ({ place, layer }: Observed): string => (place === "" ? layer.label : `${place} (${layer.label})`)

/**
 * Takes a step once more without changing anything, and looks at what each layer gives. `state` is from before the
 * step; `isFirst` says that no step of this run was taken before it.
 */
export const diagnose = (options: {
  readonly model: Model
  readonly optimizer: Optimizer
  readonly state: TrainState
  readonly batch: Batch<ReadonlyArray<number>>
  readonly seed: number
  readonly step: number
  readonly isFirst: boolean
}): Effect.Effect<Origin | undefined, never, Device> =>
  Effect.gen(function* () {
    const { model, optimizer, state, batch, seed, step, isFirst } = options
    let observed: Array<Observed> = []
    const { images, seed: key } = stepInputs(optimizer, batch.shape)
    const program = yield* Program.compile(
      { state, images, seed: key },
      ({ state, images, seed }) => {
        observed = []
        const outputs: Array<Tensor.Tensor> = []
        forward(model, state, images, {
          training: true,
          seed,
          observe: (place, layer, output) => {
            observed.push({ place, layer })
            outputs.push(output)
          },
        })
        return {
          input: bad(images),
          parameters: Object.fromEntries(
            Object.entries({ ...state.params, ...state.buffers }).map(([name, x]) => [name, bad(x)]),
          ),
          outputs: outputs.map(bad),
        }
      },
      { name: "diagnose" },
    )
    const { images: given } = batchValues(batch)
    const found = yield* program.run({ state, images: given, seed: HostTensor.seed(seed, step) })
    const output = found.outputs.findIndex((n) => n > 0)
    const parameter = parameters(model).find(({ path }) => (found.parameters[path] ?? 0) > 0)?.path
    if (found.input > 0) return { _tag: "Input" } as const
    if (parameter !== undefined && isFirst) return { _tag: "Parameter", name: parameter } as const
    if (parameter !== undefined) {
      // gradients go backward: the last layer that was spoiled was the first
      const last = parameters(model).findLast(({ path }) => (found.parameters[path] ?? 0) > 0)?.path ?? parameter
      const owner = observed.findLast(({ place, layer }) =>
        layer.params.some(({ name }) => last === (place === "" ? name : `${place}.${name}`)),
      )
      return { _tag: "Gradient", layer: owner === undefined ? last : nameOf(owner), step: step - 1 } as const
    }
    const first = observed[output]
    if (first !== undefined) return { _tag: "Output", layer: nameOf(first) } as const
    return { _tag: "Loss" } as const
  }).pipe(
    Effect.scoped,
    // the loss that is not finite is the error: what cannot be found out about it is left unsaid
    Effect.catchCause(() => Effect.undefined),
  )
