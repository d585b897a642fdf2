/** Normalising, transposed and table layers: shapes in types and values, names, and that they run. */
import { assert, expectTypeOf, it } from "vitest"
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import { HostTensor, Nn, Program, Tensor } from "../../src/index.ts"

const run = (net: Nn.Layer, x: HostTensor.HostTensor) => {
  const first: { readonly [name: string]: HostTensor.HostTensor } = Nn.init(net, { seed: 1 })
  const params = Object.fromEntries(
    Object.entries(first).map(([k, v]) => [k, Tensor.constant<Tensor.Tensor["shape"]>(v)]),
  )
  const y = Nn.apply<Nn.Layer, Tensor.Tensor["shape"]>(net, params, Tensor.constant<Tensor.Tensor["shape"]>(x))
  return Effect.runPromise(Program.evaluate(y).pipe(Effect.provide(Reference.layer)))
}

it("normalise, enlarge and look up", async () => {
  const net = Nn.sequential(
    Nn.input("N", 4, 3, 3),
    ["up", Nn.convTranspose2d(4, 6, { kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2 })],
    ["group", Nn.groupNorm(2, 6)],
    ["last", Nn.layerNorm(6)],
  )
  expectTypeOf(net.out).toEqualTypeOf<["N", 6, 6, 6]>()
  expectTypeOf<Nn.ParamShapes<typeof net>["up.weight"]>().toEqualTypeOf<[4, 3, 3, 3]>()
  assert.deepStrictEqual(net.out, ["N", 6, 6, 6])
  assert.deepStrictEqual(
    Nn.parameters(net).map((p) => `${p.path} ${p.shape.join("x")}`),
    ["up.weight 4x3x3x3", "up.bias 6", "group.weight 6", "group.bias 6", "last.weight 6", "last.bias 6"],
  )
  const y = await run(
    net,
    HostTensor.make(
      [2, 4, 3, 3],
      Array.from({ length: 72 }, (_, i) => Math.sin(i)),
    ),
  )
  assert.isTrue(typeof y !== "number" && y.data.length === 432 && y.data.every(Number.isFinite))
  if (typeof y === "number") return
  // a normalised row has mean 0
  assert.closeTo(
    y.data.slice(0, 6).reduce((a, b) => a + b, 0),
    0,
    1e-4,
  )

  const table = Nn.sequential(Nn.input("N", 2), ["rows", Nn.embedding(5, 3)])
  expectTypeOf(table.out).toEqualTypeOf<["N", 2, 3]>()
  const rows = await run(table, HostTensor.make([1, 2], [4, 0]))
  const first = Nn.init(table, { seed: 1 })["rows.weight"].data
  assert.isTrue(typeof rows !== "number")
  if (typeof rows !== "number") assert.deepStrictEqual([...rows.data], [...first.slice(12), ...first.slice(0, 3)])
})

it("are printed as PyTorch prints them, and refuse what does not fit", () => {
  const printed = [
    Nn.convTranspose2d(4, 6, { kernelSize: 3, stride: 2, outputPadding: 1 }),
    Nn.groupNorm(2, 6),
    Nn.layerNorm(6),
    Nn.embedding(5, 3),
  ].map(Nn.pytorch)
  assert.deepStrictEqual(printed, [
    "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))",
    "GroupNorm(2, 6, eps=1e-05, affine=True)",
    "LayerNorm((6,), eps=1e-05, elementwise_affine=True)",
    "Embedding(5, 3)",
  ])
  const net = Nn.sequential(Nn.input("N", 5), Nn.layerNorm(Number("6")))
  assert.strictEqual(net.refusal?.message, "0: layerNorm(6) cannot follow: it expects 6 features but the input gives 5")
})

it("without a momentum, running statistics are the mean of all batches", async () => {
  const net: Nn.Layer = Nn.sequential(Nn.input("N", 1, 2, 1), Nn.batchNorm2d(1, { momentum: null }))
  assert.include(Nn.pytorch(net), "BatchNorm2d(1, eps=1e-05, momentum=None, affine=True, track_running_stats=True)")
  const first: { readonly [name: string]: HostTensor.HostTensor } = Nn.init(net, { seed: 1 })
  const constants = Object.entries(first).map(([k, v]) => [k, Tensor.constant<Tensor.Tensor["shape"]>(v)] as const)
  const batches = [
    [1, 3],
    [2, 10],
    [-4, 0],
  ]
  let params: { readonly [name: string]: Tensor.Tensor } = Object.fromEntries(constants)
  for (const numbers of batches) {
    const x = Tensor.constant<Tensor.Tensor["shape"]>(HostTensor.make([1, 1, 2, 1], Float32Array.from(numbers)))
    params = { ...params, ...Nn.forwardUnsafe(net, params, x, { training: true }).updates }
  }
  const { mean, variance, count } = await Effect.runPromise(
    Program.evaluate({
      mean: params["0.running_mean"] ?? Tensor.fill(0),
      variance: params["0.running_var"] ?? Tensor.fill(0),
      count: params["0.num_batches_tracked"] ?? Tensor.fill(0),
    }).pipe(Effect.provide(Reference.layer)),
  )
  // the batches' means are 2, 6 and -2, and their unbiased variances 2, 32 and 8
  const numbers = (t: HostTensor.HostTensor | number) => (typeof t === "number" ? t : (t.data[0] ?? Number.NaN))
  assert.closeTo(numbers(mean), 2, 1e-6)
  assert.closeTo(numbers(variance), 14, 1e-5)
  assert.strictEqual(numbers(count), 3)
})
