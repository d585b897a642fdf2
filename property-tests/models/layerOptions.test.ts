/** PyTorch's options of layers: text, names and shapes of parameters, and what they compute, against PyTorch's own. */
import { readFileSync } from "node:fs"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import { HostTensor, Nn, Ops, Program, Tensor } from "../../src/index.ts"

interface Numbers {
  readonly shape: ReadonlyArray<number>
  readonly data: ReadonlyArray<number>
}
type Named = { readonly [name: string]: Numbers }
/** computed by scripts/referenceLayers.py */
const pytorch: {
  readonly [name: string]: {
    readonly printed: string
    readonly state: Named
    readonly parameters: number
    /** two batches to train on and one to evaluate */
    readonly inputs: ReadonlyArray<Numbers>
    readonly training: ReadonlyArray<Numbers>
    readonly after: Named
    readonly evaluated: Numbers
    readonly gradient?: Numbers
  }
} = JSON.parse(readFileSync(new URL("golden/layers.json", import.meta.url), "utf8"))

const ours: { readonly [name: string]: Nn.Layer } = {
  batchNorm2d: Nn.batchNorm2d(4, { eps: 1e-3, momentum: 0.3 }),
  "batchNorm2d/noAffine": Nn.batchNorm2d(4, { affine: false }),
  "batchNorm2d/untracked": Nn.batchNorm2d(4, { trackRunningStats: false }),
  "batchNorm2d/bare": Nn.batchNorm2d(4, { affine: false, trackRunningStats: false }),
  "batchNorm2d/cumulative": Nn.batchNorm2d(4, { momentum: null, affine: false }),
  "groupNorm/noAffine": Nn.groupNorm(2, 4, { affine: false }),
  "layerNorm/noAffine": Nn.layerNorm(6, { elementwiseAffine: false }),
  "conv2d/reflect": Nn.conv2d(4, 2, { kernelSize: 3, padding: [2, 1], paddingMode: "reflect" }),
  "conv2d/replicate": Nn.conv2d(4, 6, {
    kernelSize: 3,
    stride: 2,
    padding: 2,
    groups: 2,
    bias: false,
    paddingMode: "replicate",
  }),
  "conv2d/circularSame": Nn.conv2d(4, 2, {
    kernelSize: [2, 3],
    padding: "same",
    dilation: [1, 2],
    paddingMode: "circular",
  }),
  "linear/noBias": Nn.linear(6, 2, { bias: false }),
  "adaptiveAvgPool2d/height": Nn.adaptiveAvgPool2d([null, 4]),
  "adaptiveMaxPool2d/width": Nn.adaptiveMaxPool2d([2, null]),
  "adaptiveAvgPool2d/both": Nn.adaptiveAvgPool2d([null, null]),
  "embedding/padding": Nn.embedding(4, 3, { paddingIdx: -2 }),
  "flatten/inner": Nn.flatten(1, 2),
  "flatten/all": Nn.flatten(0),
  "elu/inplace": Nn.elu({ alpha: 0.5, inplace: true }),
  "leakyRelu/inplace": Nn.leakyRelu({ negativeSlope: 0.2, inplace: true }),
  "silu/inplace": Nn.silu({ inplace: true }),
  "dropout/inplace": Nn.dropout(0, { inplace: true }),
}

const constant = ({ shape, data }: Numbers): Tensor.Tensor =>
  Tensor.constant<Tensor.Tensor["shape"]>(HostTensor.make(shape, Float32Array.from(data)))
const near = (what: string, given: HostTensor.HostTensor | number | undefined, { shape, data }: Numbers) => {
  const found = typeof given === "number" ? { shape: [], data: [given] } : given
  assert.deepStrictEqual(found?.shape.map(Number), shape, what)
  data.forEach((v, i) =>
    assert.closeTo(found?.data[i] ?? Number.NaN, v, 2e-5 * Math.max(1, Math.abs(v)), `${what} ${i}`),
  )
}

describe("PyTorch's options", () => {
  it("have a case each", () => assert.deepStrictEqual(Object.keys(ours), Object.keys(pytorch)))

  for (const [name, layer] of Object.entries(ours)) {
    it.effect(`${name}: is printed, named and computed as PyTorch's`, () =>
      Effect.gen(function* () {
        const { printed, state, parameters, inputs, training, after, evaluated, gradient } = pytorch[name]!
        assert.strictEqual(Nn.pytorch(layer), printed.replace("p=0.0", "p=0"))
        assert.deepStrictEqual(
          Nn.parameters(layer).map((p) => [p.path, p.shape]),
          Object.entries(state).map(([n, t]) => [n, t.shape]),
        )
        const trainable = Nn.parameters(layer).flatMap((p) =>
          p.requiresGrad ? p.shape.reduce((a, b) => a * b, 1) : [],
        )
        assert.strictEqual(
          trainable.reduce((a, b) => a + b, 0),
          parameters,
        )
        const [first, second, third] = inputs.map(constant)
        if (first === undefined || second === undefined || third === undefined) return
        assert.deepStrictEqual(layer.rule(first.shape, { by: "the input", from: null }), training[0]?.shape)
        // one step goes on from the statistics of the one before
        let params: { readonly [name: string]: Tensor.Tensor } = Object.fromEntries(
          Object.entries(state).map(([n, t]) => [n, constant(t)]),
        )
        const outputs = [first, second].map((x) => {
          const { output, updates } = Nn.forwardUnsafe(layer, params, x, { training: true })
          params = { ...params, ...updates }
          return output
        })
        const result = yield* Program.evaluate({
          outputs,
          params,
          evaluated: Nn.forwardUnsafe(layer, params, third).output,
        })
        training.forEach((y, i) => near(`batch ${i}`, result.outputs[i], y))
        for (const [n, t] of Object.entries(after)) near(n, result.params[n], t)
        near("evaluated", result.evaluated, evaluated)
        if (gradient === undefined) return
        const sum = Ops.sum(Nn.forwardUnsafe(layer, params, third).output)
        const { weight } = yield* Program.evaluate(Ops.grad(sum, { weight: params["weight"]! }))
        near("gradient", weight, gradient)
      }).pipe(Effect.provide(Reference.layer)),
    )
  }

  it("a type has the parameters that there are", () => {
    const net = Nn.sequential(
      Nn.input("N", 3, 8, 6),
      ["all", Nn.batchNorm2d(3)],
      ["bare", Nn.batchNorm2d(3, { affine: false, trackRunningStats: false })],
      ["untracked", Nn.batchNorm2d(3, { trackRunningStats: false })],
      ["running", Nn.batchNorm2d(3, { affine: false })],
      ["group", Nn.groupNorm(3, 3, { affine: false })],
      ["pool", Nn.adaptiveAvgPool2d([null, 2])],
      ["layer", Nn.layerNorm(2, { elementwiseAffine: false })],
      Nn.flatten(2),
    )
    const running = ["running_mean", "running_var", "num_batches_tracked"] as const
    type Running = (typeof running)[number]
    expectTypeOf<keyof Nn.StateDict<typeof net>>().toEqualTypeOf<
      `all.${"weight" | "bias" | Running}` | `untracked.${"weight" | "bias"}` | `running.${Running}`
    >()
    expectTypeOf<Nn.ParamShapes<typeof net>["running.running_var"]>().toEqualTypeOf<[3]>()
    expectTypeOf(net.out).toEqualTypeOf<["N", 3, 16]>()
    assert.deepStrictEqual(net.out, ["N", 3, 16])
    assert.deepStrictEqual(Object.keys(Nn.init(net, { seed: 1 })), [
      ...["weight", "bias", ...running].map((n) => `all.${n}`),
      ...["weight", "bias"].map((n) => `untracked.${n}`),
      ...running.map((n) => `running.${n}`),
    ])
  })

  it("a table's row of padding starts at 0", () => {
    const rows = Nn.init(Nn.embedding(3, 2, { paddingIdx: 1 }), { seed: 1 }).weight.data
    assert.deepStrictEqual(Array.from(rows.slice(2, 4)), [0, 0])
    assert.isTrue([...rows.slice(0, 2), ...rows.slice(4)].every((v) => v !== 0))
  })

  it("what cannot be is refused", () => {
    // @ts-expect-error no size
    const pool = Nn.adaptiveAvgPool2d([null, 0])
    const refusals = [
      Nn.sequential(Nn.input("N", 1, 3, 3), pool),
      Nn.sequential(Nn.input("N", 1, 3, 9), Nn.conv2d(1, 1, { kernelSize: 7, padding: 3, paddingMode: "reflect" })),
      Nn.sequential(Nn.input("N", 4), Nn.embedding(4, 2, { paddingIdx: 4 })),
    ]
    assert.deepStrictEqual(
      refusals.map((net) => net.refusal?.message),
      [
        "0: adaptiveAvgPool2d cannot follow: it has a wrong outputSize: 0 is not a size: 1, 2, 3, ...",
        "0: conv2d(1, 1) cannot follow: it has a reflect padding of 3, more than its input of 3 can give",
        "0: embedding(4, 2) cannot follow: it has a wrong paddingIdx: 4 is no row of 4",
      ],
    )
  })
})
