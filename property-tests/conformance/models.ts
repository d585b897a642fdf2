/** Reference cases of models, and of training them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { findModel, modelNames } from "../../src/cli/zoo.ts"
import { Device, type DeviceInfo } from "../../src/gpu/Device.ts"
import { type Child, type Layer, pure } from "../../src/models/Layer.ts"
import { parameters } from "../../src/models/StateDict.ts"
import { summary } from "../../src/models/summary.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as T from "../../src/ops/Tensor.ts"
import * as Optim from "../../src/pipelines/Optim.ts"
import { forward, type Model, split } from "../../src/pipelines/train/Model.ts"
import { type Cases, type ModelCase, stateByFormula, targetsOfStep, type TrainingCase, values } from "./Cases.ts"
import { optimizerOf } from "./optimizers.ts"
import { asTensor, difference, failed, lossDifference, notSupported, type Verdict, verdict } from "./Verdict.ts"

/** names and shapes as reference cases list them: without the counters, which decide nothing */
const stateOf = (model: Model): ReadonlyArray<readonly [name: string, shape: ReadonlyArray<number>]> =>
  parameters(model).flatMap(({ path, shape }) => (isCounter(path) ? [] : [[path, shape] as const]))
const isCounter = (name: string): boolean => name.endsWith("num_batches_tracked")

/** the first place where two lists of names and shapes differ */
const stateDifference = (model: Model, c: ModelCase): string | undefined => {
  const show = (entry: readonly [string, ReadonlyArray<number>] | undefined): string =>
    entry === undefined ? "nothing more" : `${entry[0]} [${entry[1].join(", ")}]`
  const own = stateOf(model).map(show)
  const reference = c.state.filter(([name]) => !isCounter(name)).map(show)
  const at = Array.from({ length: Math.max(own.length, reference.length) }, (_, i) => i).find(
    (i) => own[i] !== reference[i],
  )
  if (at !== undefined)
    return `the state has ${own[at] ?? show(undefined)} where the reference has ${reference[at] ?? show(undefined)}`
  const count = parameters(model)
    .filter((p) => p.requiresGrad)
    .reduce((n, { shape }) => n + shape.reduce((m, d) => m * d, 1), 0)
  return count === c.params ? undefined : `the model has ${count} parameters, the reference ${c.params}`
}

/** numbers by formula for the whole state of a model */
const initial = (model: Model, weightGain: number) =>
  split(
    model,
    stateByFormula(
      parameters(model).map(({ path, shape }) => [path, shape] as const),
      weightGain,
    ),
  )

/** the same layers, but those that drop elements pass them on; a layer in two places stays one layer */
export const withoutDropout = <H extends Layer>(layer: H, known: Map<Layer, Layer> = new Map()): H => {
  // what is known of a layer is that layer, with other children
  const before = known.get(layer) as H | undefined
  if (before !== undefined) return before
  const same = (child: Child): Child => ({ ...child, layer: withoutDropout(child.layer, known) })
  const made: H = layer.kind.startsWith("dropout")
    ? { ...layer, forward: pure((x) => x) }
    : { ...layer, children: layer.children.map(same) }
  known.set(layer, made)
  return made
}

/** A model by its name, or why it is not run. */
const modelOf = Effect.fnUntraced(function* (c: ModelCase | TrainingCase, size: Size) {
  if (!modelNames.includes(c.model)) return `the model ${c.model}`
  const model = withoutDropout(yield* findModel(c.model))
  const { info } = yield* Device
  const perSample = summary(model).multiplyAdds
  // forward, and the gradients of inputs and of weights
  const steps = c.kind === "training" ? c.steps : 1
  const needed = 3 * perSample * (c.input.shape[0] ?? 1) * steps
  const most = size.large || isFast(info) ? Number.POSITIVE_INFINITY : slowLimit
  return needed <= most
    ? model
    : `it takes ${needed.toExponential(0)} multiply-adds, too many for ${info.name} here; with --large it is run`
})

/** whether cases of a small model only are run where computing is slow */
export interface Size {
  readonly large: boolean
}
/** multiply-adds of a case that every device does in less than a minute or two */
const slowLimit = 1.5e9
/** WebAssembly with tuned contractions, or graphics hardware */
const isFast = ({ name, description }: DeviceInfo): boolean =>
  name === "wasm" || (name === "gpujs-webgpu" && !description.includes("(software)"))

/** Runs one case: names and shapes, logits in evaluation, then loss and gradients in training. */
export const runModel = Effect.fnUntraced(function* (c: ModelCase, { tensor }: Cases, size: Size) {
  const model = yield* modelOf(c, size)
  if (typeof model === "string") return notSupported(model)
  const wrong = stateDifference(model, c)
  if (wrong !== undefined) return failed(wrong)
  const { params, buffers } = initial(model, c.weightGain)
  const state = yield* State.make({ params, buffers })
  const x = values(c.input.shape, c.input.seed, c.input.bound)
  const y = { shape: [c.targets.length], data: Float32Array.from(c.targets) }
  const evaluation = yield* Program.compile({ state, x: T.input(...x.shape) }, ({ state, x }) => ({
    logits: forward(model, state, x, { training: false }).logits,
  }))
  const { logits } = yield* evaluation.run({ state, x })
  const reference = tensor(`${c.name}/logits`)
  const training = yield* Program.compile(
    { state, x: T.input(...x.shape), y: T.input(...y.shape) },
    ({ state, x, y }) => {
      const { logits } = forward(model, state, x, { training: true })
      // logits are [N, classes] in every model, which the type of a model does not say
      const loss = Ops.crossEntropy(logits as T.Tensor<[number, number]>, y as T.Tensor<[number]>)
      const gradients = Ops.grad(loss, state.params)
      const squares = Object.entries(gradients).map(([n, g]) => [n, Ops.sum(Ops.square(g))] as const)
      return { loss, squares: Object.fromEntries(squares) }
    },
  )
  const { loss, squares } = yield* training.run({ state, x, y })
  const largest = Math.max(...Object.values(c.gradNorms))
  return verdict([
    difference("logits", asTensor(logits), reference, c.tol),
    lossDifference("the training loss", loss, c.trainLossDropout0, c.tol),
    ...Object.entries(c.gradNorms).map(([name, norm]) => {
      const own = Math.sqrt(squares[name] ?? Number.NaN)
      return Math.abs(own - norm) <= c.tol * Math.max(norm, 1e-3 * largest)
        ? undefined
        : `the gradient of ${name} has the norm ${own}, the reference ${norm}`
    }),
  ])
}) satisfies (c: ModelCase, cases: Cases, size: Size) => Effect.Effect<Verdict, unknown, Device | Scope.Scope>

/** the one rule for targets that there is, as cases write it */
const targetRule = "(arange(batch) * (step + 3)) % classes, step from 0"

/** Runs one case: all its steps, each as one program from forward to update. */
export const runTraining = Effect.fnUntraced(function* (c: TrainingCase, size: Size) {
  const model = yield* modelOf(c, size)
  if (typeof model === "string") return notSupported(model)
  if (c.targets !== targetRule) return notSupported(`targets by the rule ${c.targets}`)
  const { type, ...attributes } = c.optimizer
  const optimizer = optimizerOf(type, attributes)
  if (typeof optimizer === "string") return notSupported(optimizer)
  const start = initial(model, c.weightGain)
  let state = yield* State.make({ ...start, slots: Optim.init(optimizer, start.params) })
  const [batch = 0] = c.input.shape
  const program = yield* Program.compile(
    { state, x: T.input(...c.input.shape), y: T.input(batch), scalars: optimizer.spec },
    ({ state, x, y, scalars }) => {
      const { logits, buffers } = forward(model, state, x, { training: true })
      // logits are [N, classes] in every model, which the type of a model does not say
      const loss = Ops.crossEntropy(logits as T.Tensor<[number, number]>, y as T.Tensor<[number]>)
      const gradients = Ops.grad(loss, state.params)
      const next = Optim.update(optimizer, { params: state.params, gradients, slots: state.slots, scalars })
      return { state: { ...next, buffers }, loss }
    },
  )
  const differences: Array<string | undefined> = []
  for (let step = 0; step < c.steps; step++) {
    const x = values(c.input.shape, c.input.firstSeed + step, c.input.bound)
    const y = targetsOfStep(c, step)
    const next = yield* program.run({
      state,
      x,
      y: { shape: [batch], data: y.data },
      scalars: optimizer.scalars(step + 1),
    })
    state = next.state
    differences.push(lossDifference(`the loss of step ${step}`, next.loss, c.losses[step] ?? Number.NaN, c.tol))
  }
  return verdict(differences)
}) satisfies (c: TrainingCase, size: Size) => Effect.Effect<Verdict, unknown, Device | Scope.Scope>
