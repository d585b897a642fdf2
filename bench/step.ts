/** Images/s of whole training steps and of inference, each checked by its losses or logits. */
import * as Effect from "effect/Effect"
import { lossDifference } from "../property-tests/conformance/Verdict.ts"
import { stateByFormula, values } from "../property-tests/conformance/Cases.ts"
import { withoutDropout } from "../property-tests/conformance/models.ts"
import { parameters } from "../src/models/StateDict.ts"
import { type AnyNet, zoo } from "../src/models/zoo.ts"
import * as HostTensor from "../src/ops/HostTensor.ts"
import * as Ops from "../src/ops/Ops.ts"
import * as Program from "../src/ops/Program.ts"
import * as State from "../src/ops/State.ts"
import * as T from "../src/ops/Tensor.ts"
import * as Optim from "../src/pipelines/Optim.ts"
import { forward, split } from "../src/pipelines/train/Model.ts"
import { compare, type Entrant, type Task } from "./compare.ts"
import type { Bench } from "./main.ts"
import type { Peer, StepJob } from "./peers.ts"
import type { Result } from "./Result.ts"

const adam = { type: "adam", lr: 1e-3 } as const
const momentum = { type: "sgd", lr: 1e-3, momentum: 0.9 } as const

const models: ReadonlyArray<Pick<StepJob, "model" | "optimizer"> & { readonly batches: ReadonlyArray<number> }> = [
  { model: "lenet", optimizer: adam, batches: [64] },
  { model: "tinyvgg", optimizer: adam, batches: [32] },
  { model: "mnistcnn", optimizer: adam, batches: [100] },
  { model: "alexnet", optimizer: momentum, batches: [16, 1] },
  { model: "vgg16", optimizer: momentum, batches: [4] },
  { model: "resnet18", optimizer: momentum, batches: [16] },
]

export const netOf = (model: string): AnyNet => {
  const make = zoo[model]
  if (make === undefined) throw new Error(`there is no model ${model}`)
  return make()
}

/** training in the batches that are usual, and inference of one image and of many */
export const jobs: ReadonlyArray<StepJob> = models.flatMap(({ model, optimizer, batches }) => {
  const sample = netOf(model).in.slice(1).map(Number)
  const job = (training: boolean, batch: number): StepJob => ({
    kind: "step",
    model,
    batch,
    sample,
    training,
    optimizer,
  })
  return [...batches.map((batch) => job(true, batch)), job(false, 1), job(false, 64)]
})

export const optimizerOf = ({ optimizer: { type, ...options } }: StepJob): Optim.Optimizer =>
  type === "adam" ? Optim.adam(options) : Optim.sgd(options)

/** what the steps of a run go round */
const batches = 4
const classes = 10

const imagesOf = ({ batch, sample }: StepJob): ReadonlyArray<number> => [batch, ...sample]

const batchOf = (job: StepJob, step: number) => ({
  x: values(imagesOf(job), 5000 + step, 1),
  y: HostTensor.make(
    [job.batch],
    Float32Array.from({ length: job.batch }, (_, i) => (i * (step + 3)) % classes),
  ),
})

const initial = (net: AnyNet) =>
  split(
    net,
    stateByFormula(
      parameters(net).map(({ path, shape }) => [path, shape] as const),
      1,
    ),
  )

const seedOf = (step: number) => HostTensor.make([4], [step, 1, 2, 3])

/** the state of a model with its optimiser, and the program of a training step, to be compiled */
export const trainingProgram = Effect.fnUntraced(function* (net: AnyNet, job: StepJob) {
  const optimizer = optimizerOf(job)
  const start = initial(net)
  const state = yield* State.make({ ...start, slots: Optim.init(optimizer, start.params) })
  const program = Program.compile(
    {
      state,
      x: T.input(...imagesOf(job)),
      y: T.input(job.batch),
      seed: T.input(4),
      scalars: optimizer.spec,
    },
    ({ state, x, y, seed, scalars }) => {
      const { logits, buffers } = forward(net, state, x, { training: true, seed })
      // logits are [N, classes] in every model, which the type of a model does not say
      const loss = Ops.crossEntropy(logits as T.Tensor<[number, number]>, y as T.Tensor<[number]>)
      const gradients = Ops.grad(loss, state.params)
      const next = Optim.update(optimizer, { params: state.params, gradients, slots: state.slots, scalars })
      return { state: { ...next, buffers }, loss }
    },
  )
  return { state, program, optimizer }
})

/** a function that takes so many steps and gives the loss of each */
export const training = Effect.fnUntraced(function* (net: AnyNet, job: StepJob) {
  const made = yield* trainingProgram(net, job)
  const { optimizer } = made
  const program = yield* made.program
  let { state } = made
  const data = Array.from({ length: batches }, (_, i) => batchOf(job, i))
  let step = 0
  return (count: number) =>
    Effect.gen(function* () {
      const losses: Array<number> = []
      for (let i = 0; i < count; i++, step++) {
        const { x, y } = data[step % batches]!
        const given = { x, y, seed: seedOf(step), scalars: optimizer.scalars(step + 1) }
        const next = yield* program.run({ state, ...given })
        state = next.state
        losses.push(next.loss)
      }
      return losses
    })
})

/** a function that infers so many times and gives the last logits */
export const inference = Effect.fnUntraced(function* (net: AnyNet, job: StepJob) {
  const { params, buffers } = initial(net)
  const state = yield* State.make({ params, buffers })
  const program = yield* Program.compile({ state, x: T.input(...imagesOf(job)) }, ({ state, x }) => ({
    logits: forward(net, state, x, { training: false }).logits,
  }))
  const { x } = batchOf(job, 0)
  return (count: number) =>
    Effect.gen(function* () {
      let last: ArrayLike<number> = []
      for (let i = 0; i < count; i++) last = (yield* program.run({ state, x })).logits.data
      return last
    })
})

const tolerance = 1e-3
/** steps whose losses are compared */
const compared = 3

/** whether losses of a peer are those of ours, from the same weights and without dropout */
const lossesDiffer = async (bench: Bench, peer: Peer, job: StepJob): Promise<boolean> => {
  const theirs = await peer.losses(job, compared)
  const { value, drop } = await bench.ours.make(training(withoutDropout(netOf(job.model)), job))
  const ours = await bench.ours.run(value(compared))
  await drop()
  const why = ours.map((loss, i) => lossDifference(`the loss of step ${i}`, loss, theirs[i] ?? Number.NaN, tolerance))
  for (const sentence of why) if (sentence !== undefined) bench.note(`${job.model} and ${peer.name}: ${sentence}`)
  return why.some((sentence) => sentence !== undefined)
}

const timed = <A>(f: () => Promise<A>): Promise<number> => {
  const start = performance.now()
  return f().then(() => performance.now() - start)
}

const nameOf = (job: StepJob): string => `${job.model} ${job.training ? "training" : "inference"}`
const fewer = (job: StepJob): StepJob => ({ ...job, batch: 1 })
/** models whose steps every peer can take a few more of */
const small = (job: StepJob): boolean => job.sample[0] === 1

const measured = async (
  bench: Bench,
  job: StepJob,
  ours: Entrant,
  task: (job: StepJob) => Task,
): Promise<ReadonlyArray<Result>> => {
  const about = { suite: "step", name: nameOf(job), shape: `batch ${job.batch}`, unit: "images/s" }
  const smaller = job.batch === 1 ? undefined : { ...task(fewer(job)), note: "batch 1" }
  return compare(bench, about, ours, task(job), { smaller })
}

const trainingResult = async (bench: Bench, job: StepJob): Promise<ReadonlyArray<Result>> => {
  const torch = bench.peers.find((p) => p.name === "torch")
  const wrong = torch !== undefined && (await lossesDiffer(bench, torch, job))
  const { value: steps, drop } = await bench.ours.make(training(netOf(job.model), job))
  let finite = true
  const own: Entrant = {
    name: "ours",
    work: job.batch,
    run: (n) =>
      timed(async () => {
        const losses = await bench.ours.run(steps(n))
        finite &&= losses.every(Number.isFinite)
      }),
    wrong: async () => wrong || !finite,
  }
  const results = await measured(bench, job, own, (job) => ({
    job,
    work: job.batch,
    size: 1,
    // large models are compared by their logits, in inference
    wrong: async (_, [loss = Number.NaN], __, peer) =>
      !Number.isFinite(loss) || (peer.name !== "torch" && small(job) && (await lossesDiffer(bench, peer, fewer(job)))),
  }))
  await drop()
  return results
}

const inferenceResult = async (bench: Bench, job: StepJob): Promise<ReadonlyArray<Result>> => {
  const { value: infer, drop } = await bench.ours.make(inference(netOf(job.model), job))
  let logits: ArrayLike<number> = await bench.ours.run(infer(1))
  let wrong = false
  const own: Entrant = {
    name: "ours",
    work: job.batch,
    run: (n) =>
      timed(async () => {
        logits = await bench.ours.run(infer(n))
      }),
    wrong: async () => wrong || !Array.from(logits).every(Number.isFinite),
  }
  const results = await measured(bench, job, own, (of) => ({
    job: of,
    work: of.batch,
    size: (logits.length / job.batch) * of.batch,
    wrong: async (at, found, _, peer) => {
      const differs = at.some((i, k) => !(Math.abs((logits[i] ?? Number.NaN) - (found[k] ?? Number.NaN)) <= tolerance))
      // PyTorch is believed
      if (peer.name === "torch") wrong ||= differs
      return differs && peer.name !== "torch"
    },
  }))
  await drop()
  return results
}

export const run = async function* (bench: Bench): AsyncGenerator<ReadonlyArray<Result>> {
  if (!bench.peers.some((p) => p.name === "torch"))
    bench.note("no PyTorch: our own losses and logits are compared with the other peers' only")
  for (const job of jobs) {
    if (!`${nameOf(job)} ${job.batch}`.includes(bench.options.only)) continue
    yield job.training ? await trainingResult(bench, job) : await inferenceResult(bench, job)
  }
}
