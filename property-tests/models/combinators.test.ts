/** Residual blocks, branches, empty names and heads on the side: names, shapes, sentences, and numbers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Reference from "../../src/gpu/reference/Reference.ts"
import { HostTensor, Nn, Program, Tensor } from "../../src/index.ts"

const paths = (net: Nn.Layer) => Nn.parameters(net).map((p) => p.path)
const fixed = (shape: ReadonlyArray<number>): Tensor.Tensor =>
  Tensor.constant(
    HostTensor.make(
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
    ),
  )
/** what a net gives where every parameter counts up from 1 */
const run = (net: Nn.Layer, shape: ReadonlyArray<number>, options: Nn.ApplyOptions = {}) => {
  const params = Object.fromEntries(Nn.parameters(net).map((p) => [p.path, fixed(p.shape)]))
  const { output, updates, auxiliary } = Nn.forward<Nn.Layer, Tensor.Tensor["shape"]>(
    net,
    params,
    fixed(shape),
    options,
  )
  return Program.evaluate({ output, updates, auxiliary }).pipe(Effect.provide(Reference.layer))
}
const values = (t: HostTensor.HostTensor | number) => (typeof t === "number" ? [t] : [...t.data])

describe("names", () => {
  it("of an item with the empty name are those of the list it stands in", () => {
    const inner = Nn.seq(["fc1", Nn.linear(4, 4)], Nn.relu(), ["fc2", Nn.linear(4, 2)])
    const net = Nn.sequential(Nn.input("N", 4), ["", inner], ["", Nn.linear(2, 2)])
    assert.deepStrictEqual(paths(net), ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "weight", "bias"])
    assert.deepStrictEqual(
      Nn.summary(net).rows.map((r) => r.name),
      ["fc1", "1", "fc2", ""],
    )
  })
  it("that would be one are refused, across an empty name as well", () => {
    const net = Nn.sequential(Nn.input("N", 4), ["fc", Nn.linear(4, 4)], ["", Nn.seq(["fc", Nn.linear(4, 4)])])
    assert.include(net.refusal?.message ?? "", "it has two layers named fc")
    const free = Nn.sequential(Nn.input("N", 4), Nn.relu(), ["", Nn.seq(Nn.relu(), ["fc", Nn.linear(4, 4)])])
    assert.isNull(free.refusal)
  })
  it("of errors leave it out, and find the layer", () => {
    const width = Number("3")
    const net = Nn.sequential(Nn.input("N", 4), ["block", [["", Nn.seq(["fc", Nn.linear(width, 4)])]]])
    assert.strictEqual(
      net.refusal?.message,
      "block.fc: linear(3, 4) cannot follow: it expects 3 input features but the input gives 4",
    )
    assert.strictEqual(net.refusal?.op, "linear(3, 4)")
    const leaf = Nn.sequential(Nn.input("N", 4), Nn.relu(), ["", Nn.linear(width, 4)])
    assert.strictEqual(leaf.refusal?.path, "1")
    assert.strictEqual(leaf.refusal?.op, "linear(3, 4)")
  })
  it("of a layer that stands twice are its first, and it counts once", () => {
    const fc = Nn.linear(4, 4)
    const net = Nn.sequential(Nn.input("N", 4), ["a", fc], Nn.relu(), ["b", fc])
    assert.deepStrictEqual(paths(net), ["a.weight", "a.bias"])
    assert.strictEqual(Nn.summary(net).parameters, 20)
  })
})

it.effect("a shared layer computes with one set of parameters", () =>
  Effect.gen(function* () {
    const fc = Nn.linear(2, 2)
    const shared = yield* run(Nn.sequential(Nn.input("N", 2), ["a", fc], ["b", fc]), [1, 2])
    // W = [[1, 2], [3, 4]], b = [1, 2]: [1, 2] → [6, 13] → [33, 72]
    assert.deepStrictEqual(values(shared.output), [33, 72])
  }),
)

describe("residual", () => {
  const width = Number("3")
  it("says which two shapes it cannot add", () => {
    const net = Nn.sequential(Nn.input("N", 64, 56, 56), Nn.residual([Nn.conv2d(64, 64, { kernelSize: width })]))
    assert.strictEqual(
      net.refusal?.message,
      "0: residual cannot follow: it adds N×64×54×54 of its body to N×64×56×56 of its input",
    )
  })
  it("names the place inside its shortcut", () => {
    const shortcut = [Nn.relu(), Nn.conv2d(width, 8, { kernelSize: 1 })] as const
    const body = [Nn.conv2d(4, 8, { kernelSize: 1 })] as const
    const net = Nn.sequential(Nn.input("N", 4, 8, 8), Nn.residual(body, { shortcut }))
    assert.strictEqual(net.refusal?.path, "0.downsample.1")
    assert.strictEqual(net.refusal?.op, "conv2d(3, 8)")
    assert.deepStrictEqual(
      Nn.summary(net).rows.map((r) => r.name),
      ["0.0", "0.downsample.0"],
    )
  })
  it.effect("adds, and activates the sum", () =>
    Effect.gen(function* () {
      const net = Nn.sequential(
        Nn.input("N", 1, 1, 2),
        Nn.residual([["conv1", Nn.conv2d(1, 1, { kernelSize: 1 })]], {
          shortcut: [Nn.conv2d(1, 1, { kernelSize: 1, bias: false })],
          after: Nn.relu(),
        }),
      )
      assert.deepStrictEqual(paths(net), ["0.conv1.weight", "0.conv1.bias", "0.downsample.0.weight"])
      assert.deepStrictEqual(values((yield* run(net, [1, 1, 1, 2])).output), [3, 5])
      const plain = Nn.sequential(Nn.input("N", 2), Nn.residual([Nn.relu()]))
      assert.deepStrictEqual(values((yield* run(plain, [1, 2])).output), [2, 4])
    }),
  )
})

describe("concat", () => {
  it("says which sizes it cannot join", () => {
    const net = Nn.sequential(
      Nn.input("N", 64, 28, 28),
      Nn.concat([], Nn.conv2d(64, 128, { kernelSize: [Number("2"), 1] })),
    )
    assert.strictEqual(net.refusal?.message, "0: concat cannot follow: it joins 28×28 with 27×28")
  })
  it.effect("joins its branches in order, with their running statistics", () =>
    Effect.gen(function* () {
      const net = Nn.sequential(
        Nn.input("N", 1, 1, 2),
        Nn.concat([], ["", [["norm", Nn.batchNorm2d(1)]]], ["b", Nn.conv2d(1, 1, { kernelSize: 1, bias: false })]),
      )
      assert.deepStrictEqual(net.out, ["N", 3, 1, 2])
      const done = yield* run(net, [1, 1, 1, 2], { training: true })
      assert.deepStrictEqual(values(done.output).slice(0, 2), [1, 2])
      assert.deepStrictEqual(values(done.output).slice(4), [1, 2])
      assert.deepStrictEqual(Object.keys(done.updates), [
        "0.norm.running_mean",
        "0.norm.running_var",
        "0.norm.num_batches_tracked",
      ])
    }),
  )
})

it.effect("a head on the side is heard in training only", () =>
  Effect.gen(function* () {
    const net = Nn.sequential(
      Nn.input("N", 2),
      ["aux", Nn.auxiliary(["fc", Nn.linear(2, 1, { bias: false })])],
      ["fc", Nn.linear(2, 1, { bias: false })],
    )
    assert.deepStrictEqual(paths(net), ["aux.fc.weight", "fc.weight"])
    const training = yield* run(net, [1, 2], { training: true })
    assert.deepStrictEqual(Object.keys(training.auxiliary), ["aux"])
    assert.deepStrictEqual(Object.keys((yield* run(net, [1, 2])).auxiliary), [])
  }),
)

describe("initialisers", () => {
  const net = Nn.sequential(Nn.input("N", 300), ["fc", Nn.linear(300, 200)])
  const moments = (init: Nn.Init) => {
    const { data } = Nn.init(Nn.initWeights(net, { linear: { weight: init } }), { seed: 3 })["fc.weight"]
    const mean = data.reduce((a, b) => a + b, 0) / data.length
    const std = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length)
    return { mean, std, largest: data.reduce((a, b) => Math.max(a, Math.abs(b)), 0) }
  }
  it.each([
    ["kaimingNormal", Nn.kaimingNormal(), Math.sqrt(2 / 300)],
    ["kaimingNormal, fan out", Nn.kaimingNormal({ fan: "out" }), Math.sqrt(2 / 200)],
    ["kaimingUniform", Nn.kaimingUniform(), Math.sqrt(2 / 300)],
    ["xavierNormal", Nn.xavierNormal({ gain: 2 }), 2 * Math.sqrt(1 / 250)],
    ["xavierUniform", Nn.xavierUniform(), Math.sqrt(1 / 250)],
    ["normal", Nn.normal(0, 0.01), 0.01],
    ["truncatedNormal, far", Nn.truncatedNormal(0, 0.01), 0.01],
    // the variance of a standard normal between −1 and 1
    ["truncatedNormal, near", Nn.truncatedNormal(0, 1, -1, 1), 0.5395],
  ] as const)("%s", (_, init, std) => {
    const found = moments(init)
    assert.closeTo(found.std / std, 1, 0.02)
    assert.closeTo(found.mean / std, 0, 0.02)
    if (init._tag === "Scaled" && init.distribution === "uniform") assert.isAtMost(found.largest, Math.sqrt(3) * std)
    if (init._tag === "TruncatedNormal") assert.isAtMost(found.largest, init.to)
  })
  it("are those of torchvision in alexnet-half and vgg16", () => {
    const inits = (model: Nn.Layer) =>
      Object.fromEntries(Nn.parameters(model).map((p) => [p.path, p.init._tag === "Scaled" ? p.init.fan : p.init._tag]))
    for (const model of [Nn.alexnetHalf({ initWeights: true }), Nn.vgg16()]) {
      const found = inits(model)
      assert.strictEqual(found["features.0.weight"], "out")
      assert.strictEqual(found["features.0.bias"], "Fill")
      assert.strictEqual(found["classifier.4.weight"] ?? found["classifier.3.weight"], "Normal")
    }
    assert.strictEqual(inits(Nn.alexnetHalf())["features.0.weight"], "Uniform")
  })
})

it("what is frozen no longer learns, and is still counted", () => {
  const net = Nn.freeze(Nn.lenet(), (path) => path.startsWith("layer3."))
  const { parameters, trainable } = Nn.summary(net)
  assert.strictEqual(parameters, 61_610)
  assert.strictEqual(trainable, 2_476)
  const learns = Nn.parameters(net).filter((p) => p.requiresGrad)
  assert.deepStrictEqual(
    learns.map((p) => p.path),
    ["layer1.conv1.weight", "layer1.conv1.bias", "layer2.conv2.weight", "layer2.conv2.bias"],
  )
  assert.include(Nn.torchsummary(net), "Non-trainable params: 59,134")
})
