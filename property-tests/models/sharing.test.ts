/** Layers that stand in a model twice: one set of parameters, gradients that add up, statistics that move twice. */
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
/** computed by scripts/referenceSharing.py */
const pytorch: {
  readonly input: Numbers
  readonly params: Named
  readonly loss: number
  readonly gradients: Named
  readonly buffers: Named
  readonly logits: Numbers
} = JSON.parse(readFileSync(new URL("golden/sharing.json", import.meta.url), "utf8"))

const model = () => {
  const conv = Nn.conv2d(2, 2, { kernelSize: 3, padding: 1 })
  const norm = Nn.batchNorm2d(2)
  return Nn.sequential(
    Nn.input("N", 2, 4, 3),
    ["conv", conv],
    ["norm", norm],
    Nn.relu(),
    ["again", Nn.shared(conv)],
    ["norm2", Nn.shared(norm)],
    Nn.flatten(),
    ["fc", Nn.linear(24, 3)],
  )
}
const buffers = ["norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]
const names = ["conv.weight", "conv.bias", "norm.weight", "norm.bias", ...buffers, "fc.weight", "fc.bias"]

const constant = ({ shape, data }: Numbers) => Tensor.constant(HostTensor.make(shape, Float32Array.from(data)))
const near = (what: string, given: HostTensor.HostTensor | number | undefined, { data }: Numbers) => {
  const numbers = given === undefined ? [] : typeof given === "number" ? [given] : [...given.data]
  assert.strictEqual(numbers.length, data.length, what)
  data.forEach((v, i) => assert.closeTo(numbers[i] ?? Number.NaN, v, 2e-5 * Math.max(1, Math.abs(v)), `${what} ${i}`))
}

describe("a layer in two places", () => {
  it("has one set of parameters, for values, types and counts", () => {
    const net = model()
    assert.deepStrictEqual(
      Nn.parameters(net).map((p) => p.path),
      names,
    )
    assert.deepStrictEqual(Object.keys(Nn.init(net, { seed: 1 })), names)
    expectTypeOf<keyof Nn.ParamShapes<typeof net>>().toEqualTypeOf<
      | "conv.weight"
      | "conv.bias"
      | "norm.weight"
      | "norm.bias"
      | "norm.running_mean"
      | "norm.running_var"
      | "norm.num_batches_tracked"
      | "fc.weight"
      | "fc.bias"
    >()
    expectTypeOf(net.out).toEqualTypeOf<["N", 3]>()
    const { parameters, trainable, rows } = Nn.summary(net)
    assert.deepStrictEqual([parameters, trainable], [38 + 4 + 75, 38 + 4 + 75])
    assert.deepStrictEqual(
      rows.map((r) => r.parameters),
      [38, 4, 0, 0, 0, 0, 75],
    )
    // it works twice, though
    assert.deepStrictEqual(rows[3]?.multiplyAdds, rows[0]?.multiplyAdds)
    assert.include(Nn.torchsummary(net), "Total params: 117")
  })

  it.effect("computes, learns and keeps statistics as PyTorch's", () =>
    Effect.gen(function* () {
      const net: Nn.Layer = model()
      const x = constant(pytorch.input)
      const params = Object.fromEntries(Object.entries(pytorch.params).map(([n, t]) => [n, constant(t)]))
      const fresh = {
        "norm.running_mean": constant({ shape: [2], data: [0, 0] }),
        "norm.running_var": constant({ shape: [2], data: [1, 1] }),
        "norm.num_batches_tracked": constant({ shape: [], data: [0] }),
      }
      const { output, updates } = Nn.forwardUnsafe(net, { ...params, ...fresh }, x, { training: true })
      assert.deepStrictEqual(Object.keys(updates), buffers)
      const labels = Tensor.constant(HostTensor.make([3], [0, 2, 1]))
      const loss = Ops.crossEntropy(output as Tensor.Tensor<[number, number]>, labels)
      const result = yield* Program.evaluate({ loss, gradients: Ops.grad(loss, params), updates })
      assert.closeTo(result.loss, pytorch.loss, 1e-5)
      for (const [name, t] of Object.entries(pytorch.gradients)) near(`d${name}`, result.gradients[name], t)
      for (const [name, t] of Object.entries(pytorch.buffers)) near(name, result.updates[name], t)
      const after = Object.fromEntries(Object.entries(pytorch.buffers).map(([n, t]) => [n, constant(t)]))
      const evaluated = Nn.forwardUnsafe(net, { ...params, ...after }, x)
      assert.deepStrictEqual(evaluated.updates, {})
      near("logits", (yield* Program.evaluate({ logits: evaluated.output })).logits, pytorch.logits)
    }).pipe(Effect.provide(Reference.layer)),
  )
})
