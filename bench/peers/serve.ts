/** The other end of `peers.ts`, for libraries in JavaScript: one JSON object per line in, one out. */
import { createInterface } from "node:readline"
import { stateByFormula, values } from "../../property-tests/conformance/Cases.ts"
import type { Job, StepJob } from "../peers.ts"
import { models, parametersOf, type Parameter } from "./models.ts"

/** a job that is ready to run */
export interface Running {
  /** does it once; what is lazy is waited for */
  readonly once: () => void | Promise<void>
  /** the last result, in our layout */
  readonly result: () => ArrayLike<number> | Promise<ArrayLike<number>>
  readonly drop: () => void
}

export interface Library {
  readonly description: string
  readonly start: (job: Job) => Running | Promise<Running>
  /** the losses of the first steps, without dropout */
  readonly losses: (job: StepJob, steps: number) => Promise<ReadonlyArray<number>>
}

export const inputOf = (shape: ReadonlyArray<number>, seed: number): Float32Array => values(shape, seed, 1).data

/** what training goes round, as `step.ts` has it */
export const batches = 4
export const batchOf = (job: StepJob, step: number) => ({
  x: inputOf([job.batch, ...job.sample], 5000 + step),
  y: Int32Array.from({ length: job.batch }, (_, i) => (i * (step + 3)) % 10),
})

/** the parameters of a model by formula, in the order of its state */
export const parametersByFormula = (model: string): ReadonlyArray<Parameter & { readonly data: Float32Array }> => {
  const specs = models[model]
  if (specs === undefined) throw new Error(`there is no ${model}`)
  const all = parametersOf(specs)
  const ending = {
    weight: "weight",
    bias: "bias",
    scale: "weight",
    shift: "bias",
    mean: "running_mean",
    variance: "running_var",
  }
  const state = stateByFormula(
    all.map(({ role, shape }, i) => [`${i}.${ending[role]}`, shape] as const),
    1,
  )
  return all.map((p, i) => ({ ...p, data: state[`${i}.${ending[p.role]}`]?.data ?? new Float32Array() }))
}

/** Answers until there is no more to answer. */
export const serve = async (start: () => Promise<Library>): Promise<void> => {
  let library: Library | undefined
  let why = ""
  try {
    library = await start()
  } catch (error) {
    why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)
  }
  let running: Running | undefined
  let iterations = 0
  const run = async (n: number): Promise<number> => {
    const begin = performance.now()
    for (let i = 0; i < n; i++) await running?.once()
    iterations += n
    return performance.now() - begin
  }
  const drop = (): void => {
    running?.drop()
    running = undefined
    iterations = 0
  }
  const answer = async (request: Request): Promise<unknown> => {
    if (library === undefined) return { missing: why }
    switch (request.op) {
      case "hello":
        return { description: library.description }
      case "prepare": {
        drop()
        running = await library.start(request.job)
        let ms = await run(1)
        // engines compile while code runs
        for (let spent = ms; spent < 300; spent += Math.max(ms, 1)) ms = await run(1)
        return { ms }
      }
      case "run":
        return { ms: await run(request.iterations) }
      case "values": {
        const result = (await running?.result()) ?? []
        return { values: request.at.map((i) => result[i] ?? null), iterations }
      }
      case "losses":
        drop()
        return { losses: await library.losses(request.job, request.steps) }
      case "drop":
        drop()
        return {}
    }
  }
  for await (const text of createInterface(process.stdin)) {
    // what `peers.ts` asks
    const request = JSON.parse(text) as Request
    const reply = await answer(request).catch((error: unknown) => {
      drop()
      return { unsupported: (error instanceof Error ? error.message : String(error)).split("\n")[0] }
    })
    process.stdout.write(`${JSON.stringify(reply)}\n`)
  }
}

type Request =
  | { readonly op: "hello" | "drop" }
  | { readonly op: "prepare"; readonly job: Job }
  | { readonly op: "run"; readonly iterations: number }
  | { readonly op: "values"; readonly at: ReadonlyArray<number> }
  | { readonly op: "losses"; readonly job: StepJob; readonly steps: number }
