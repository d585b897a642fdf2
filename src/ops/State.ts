/** Numbers that live on a device from run to run: parameters, running statistics, an optimiser's memory. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Device, type DeviceBuffer, type DeviceError } from "../gpu/Device.ts"
import type { Shape } from "../shapes/Shape.ts"
import type { HostTensor } from "./HostTensor.ts"
import type { Tensor } from "./Tensor.ts"

/** A handle to state that a later step has replaced, or that a failed step left unusable. */
export class StaleState extends Data.TaggedError("StaleState")<{
  readonly reason: "replaced" | "failed"
}> {
  override get message(): string {
    return this.reason === "replaced"
      ? "this state was given to a step, which replaced it: go on with the state that the step returned, or make a State.copy before the step"
      : "the step that this state was given to failed half-way, so it may be half-updated: load it again from a checkpoint, or make a State.copy before the step"
  }
}

/** records and tuples with host tensors as leaves */
export type HostTree = HostTensor | { readonly [key: string]: HostTree } | ReadonlyArray<HostTree>

/** the tree of tensors that a step sees for a tree of host tensors */
export type Tensors<H> = H extends HostTensor<infer S> ? Tensor<S> : { readonly [K in keyof H]: Tensors<H[K]> }

/** the tree of host tensors that a tree of tensors is read back as */
export type Hosts<T> = T extends Tensor<infer S> ? HostTensor<S> : { readonly [K in keyof T]: Hosts<T[K]> }

/**
 * A tree of arrays on a device. A step that updates it takes this handle and returns the next one; the arrays are the
 * same, so the old handle is stale from then on.
 */
export interface State<out T> {
  readonly _tag: "State"
  /** in the order of the tree's keys */
  readonly leaves: ReadonlyArray<Leaf>
  /** type only: the tree of tensors that steps see */
  readonly "~tree"?: T
  readonly "~structure": Structure
  readonly "~validity": { current: "valid" | "replaced" | "failed" }
}

export interface Leaf {
  /** the keys that lead to it, joined by dots where it is shown */
  readonly path: ReadonlyArray<string>
  readonly buffer: DeviceBuffer
}

/** a tree with the positions of its leaves */
export type Structure = number | { readonly [key: string]: Structure } | ReadonlyArray<Structure>

const isHostTensor = (u: HostTree): u is HostTensor => "data" in u && u.data instanceof Float32Array

/**
 * Puts a tree of numbers on the device, for as long as the scope lasts.
 *
 * @example
 * const state = yield* State.make({ params: Nn.init(net, { seed: 1 }) })
 */
export const make = Effect.fnUntraced(function* <const H extends HostTree>(tree: H) {
  const device = yield* Device
  const leaves: Array<Leaf> = []
  const place = (at: HostTree, path: ReadonlyArray<string>): Effect.Effect<Structure, DeviceError, Scope.Scope> =>
    Effect.gen(function* () {
      if (isHostTensor(at)) {
        const buffer = yield* device.allocate(sizes(at.shape))
        yield* device.write(buffer, at.data)
        return leaves.push({ path, buffer }) - 1
      }
      const entries: Array<readonly [string, Structure]> = []
      for (const [key, child] of Object.entries(at)) entries.push([key, yield* place(child, [...path, key])])
      return Array.isArray(at) ? entries.map(([, s]) => s) : Object.fromEntries(entries)
    })
  const structure = yield* place(tree, [])
  return fromLeaves<Tensors<H>>(leaves, structure)
})

const sizes = (shape: Shape): ReadonlyArray<number> => shape.map(Number)

/** a fresh, valid handle to arrays; internal to programs */
export const fromLeaves = <T>(leaves: ReadonlyArray<Leaf>, structure: Structure): State<T> => ({
  _tag: "State",
  leaves,
  "~structure": structure,
  "~validity": { current: "valid" },
})

/** the tree of the structure, each leaf by its position */
export const mapStructure = <A>(structure: Structure, leaf: (position: number) => A): unknown =>
  typeof structure === "number"
    ? leaf(structure)
    : Array.isArray(structure)
      ? structure.map((s: Structure) => mapStructure(s, leaf))
      : Object.fromEntries(Object.entries(structure).map(([key, s]) => [key, mapStructure(s, leaf)]))

/** whether a value is a state */
export const isState = (u: unknown): u is State<unknown> =>
  typeof u === "object" && u !== null && "_tag" in u && u._tag === "State" && "leaves" in u

/** fails with `StaleState` unless the handle is the latest of its arrays */
export const valid = <T>(state: State<T>): Effect.Effect<State<T>, StaleState> =>
  Effect.suspend(() => {
    const { current } = state["~validity"]
    return current === "valid" ? Effect.succeed(state) : Effect.fail(new StaleState({ reason: current }))
  })

/** Reads a state back, as the tree that it was made from. */
export const read = Effect.fnUntraced(function* <T>(state: State<T>) {
  const device = yield* Device
  const arrays: Array<HostTensor> = []
  for (const { buffer } of (yield* valid(state)).leaves)
    arrays.push({ shape: buffer.shape, data: yield* device.read(buffer) })
  yield* valid(state)
  // the structure is that of the tree the state was made from
  return mapStructure(state["~structure"], (i) => arrays[i]) as Hosts<T>
})

/** Another copy of a state, to keep while steps go on with the first. */
export const copy = Effect.fnUntraced(function* <T>(state: State<T>) {
  const device = yield* Device
  const leaves: Array<Leaf> = []
  for (const { path, buffer } of (yield* valid(state)).leaves) {
    const twin = yield* device.allocate(buffer.shape)
    yield* device.write(twin, yield* device.read(buffer))
    leaves.push({ path, buffer: twin })
  }
  yield* valid(state)
  return fromLeaves<T>(leaves, state["~structure"])
})
