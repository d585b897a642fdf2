/** A program: a graph of tensors compiled for a device, run as often as needed. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Device, type DeviceBuffer, type DeviceError, type Executable } from "../gpu/Device.ts"
import { elements, type Plan } from "../gpu/Plan.ts"
import { type Dim, type Shape, show } from "../shapes/Shape.ts"
import { ShapeMismatch } from "../shapes/ShapeMismatch.ts"
import type { HostTensor } from "./HostTensor.ts"
import { lower } from "./lower.ts"
import * as State from "./State.ts"
import * as T from "./Tensor.ts"
import { tensorsOf, type TensorTree } from "./tree.ts"

/** what a program takes: tensors given at each run, and states */
export type Inputs = { readonly [name: string]: T.TensorSpec | State.State<unknown> }

/** what a program gives: trees of tensors; under the name of a state, that state's next value */
export type Outputs = { readonly [name: string]: TensorTree }

/** the tensors that the description of a program works with */
export type Symbols<I> = {
  readonly [K in keyof I]: I[K] extends T.TensorSpec<infer S>
    ? T.Tensor<S>
    : I[K] extends State.State<infer Tree>
      ? Tree
      : never
}

/** names of dimensions are numbers once a program runs */
export type Bound<S> = { [K in keyof S]: S[K] extends string ? number : S[K] }

/** what one run is given */
export type Values<I> = {
  readonly [K in keyof I]: I[K] extends T.TensorSpec<infer S>
    ? HostTensor<Bound<S> & Shape> | DeviceBuffer | (S extends readonly [] ? number : never)
    : I[K]
}

/** what one run gives: numbers for scalars, arrays for the rest, the next handle for a state */
export type Results<I, O> = {
  readonly [K in keyof O]: K extends keyof I ? (I[K] extends State.State<unknown> ? I[K] : Read<O[K]>) : Read<O[K]>
}
export type Read<X> =
  X extends T.Tensor<infer S>
    ? S extends readonly []
      ? number
      : HostTensor<Bound<S> & Shape>
    : { readonly [K in keyof X]: Read<X[K]> }

export type RunError = DeviceError | ShapeMismatch | State.StaleState

/** A compiled program. */
export interface Program<I, O> {
  /**
   * Runs once. States that the program updates are donated: go on with the returned handle. Not interruptible half-way;
   * when it fails, the states that it was updating are unusable.
   */
  readonly run: (values: Values<I>) => Effect.Effect<Results<I, O>, RunError>
  /** the plan for given sizes of the named dimensions: what runs, for reading */
  readonly plan: (sizes?: { readonly [name: string]: number }) => Effect.Effect<Plan, T.GraphError>
}

/** how many bindings of the named dimensions stay compiled */
const plansKept = 4

interface Compiled {
  readonly executable: Executable
  readonly scope: Scope.Closeable
}

/**
 * Compiles what `build` describes. Names in the shapes of `inputs` stand for sizes that each run binds; every binding is
 * a plan of its own, and the last few stay compiled.
 *
 * Fails with the first `ShapeMismatch` or `NotDifferentiable` of the graph.
 *
 * @example
 * const step = yield* Program.compile({ state, x: Tensor.input("N", 4) }, ({ state, x }) => ({
 *   y: Ops.linear(x, state.weight),
 * }))
 * const { y } = yield* step.run({ state, x: HostTensor.make([1, 4], [1, 2, 3, 4]) })
 */
export const compile = <const I extends Inputs, const O extends Outputs>(
  inputs: I,
  build: (symbols: Symbols<I>) => O,
  options?: { readonly name?: string },
): Effect.Effect<Program<I, O>, T.GraphError | DeviceError, Device | Scope.Scope> =>
  // symbols are made from the inputs and results from what `build` gives, leaf by leaf, as the types say
  Effect.map(
    compiledFrom(inputs, (symbols) => build(symbols as Symbols<I>), options?.name ?? "program"),
    (program) => ({
      plan: program.plan,
      run: (values) => program.run(values) as Effect.Effect<Results<I, O>, RunError>,
    }),
  )

/**
 * Computes tensors once: for a single op, or a look at a number.
 *
 * @example
 * const y = yield* Program.evaluate(Ops.relu(Tensor.constant(HostTensor.make([2], [-1, 2])))) // => [0, 2]
 */
export const evaluate = <X extends TensorTree>(tree: X): Effect.Effect<Read<X>, T.GraphError | RunError, Device> =>
  compiledFrom({}, () => ({ tree }), "evaluate").pipe(
    Effect.flatMap((program) => program.run({})),
    // the result has the structure of the tree
    Effect.map((results) => results["tree"] as Read<X>),
    Effect.scoped,
  )

/** a program without its types */
interface Untyped {
  readonly run: (values: {
    readonly [name: string]: unknown
  }) => Effect.Effect<{ readonly [name: string]: unknown }, RunError>
  readonly plan: Program<unknown, unknown>["plan"]
}

const compiledFrom = Effect.fnUntraced(function* (
  inputs: Inputs,
  build: (symbols: unknown) => Outputs,
  name: string,
): Effect.fn.Return<Untyped, T.GraphError | DeviceError, Device | Scope.Scope> {
  const device = yield* Device
  const scope = yield* Effect.scope
  const description = describe(inputs, build, name)
  yield* checked(description(new Map()))
  const plans = new Map<string, Compiled>()
  const lock = yield* Semaphore.make(1)

  /** the plan that there is; the last ones asked for are kept */
  const ready = (key: string): Executable | undefined => {
    const known = plans.get(key)
    if (known !== undefined) {
      plans.delete(key)
      plans.set(key, known)
    }
    return known?.executable
  }
  const compiled = Effect.fnUntraced(function* (key: string, sizes: ReadonlyMap<string, number>) {
    const known = ready(key)
    if (known !== undefined) return known
    const graph = yield* checked(description(sizes)).pipe(Effect.orDie)
    const own = yield* Scope.fork(scope)
    const executable = yield* device.compile(lower(graph)).pipe(
      Scope.provide(own),
      Effect.onError(() => Scope.close(own, Exit.void)),
    )
    plans.set(key, { executable, scope: own })
    for (const [oldest, { scope: old }] of plans) {
      if (plans.size <= plansKept) break
      plans.delete(oldest)
      yield* Scope.close(old, Exit.void)
    }
    return executable
  }, lock.withPermits(1))

  const run = Effect.fnUntraced(function* (given: { readonly [name: string]: unknown }) {
    const sizes = yield* bind(inputs, given)
    const key = keyOf(sizes)
    const executable = ready(key) ?? (yield* compiled(key, sizes))
    const { host, states } = sorted(inputs, given)
    for (const { state } of states) if (state["~validity"].current !== "valid") yield* State.valid(state)
    const donated = states.filter(({ name }) => description.updated.has(name))
    for (const { state } of donated) state["~validity"].current = "replaced"
    const buffers = states.flatMap(({ state }) => state.leaves.map((leaf) => leaf.buffer))
    const arrays = yield* executable.run(host, buffers).pipe(
      Effect.onError(() =>
        Effect.sync(() => {
          for (const { state } of donated) state["~validity"].current = "failed"
        }),
      ),
    )
    const next = new Map(donated.map(({ name, state }) => [name, State.fromLeaves(state.leaves, state["~structure"])]))
    return description.results(sizes, arrays, next)
  }, Effect.uninterruptible)

  const plan = (sizes: { readonly [name: string]: number } = {}) =>
    Effect.map(checked(description(new Map(Object.entries(sizes)))), (graph) => lower(graph))

  return { run, plan }
})

// ---------- describing

interface Described {
  readonly name: string
  readonly inputs: ReadonlyArray<T.Tensor>
  readonly state: ReadonlyArray<T.Tensor>
  readonly newState: ReadonlyArray<T.Tensor | null>
  readonly outputs: ReadonlyArray<T.Tensor>
}

interface Description {
  /** the graph with names bound to sizes where they are known */
  (sizes: ReadonlyMap<string, number>): Described
  /** the states that the program updates; known once the description has been made */
  readonly updated: ReadonlySet<string>
  readonly results: (
    sizes: ReadonlyMap<string, number>,
    arrays: ReadonlyArray<Float32Array>,
    states: ReadonlyMap<string, State.State<unknown>>,
  ) => { readonly [name: string]: unknown }
}

const keyOf = (sizes: ReadonlyMap<string, number>): string => {
  let key = ""
  for (const [name, size] of sizes) key += `${name}=${size},`
  return key
}

const describe = (inputs: Inputs, build: (symbols: unknown) => Outputs, name: string): Description => {
  const updated = new Set<string>()
  const shapesOf = new Map<string, ReadonlyArray<Shape>>()
  let tree: Outputs = {}
  const make = (sizes: ReadonlyMap<string, number>): Described => {
    const bound = (shape: Shape): Shape => shape.map((d: Dim) => (typeof d === "string" ? (sizes.get(d) ?? d) : d))
    const given: Array<T.Tensor> = []
    const state: Array<{ readonly key: string; readonly leaf: State.Leaf; readonly symbol: T.Tensor }> = []
    const symbols: Record<string, unknown> = {}
    for (const [key, input] of Object.entries(inputs)) {
      if (State.isState(input)) {
        const own = input.leaves.map((leaf) => ({ key, leaf, symbol: T.make(leaf.buffer.shape, { _tag: "Input" }) }))
        state.push(...own)
        symbols[key] = State.mapStructure(input["~structure"], (i) => own[i]?.symbol)
      } else {
        const symbol = T.make(bound(input.shape), { _tag: "Input" })
        given.push(symbol)
        symbols[key] = symbol
      }
    }
    tree = build(symbols)
    const outputs: Array<T.Tensor> = []
    for (const [key, value] of Object.entries(tree)) {
      const input = inputs[key]
      if (input !== undefined && State.isState(input)) updated.add(key)
      else outputs.push(...tensorsOf(value))
    }
    const shapes = outputs.map((x) => x.shape)
    shapesOf.set(keyOf(sizes), shapes)
    const newState = state.map(({ key, leaf, symbol }) => {
      const next = tree[key]
      return next === undefined ? null : kept(symbol, leafOf(next, leaf.path), [key, ...leaf.path].join("."))
    })
    return { name, inputs: given, state: state.map((s) => s.symbol), newState, outputs }
  }
  const results: Description["results"] = (sizes, arrays, states) => {
    const shapes = shapesOf.get(keyOf(sizes)) ?? []
    let position = 0
    const read = (at: TensorTree): unknown => {
      if (T.isTensor(at)) {
        const [shape, data] = [shapes[position] ?? [], arrays[position] ?? new Float32Array()]
        position++
        return shape.length === 0 ? data[0] : { shape, data }
      }
      if (Array.isArray(at)) return at.map(read)
      return Object.fromEntries(Object.entries(at).map(([key, child]) => [key, read(child)]))
    }
    return Object.fromEntries(Object.entries(tree).map(([key, at]) => [key, states.get(key) ?? read(at)]))
  }
  return Object.assign(make, { updated, results })
}

const leafOf = (tree: TensorTree, [key, ...rest]: ReadonlyArray<string>): T.Tensor | undefined => {
  if (key === undefined) return T.isTensor(tree) ? tree : undefined
  const child = T.isTensor(tree) ? undefined : Object.entries(tree).find(([k]) => k === key)?.[1]
  return child === undefined ? undefined : leafOf(child, rest)
}

/** what a leaf of a state is to hold next, or a refusal where it is not given back in the shape that it had */
const kept = (before: T.Tensor, after: T.Tensor | undefined, path: string): T.Tensor => {
  if (after !== undefined && (T.refusal(after) !== undefined || after.shape.join() === before.shape.join()))
    return after
  const shapes = after === undefined ? [before.shape] : [before.shape, after.shape]
  const given = after === undefined ? "is not given back" : `is given back as ${show(after.shape)}`
  const sentence = `it holds ${show(before.shape)} but ${given}`
  return T.make([], { _tag: "Refused", error: new ShapeMismatch({ op: "Program.compile", path, shapes, sentence }) })
}

const checked = (graph: Described): Effect.Effect<Described, T.GraphError> => {
  for (const x of [...graph.newState, ...graph.outputs]) {
    const error = x === null ? undefined : T.refusal(x)
    if (error !== undefined) return Effect.fail(error)
  }
  return Effect.succeed(graph)
}

// ---------- running

const shapeOfValue = (value: unknown): Shape =>
  typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape) ? value.shape : []

/** a refusal of what is no state, or of one whose leaves are not those that the program was compiled for */
const wrongState = (compiled: State.State<unknown>, value: unknown, key: string): ShapeMismatch | null => {
  const refused = (path: string, shapes: ReadonlyArray<Shape>, sentence: string) =>
    new ShapeMismatch({ op: "run", path, shapes, sentence })
  if (!State.isState(value)) return refused(key, [], "it takes a state, but is given none")
  // the very leaves, handed on from step to step
  if (value.leaves === compiled.leaves) return null
  for (const [i, { path, buffer }] of compiled.leaves.entries()) {
    const leaf = value.leaves[i]
    const place = [key, ...path].join(".")
    if (leaf === undefined || leaf.path.join("\0") !== path.join("\0"))
      return refused(place, [buffer.shape], `the state that is given does not hold it`)
    if (leaf.buffer.shape.join() !== buffer.shape.join()) {
      const sentence = `it takes ${show(buffer.shape)}, but is given ${show(leaf.buffer.shape)}`
      return refused(place, [buffer.shape, leaf.buffer.shape], sentence)
    }
  }
  return null
}

/** the sizes of the named dimensions, from the values of one run */
const bind = (
  inputs: Inputs,
  values: { readonly [name: string]: unknown },
): Effect.Effect<ReadonlyMap<string, number>, ShapeMismatch> => {
  const sizes = new Map<string, number>()
  for (const [key, input] of Object.entries(inputs)) {
    if (State.isState(input)) {
      const refusal = wrongState(input, values[key], key)
      if (refusal !== null) return Effect.fail(refusal)
      continue
    }
    const shape = shapeOfValue(values[key])
    const expected = input.shape
    const refused = (sentence: string) =>
      Effect.fail(new ShapeMismatch({ op: "run", path: key, shapes: [expected, shape], sentence }))
    if (shape.length !== expected.length) return refused(`it takes ${show(expected)}, but is given ${show(shape)}`)
    for (const [d, dim] of expected.entries()) {
      const size = Number(shape[d])
      const known = typeof dim === "string" ? (sizes.get(dim) ?? size) : dim
      const bound = typeof dim === "string" ? `, and ${dim} is ${known}` : ""
      if (known !== size) return refused(`it takes ${show(expected)}${bound}, but is given ${show(shape)}`)
      if (typeof dim === "string") sizes.set(dim, size)
    }
    const held = dataOf(values[key])
    if (held instanceof Float32Array && held.length !== elements(shape.map(Number)))
      return refused(`its shape ${show(shape)} does not hold ${held.length} numbers`)
  }
  return Effect.succeed(sizes)
}

const dataOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "data" in value ? value.data : value

const sorted = (
  inputs: Inputs,
  values: { readonly [name: string]: unknown },
): {
  readonly host: ReadonlyArray<Float32Array | DeviceBuffer>
  readonly states: ReadonlyArray<{ readonly name: string; readonly state: State.State<unknown> }>
} => {
  const host: Array<Float32Array | DeviceBuffer> = []
  const states: Array<{ readonly name: string; readonly state: State.State<unknown> }> = []
  for (const [name, input] of Object.entries(inputs)) {
    const value = dataOf(values[name])
    // `Values` says what stands under each name
    if (State.isState(input)) states.push({ name, state: value as State.State<unknown> })
    else host.push(typeof value === "number" ? Float32Array.of(value) : (value as Float32Array | DeviceBuffer))
  }
  return { host, states }
}
