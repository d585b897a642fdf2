/** Models on the interpreter: the reference logits, a layer of a user's own, and running statistics. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import * as Nn from "../../src/models/index.ts"
import * as HostTensor from "../../src/ops/HostTensor.ts"
import * as Ops from "../../src/ops/Ops.ts"
import * as Program from "../../src/ops/Program.ts"
import * as State from "../../src/ops/State.ts"
import * as Tensor from "../../src/ops/Tensor.ts"
import { pixelShuffle, scale } from "./ownLayers.ts"

/** the reference's numbers: `hash32` of golden/README.md */
const numbers = (shape: ReadonlyArray<number>, seed: number, bound: number): HostTensor.HostTensor => {
  const value = (i: number): number => {
    let h = (Math.imul(i, 0x9e3779b1) + seed) >>> 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    h = (h ^ (h >>> 16)) >>> 0
    return ((h / 2 ** 32) * 2 - 1) * bound
  }
  const n = shape.reduce((a, b) => a * b, 1)
  return HostTensor.make(
    shape,
    Float32Array.from({ length: n }, (_, i) => value(i)),
  )
}
const constants = (net: Nn.Layer, weightGain: number): { readonly [name: string]: Tensor.Tensor } =>
  Object.fromEntries(
    Nn.parameters(net).map(({ path, shape }, i) => {
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1)
      return [path, Tensor.constant(numbers(shape, i + 1, shape.length > 1 ? Math.sqrt(weightGain / fanIn) : 0.1))]
    }),
  )

const folder = new URL("../conformance/golden/", import.meta.url)
const bytes = readFileSync(new URL("tensors.safetensors", folder))
const headerBytes = Number(bytes.readBigUInt64LE(0))
const header: Record<string, { readonly data_offsets: readonly [number, number] }> = JSON.parse(
  bytes.subarray(8, 8 + headerBytes).toString(),
)
const golden = (name: string): Float32Array => {
  const [from = 0, to = 0] = header[name]?.data_offsets ?? []
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + 8 + headerBytes + from, bytes.byteOffset + 8 + headerBytes + to),
  )
}

const apply = (net: Nn.Layer, params: object, x: HostTensor.HostTensor) =>
  Program.evaluate(Nn.apply<Nn.Layer, Tensor.Tensor["shape"]>(net, params, Tensor.constant(x))).pipe(
    Effect.provide(Reference.layer),
  )

it.effect.each([
  ["lenet", Nn.lenet()] as const,
  ["tinyvgg", Nn.tinyVgg({ input: 1, hidden: 10, output: 10 })] as const,
])("%s gives the reference's logits", ([name, net]) =>
  Effect.gen(function* () {
    const y = yield* apply(net, constants(net, 6), numbers([2, 1, 28, 28], 1000, 1))
    const want = golden(`model/${name}/logits`)
    expect(want.length).toBe(20)
    const largest = Math.max(1, ...want.map(Math.abs))
    expect(y).toMatchObject({ shape: [2, 10] })
    if (typeof y === "number") return
    y.data.forEach((v, i) => expect(Math.abs(v - (want[i] ?? Number.NaN))).toBeLessThanOrEqual(0.002 * largest))
  }),
)

it.effect("a user's own layers run among the library's", () =>
  Effect.gen(function* () {
    const net = Nn.sequential(Nn.input("N", 4, 1, 1), pixelShuffle(2), Nn.flatten(), ["s", scale(4)])
    expect(net.out).toEqual(["N", 4])
    expect(Nn.parameters(net).map((p) => p.path)).toEqual(["s.weight"])
    const first = Nn.init(net, { seed: 1 })
    expect([...first["s.weight"].data]).toEqual([1, 1, 1, 1])
    const weight = Tensor.constant(HostTensor.make([4], [1, 10, 100, 1000]))
    const y = yield* apply(net, { "s.weight": weight }, HostTensor.make([1, 4, 1, 1], [1, 2, 3, 4]))
    expect(y).toMatchObject({ shape: [1, 4], data: Float32Array.of(1, 20, 300, 4000) })
    const misfit = Nn.sequential(Nn.input("N", 10, 4, 4), Nn.relu(), pixelShuffle(Number("2")))
    expect(misfit.refusal?.message).toBe(
      "1: pixelShuffle(2) cannot follow: it expects a multiple of 4 channels but the layer above gives 10",
    )
  }),
)

/** a layer that remembers: it adds up the means of what it has seen in training */
interface Remember extends Nn.Layer {
  readonly kind: "remember"
  readonly "~": Nn.Typed<SameRule, { total: [] }, "remember">
}
interface SameRule extends Nn.Rule {
  readonly out: this["in"]
}
const remember = () =>
  Nn.layer<Remember>({
    kind: "remember",
    label: "remember",
    rule: (input) => input,
    params: [{ name: "total", shape: [], requiresGrad: false, init: { _tag: "Fill", value: 0 } }],
    forward: (x, { params: { total = Tensor.fill(0) }, training }) => ({
      output: x,
      updates: training ? { total: Ops.add(total, Ops.mean(x)) } : {},
    }),
  })

it.effect("running statistics come out under their whole names, and only in training", () =>
  Effect.gen(function* () {
    const net = Nn.sequential(Nn.input("N", 2), ["a", [remember(), ["b", remember()]]])
    expect(Nn.summary(net).parameters).toBe(0)
    const params = { "a.0.total": Tensor.fill(1), "a.b.total": Tensor.fill(10) }
    const x = Tensor.constant(HostTensor.make([1, 2], [2, 4]))
    expect(Nn.forward(net, params, x).updates).toEqual({})
    const { updates } = Nn.forward(net, params, x, { training: true })
    expect(Object.keys(updates)).toEqual(["a.0.total", "a.b.total"])
    expect(yield* Program.evaluate(updates)).toEqual({ "a.0.total": 4, "a.b.total": 13 })
  }).pipe(Effect.provide(Reference.layer)),
)

it.effect("a program takes the parameters of a model as state, and its types follow", () =>
  Effect.gen(function* () {
    const net = Nn.lenet()
    const params = yield* State.make(Nn.init(net, { seed: 1 }))
    const predict = yield* Program.compile({ params, x: Tensor.input("N", 1, 28, 28) }, ({ params, x }) => ({
      logits: Nn.apply(net, params, x),
    }))
    const { logits } = yield* predict.run({
      params,
      x: numbers([3, 1, 28, 28], 1, 1) as HostTensor.HostTensor<[3, 1, 28, 28]>,
    })
    const shape: readonly [number, 10] = logits.shape
    expect(shape).toEqual([3, 10])
    // a second binding of "N" is a plan of its own
    const one = yield* predict.run({
      params,
      x: numbers([1, 1, 28, 28], 1, 1) as HostTensor.HostTensor<[1, 1, 28, 28]>,
    })
    expect(one.logits.data).toEqual(logits.data.slice(0, 10))
  }).pipe(Effect.scoped, Effect.provide(Reference.layer)),
)

it.effect("numbers by name, as files and runs give them, are the model's or are refused", () =>
  Effect.gen(function* () {
    const net = Nn.sequential(Nn.input("N", 2), ["fc", Nn.linear(2, 1)])
    const weight = HostTensor.make([1, 2], [3, 4])
    const bias = HostTensor.make([1], [5])
    const named: { readonly [name: string]: HostTensor.HostTensor } = { "fc.weight": weight, "fc.bias": bias }
    const params = yield* State.make(yield* Nn.stateDict(net, named))
    const program = yield* Program.compile({ params, x: Tensor.input(1, 2) }, ({ params, x }) => ({
      y: Nn.apply(net, params, x),
    }))
    expect((yield* program.run({ params, x: HostTensor.make([1, 2], [1, 10]) })).y.data).toEqual(Float32Array.of(48))
    const refused = (all: typeof named) => Effect.map(Effect.flip(Nn.stateDict(net, all)), (e) => e.message)
    expect(yield* refused({ "fc.weight": weight })).toBe(
      "the parameters have no fc.bias. Take the parameters of this model",
    )
    expect(yield* refused({ "fc.weight": bias, "fc.bias": bias })).toMatch(
      /^fc\.weight is 1, but the model needs 1×2\. /,
    )
    expect(yield* refused({ ...named, "fc2.bias": bias })).toMatch(/^the model has no fc2\.bias\. /)
  }).pipe(Effect.scoped, Effect.provide(Reference.layer)),
)

it.effect("dropout in training needs a seed, which says what is dropped", () =>
  Effect.gen(function* () {
    const net = Nn.sequential(Nn.input("N", 64), ["drop", Nn.dropout()])
    const inputs = { x: Tensor.input("N", 64), seed: Tensor.seed() }
    const program = yield* Program.compile(inputs, ({ x, seed }) => ({
      trained: Nn.apply(net, {}, x, { training: true, seed }),
      // without one where nothing is dropped
      asUsed: Nn.apply(net, {}, x),
      kept: Nn.apply(Nn.dropout(0), {}, x, { training: true }),
    }))
    const x = HostTensor.make([2, 64], new Float32Array(128).fill(1))
    const run = (step: number) => program.run({ x, seed: HostTensor.seed(5, step) })
    const { trained, asUsed, kept } = yield* run(1)
    expect(asUsed).toEqual(x)
    expect(kept).toEqual(x)
    expect([...new Set(trained.data)].toSorted()).toEqual([0, 2])
    expect((yield* run(1)).trained).toEqual(trained)
    expect((yield* run(2)).trained).not.toEqual(trained)
    const seedless = Program.compile(inputs, ({ x }) => ({ y: Nn.apply(net, {}, x, { training: true }) }))
    expect((yield* Effect.flip(seedless)).message).toBe(
      "dropout: training draws random numbers, but there is no seed: give Nn.apply an input Tensor.seed(), and each run HostTensor.seed(seed, step)",
    )
  }).pipe(Effect.scoped, Effect.provide(Reference.layer)),
)
