/**
 * What every op must obey, as checks that any op can be put through: ours, and those of a user.
 *
 * An op is described by what it takes (a generator of shapes and attributes) and what it means (a reference in float64,
 * written for the test in plain loops); the laws then hold the op to it on whatever device is provided. A law that is broken
 * says so with the smallest counterexample that was found. Needs the optional peer `fast-check`.
 *
 * @example
 * const laws = Laws.op(({ x }) => swish(x), {
 *   name: "swish",
 *   cases: Laws.shapes({ x: Laws.extents({ rank: [1, 3] }) }),
 *   reference: ({ x }) => Laws.map(x, (v) => v / (1 + Math.exp(-v))),
 * })
 * for (const law of laws) it(law.name, () => Effect.runPromise(law.check.pipe(Effect.provide(Wasm.layer()))))
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { Device } from "./gpu/Device.ts"
import { grad, vjp } from "./ops/grad.ts"
import type { HostTensor } from "./ops/HostTensor.ts"
import { add } from "./ops/add.ts"
import { mul } from "./ops/mul.ts"
import { sum } from "./ops/sum.ts"
import * as Program from "./ops/Program.ts"
import * as T from "./ops/Tensor.ts"
import { ShapeMismatch } from "./shapes/ShapeMismatch.ts"
import { type Array64, type Extents, size } from "./laws/Array64.ts"
import { between, type Case, type Elements } from "./laws/generators.ts"

export { type Array64, at, type Extents, map, tabulate } from "./laws/Array64.ts"
export {
  apart,
  broadcastable,
  type Case,
  distinct,
  type Elements,
  extents,
  images,
  labels,
  positive,
  shapes,
  smooth,
  tied,
  together,
  wide,
} from "./laws/generators.ts"

// ---------- the description of an op, and its laws

/** What an op takes and what it means. */
export interface Description<I extends string, A> {
  readonly name: string
  /** shapes and attributes that the op takes */
  readonly cases: fc.Arbitrary<Case<I, A>>
  /** what the op means, in float64; it shares nothing with the kernel */
  readonly reference: (inputs: { readonly [K in I]: Array64 }, attributes: A) => Array64
  /** how the numbers of a case are made, by input; where absent, `smooth`, and those of two inputs never equal */
  readonly elements?: (c: Case<NoInfer<I>, A>) => { readonly [K in NoInfer<I>]?: Elements }
  /** what the op must refuse, and words of the sentence with which it does */
  readonly refused?: ReadonlyArray<Case<NoInfer<I>, NoInfer<A>> & { readonly says: string }>
  /** cases to be tried beside the generated ones, such as dimensions of size 0: their values are a law of the level "should" */
  readonly edges?: ReadonlyArray<Case<NoInfer<I>, NoInfer<A>>>
  /** the inputs that the op is differentiated by: all where absent; a sentence says why there are none */
  readonly differentiable?: ReadonlyArray<NoInfer<I>> | string
  /** a value agrees when it differs by at most this times max(1, the largest of the reference): 1e-5 where absent */
  readonly tolerance?: number | ((c: Case<I, A>) => number)
  /** laws of the level "should" that this op does not obey, and why */
  readonly except?: { readonly [law: string]: string }
  /** how many cases each law tries: 20 where absent */
  readonly runs?: number
}

/** One law of one op; it is checked on the device that is provided. */
export interface Law {
  /** of the op and of the law: `relu has the gradient of the reference` */
  readonly name: string
  readonly law: string
  readonly level: "must" | "should"
  readonly check: Effect.Effect<void, LawBroken, Device>
}

/**
 * What the number of cases that each law tries is multiplied by, 1 unless provided: fewer on a slow device, more at night.
 *
 * @example
 * law.check.pipe(Effect.provideService(Laws.Effort, 10))
 */
export const Effort = Context.Reference<number>("effect-nn/laws/Effort", { defaultValue: () => 1 })

/** A law does not hold: the smallest counterexample that was found, and how to find it again. */
export class LawBroken extends Data.TaggedError("LawBroken")<{
  readonly op: string
  readonly law: string
  readonly device: string
  readonly counterexample: string
  readonly why: string
  readonly seed: number
  readonly path: string
}> {
  override get message(): string {
    return [
      `${this.op} breaks the law "${this.law}" on ${this.device}: ${this.why}`,
      `  smallest counterexample: ${this.counterexample}`,
      `  again: fast-check seed ${this.seed}, path "${this.path}"`,
    ].join("\n")
  }
}

/** why a law does not hold in one case */
class Disagreement extends Data.TaggedError("Disagreement")<{ readonly why: string }> {
  override get message(): string {
    return this.why
  }
}

/** What is applied: a node for each input, by name. */
export type Applied<I extends string, A> = (inputs: { readonly [K in I]: T.Tensor }, attributes: A) => T.Tensor

/**
 * The laws of an op. "Must": its shape, its refusals, its values, its gradient, and the same bits for the same inputs.
 * "Should": the gradient of its gradient. Each also asserts that nothing is left on the device.
 */
export const op = <I extends string, A>(apply: Applied<I, A>, description: Description<I, A>): ReadonlyArray<Law> => {
  const differentiable = description.differentiable
  const wrt = (c: Case<I, A>): ReadonlyArray<I> =>
    typeof differentiable === "string" ? [] : (differentiable ?? namesOf(c.shapes))
  const laws = [
    property(description, "must", "gives the shape of the reference", (t) => sameShape(apply, description, t)),
    refusals(apply, description),
    property(description, "must", "computes what the reference computes", (t) => sameValues(apply, description, t)),
    property(description, "must", "gives the same bits for the same inputs", (t) => sameBits(apply, t)),
    ...(typeof differentiable === "string"
      ? []
      : [
          property(description, "must", "has the gradient of the reference", (t) =>
            sameGradient(apply, description, t, wrt(t.case)),
          ),
          property(description, "should", "has the second derivative of the reference", (t) =>
            sameSecondDerivative(apply, description, t, wrt(t.case)),
          ),
        ]),
  ]
  const { edges } = description
  if (edges !== undefined && edges.length > 0)
    laws.push(
      property({ ...description, cases: fc.constantFrom(...edges) }, "should", "computes its edge cases", (t) =>
        Effect.andThen(sameShape(apply, description, t), sameValues(apply, description, t)),
      ),
    )
  return laws.filter((law) => law.level === "must" || description.except?.[law.law] === undefined)
}

/** All of the laws, one after the other; fails with the first that is broken. */
export const checkAll = (laws: ReadonlyArray<Law>): Effect.Effect<void, LawBroken, Device> =>
  Effect.forEach(laws, (law) => law.check, { discard: true })

// ---------- one trial: a case with its numbers

interface Trial<I extends string, A> {
  readonly case: Case<I, A>
  readonly inputs: { readonly [K in I]: Float32Array }
  /** of directions and incoming gradients */
  readonly seed: number
}

const namesOf = <I extends string>(record: { readonly [K in I]: unknown }): ReadonlyArray<I> =>
  Object.keys(record).filter((key): key is I => key in record)

const trials = <I extends string, A>({ cases, elements }: Description<I, A>): fc.Arbitrary<Trial<I, A>> =>
  cases.chain((c) => {
    const names = namesOf(c.shapes)
    const made = elements?.(c) ?? {}
    const numbers = names.map((name, i): fc.Arbitrary<Float32Array> => {
      const own: Elements | undefined = (made as { readonly [K in I]?: Elements })[name]
      return own?.(size(c.shapes[name])) ?? between(size(c.shapes[name]), (i + 1) / (names.length + 1))
    })
    return fc.tuple(fc.tuple(...numbers), fc.integer({ min: 1, max: 2 ** 20 })).map(([data, seed]) => ({
      case: c,
      // one array for each name
      inputs: Object.fromEntries(names.map((name, i) => [name, data[i]])) as Trial<I, A>["inputs"],
      seed,
    }))
  })

const showTrial = (t: Trial<string, unknown>): string => {
  const numbers = (xs: Float32Array): string =>
    xs.length <= 24 ? xs.join(", ") : `${xs.slice(0, 24).join(", ")}, … ${xs.length} numbers`
  const inputs = namesOf(t.inputs).map(
    (i) => `${i} [${t.case.shapes[i]?.join("×")}] = ${numbers(t.inputs[i] ?? new Float32Array())}`,
  )
  const attributes = JSON.stringify(t.case.attributes)
  return [...inputs, ...(attributes === "{}" || attributes === undefined ? [] : [`attributes ${attributes}`])].join(
    "; ",
  )
}

/** numbers of both signs, none near 0, from a seed: no direction is blind to an element */
const direction = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => {
    const h = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b), 0xc2b2ae35) >>> 0
    const magnitude = 0.25 + (0.75 * (h >>> 8)) / 2 ** 24
    return (h & 1) === 0 ? magnitude : -magnitude
  })

// ---------- running

type Shapes = Readonly<Record<string, Extents>>
type Arrays = Readonly<Record<string, Float32Array>>
type Tensors = Readonly<Record<string, T.Tensor>>

const arrayOf = (result: HostTensor | number): Float32Array =>
  typeof result === "number" ? Float32Array.of(result) : result.data

/** describes, compiles and runs once, in a scope of its own; scalars come back as arrays of one */
const run = Effect.fnUntraced(function* (shapes: Shapes, data: Arrays, graph: (inputs: Tensors) => Tensors) {
  const names = Object.keys(shapes)
  const specs = Object.fromEntries(names.map((name) => [name, T.input(...(shapes[name] ?? []))]))
  const program = yield* Program.compile(specs, (inputs) => ({ outputs: graph(inputs) }))
  const values = names.map((name) => [name, { shape: shapes[name] ?? [], data: data[name] ?? new Float32Array() }])
  const { outputs } = yield* program.run(Object.fromEntries(values))
  return Object.fromEntries(Object.entries(outputs).map(([name, y]) => [name, arrayOf(y)])) as Arrays
}, Effect.scoped)

/** a property of effects; interruption ends the trial that is under way, and waits until it has released what it held */
const checked = <A, E>(
  trials: fc.Arbitrary<A>,
  numRuns: number,
  holds: (trial: A) => Effect.Effect<void, E, Device>,
  context: Context.Context<Device>,
): Effect.Effect<fc.RunDetails<[A]>> =>
  Effect.callback((resume) => {
    const ended = new AbortController()
    const { signal } = ended
    const trial = fc.asyncProperty(trials, (t) =>
      signal.aborted ? Promise.resolve() : Effect.runPromiseWith(context)(holds(t), { signal }),
    )
    const result = fc.check(trial, { numRuns })
    result.then(
      (details) => resume(Effect.succeed(details)),
      (cause: unknown) => resume(Effect.die(cause)),
    )
    return Effect.promise(() => {
      ended.abort()
      return result.catch(() => undefined)
    })
  })

const property = <I extends string, A>(
  description: Description<I, A>,
  level: Law["level"],
  law: string,
  holds: (trial: Trial<I, A>) => Effect.Effect<void, Disagreement | T.GraphError | Program.RunError, Device>,
): Law => ({
  name: `${description.name} ${law}`,
  law,
  level,
  check: Effect.gen(function* () {
    const device = yield* Device
    const context = yield* Effect.context<Device>()
    const before = yield* device.live
    const numRuns = Math.max(1, Math.round((description.runs ?? 20) * (yield* Effort)))
    const result = yield* checked(trials(description), numRuns, holds, context)
    const broken = { op: description.name, law, device: device.info.name, seed: result.seed }
    if (result.failed) {
      const [found] = result.counterexample ?? []
      const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
      const counterexample = found === undefined ? "none" : showTrial(found)
      return yield* new LawBroken({ ...broken, counterexample, why, path: result.counterexamplePath ?? "" })
    }
    const { handles } = yield* device.live
    if (handles !== before.handles) {
      const why = `it left ${handles - before.handles} handles on the device`
      return yield* new LawBroken({ ...broken, counterexample: "none", why, path: "" })
    }
  }),
})

// ---------- the laws

const disagree = (why: string): Effect.Effect<never, Disagreement> => Effect.fail(new Disagreement({ why }))

/** an op applied to nodes that hold nothing: its shape and its refusals need no device */
const described = <I extends string, A>(apply: Applied<I, A>, c: Case<I, A>): T.Tensor =>
  apply(
    // one node for each name
    Object.fromEntries(
      namesOf(c.shapes).map((name) => [name, T.make(c.shapes[name], { _tag: "Input" })]),
    ) as Parameters<Applied<I, A>>[0],
    c.attributes,
  )

const referenceOf = <I extends string, A>(description: Description<I, A>, t: Trial<I, A>, inputs: Arrays64): Array64 =>
  // one array for each name
  description.reference(inputs as Parameters<Description<I, A>["reference"]>[0], t.case.attributes)

type Arrays64 = Readonly<Record<string, Array64>>
const widened = (t: Trial<string, unknown>): Arrays64 =>
  Object.fromEntries(
    namesOf(t.inputs).map((name) => [
      name,
      { shape: t.case.shapes[name] ?? [], data: Float64Array.from(t.inputs[name] ?? []) },
    ]),
  )

const sameShape = Effect.fnUntraced(function* <I extends string, A>(
  apply: Applied<I, A>,
  description: Description<I, A>,
  t: Trial<I, A>,
) {
  const node = described(apply, t.case)
  const refused = T.refusal(node)
  if (refused !== undefined) return yield* disagree(`it refuses what it should take: ${refused.message}`)
  const { shape } = referenceOf(description, t, widened(t))
  if (node.shape.join() !== shape.join())
    return yield* disagree(`its shape is [${node.shape.join(", ")}] but the reference's is [${shape.join(", ")}]`)
})

const refusals = <I extends string, A>(apply: Applied<I, A>, description: Description<I, A>): Law => {
  const law = "refuses what does not fit"
  const { name, refused = [] } = description
  return {
    name: `${name} ${law}`,
    law,
    level: "must",
    check: Effect.gen(function* () {
      const device = yield* Device
      for (const c of refused) {
        const broken = (why: string) =>
          new LawBroken({
            op: name,
            law,
            device: device.info.name,
            counterexample: JSON.stringify({ shapes: c.shapes, attributes: c.attributes }),
            why,
            seed: 0,
            path: "",
          })
        const error = T.refusal(described(apply, c))
        if (error === undefined) return yield* broken("it takes it")
        if (!(error instanceof ShapeMismatch))
          return yield* broken(`it fails with ${error._tag}, not with ShapeMismatch`)
        if (error.op !== name) return yield* broken(`the error names ${error.op}, not the op`)
        if (!error.message.includes(c.says)) return yield* broken(`it says "${error.message}", not "${c.says}"`)
        const compiled = yield* Effect.exit(run(c.shapes, {}, () => ({ y: described(apply, c) })))
        if (Exit.isSuccess(compiled)) return yield* broken("a program of it compiles")
      }
    }),
  }
}

/** why numbers do not agree with the reference's, where they do not */
const difference = (out: Float32Array, reference: Array64, tolerance: number): string | undefined => {
  if (out.length !== reference.data.length)
    return `it gives ${out.length} numbers but the reference ${reference.data.length}`
  const largest = reference.data.reduce((m, r) => (Number.isFinite(r) ? Math.max(m, Math.abs(r)) : m), 1)
  const i = out.findIndex((v, k) => {
    const r = reference.data[k] ?? Number.NaN
    if (!Number.isFinite(r)) return !Object.is(v, r)
    return !(Math.abs(v - r) <= tolerance * largest)
  })
  return i < 0 ? undefined : `number ${i} is ${out[i]} but the reference gives ${reference.data[i]}`
}

const toleranceOf = <I extends string, A>({ tolerance = 1e-5 }: Description<I, A>, c: Case<I, A>): number =>
  typeof tolerance === "number" ? tolerance : tolerance(c)

/** `apply` on the symbols of a program */
const applied = <I extends string, A>(apply: Applied<I, A>, t: Trial<I, A>, inputs: Tensors): T.Tensor =>
  // the program was given a spec for each name
  apply(inputs as Parameters<Applied<I, A>>[0], t.case.attributes)

const sameValues = Effect.fnUntraced(function* <I extends string, A>(
  apply: Applied<I, A>,
  description: Description<I, A>,
  t: Trial<I, A>,
) {
  const { y = new Float32Array() } = yield* run(t.case.shapes, t.inputs, (x) => ({ y: applied(apply, t, x) }))
  const why = difference(y, referenceOf(description, t, widened(t)), toleranceOf(description, t.case))
  if (why !== undefined) return yield* disagree(why)
})

const sameBits = Effect.fnUntraced(function* <I extends string, A>(apply: Applied<I, A>, t: Trial<I, A>) {
  const once = run(t.case.shapes, t.inputs, (x) => ({ y: applied(apply, t, x) }))
  const [{ y: a = new Float32Array() }, { y: b = new Float32Array() }] = [yield* once, yield* once]
  const i = a.findIndex((v, k) => !Object.is(v, b[k]))
  if (i >= 0) return yield* disagree(`number ${i} was ${a[i]} and then ${b[i]}`)
})

/** the reference with `Σ y · dy` taken, at inputs moved along directions */
const along = <I extends string, A>(description: Description<I, A>, t: Trial<I, A>, dy: Float32Array) => {
  const x = widened(t)
  return (moves: ReadonlyArray<readonly [input: I, by: number, along: Float32Array]>): number => {
    const moved: Record<string, Array64> = { ...x }
    for (const [name, by, v] of moves) {
      const here = moved[name]
      if (here !== undefined) moved[name] = { ...here, data: here.data.map((a, i) => a + by * (v[i] ?? 0)) }
    }
    return referenceOf(description, t, moved).data.reduce((total, value, i) => total + value * (dy[i] ?? 0), 0)
  }
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((total, v, i) => total + v * (b[i] ?? 0), 0)
const dotAbsolute = (a: Float32Array, b: Float32Array): number =>
  a.reduce((total, v, i) => total + Math.abs(v * (b[i] ?? 0)), 0)

/** a gradient agrees when it differs by at most this times max(1, Σ |dx · v|) */
const gradientTolerance = 2e-4
const secondTolerance = 2e-3

const sameGradient = Effect.fnUntraced(function* <I extends string, A>(
  apply: Applied<I, A>,
  description: Description<I, A>,
  t: Trial<I, A>,
  wrt: ReadonlyArray<I>,
) {
  const shape = referenceOf(description, t, widened(t)).shape
  // an incoming gradient of ones would hide every factor that sums out (softmax has gradient 0 there)
  const dy = direction(size(shape), t.seed)
  const gradients = yield* run({ ...t.case.shapes, "~dy": shape }, { ...t.inputs, "~dy": dy }, (x) =>
    pick(vjp(applied(apply, t, x), x["~dy"] ?? T.fill(1), pick(x, wrt)), wrt),
  )
  const f = along(description, t, dy)
  const h = 2 ** -14
  for (const [k, name] of wrt.entries()) {
    const dx = gradients[name] ?? new Float32Array()
    if (dx.length !== t.inputs[name].length)
      return yield* disagree(`the gradient of ${name} has ${dx.length} numbers, not ${t.inputs[name].length}`)
    const v = direction(dx.length, t.seed + k + 1)
    const [own, expected] = [dot(dx, v), (f([[name, h, v]]) - f([[name, -h, v]])) / (2 * h)]
    if (!(Math.abs(own - expected) <= gradientTolerance * Math.max(1, dotAbsolute(dx, v))))
      return yield* disagree(
        `along a direction, the gradient of ${name} is ${own} but the reference changes by ${expected}`,
      )
  }
})

const sameSecondDerivative = Effect.fnUntraced(function* <I extends string, A>(
  apply: Applied<I, A>,
  description: Description<I, A>,
  t: Trial<I, A>,
  wrt: ReadonlyArray<I>,
) {
  const shape = referenceOf(description, t, widened(t)).shape
  const dy = direction(size(shape), t.seed)
  const directions = new Map(wrt.map((name, k) => [name, direction(t.inputs[name].length, t.seed + k + 1)]))
  const constants = wrt.map((name) => [`~along ${name}`, directions.get(name) ?? new Float32Array()] as const)
  const gradients = yield* run(
    {
      ...t.case.shapes,
      "~dy": shape,
      ...Object.fromEntries(wrt.map((name) => [`~along ${name}`, t.case.shapes[name]])),
    },
    { ...t.inputs, "~dy": dy, ...Object.fromEntries(constants) },
    (x) => {
      const first = vjp(applied(apply, t, x), x["~dy"] ?? T.fill(1), pick(x, wrt))
      const slope = wrt
        .map(
          (name): T.Tensor<[]> => sum(mul(first[name] ?? T.fill(0), x[`~along ${name}`] ?? T.fill(0))) as T.Tensor<[]>,
        )
        .reduce((a, b) => add(a, b))
      return grad(slope, pick(x, wrt))
    },
  )
  const f = along(description, t, dy)
  const h = 2 ** -10
  const u = (by: number) => wrt.map((name) => [name, by, directions.get(name) ?? new Float32Array()] as const)
  for (const [k, name] of wrt.entries()) {
    const dx = gradients[name] ?? new Float32Array()
    const v = direction(dx.length, t.seed + 100 + k)
    const at2 = (a: number, b: number): number => f([...u(a * h), [name, b * h, v]])
    const expected = (at2(1, 1) - at2(1, -1) - at2(-1, 1) + at2(-1, -1)) / (4 * h * h)
    const own = dot(dx, v)
    if (!(Math.abs(own - expected) <= secondTolerance * Math.max(1, dotAbsolute(dx, v))))
      return yield* disagree(
        `along two directions, the second derivative by ${name} is ${own} but the reference's is ${expected}`,
      )
  }
})

const pick = (x: Tensors, names: ReadonlyArray<string>): Tensors =>
  Object.fromEntries(names.flatMap((name) => (x[name] === undefined ? [] : [[name, x[name]] as const])))
