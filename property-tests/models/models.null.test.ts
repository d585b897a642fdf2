/** What a model is: names and sizes of its parameters, its table, its first numbers, and what a misfit says. */
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import * as Nn from "../../src/models/index.ts"
import * as Tensor from "../../src/ops/Tensor.ts"

interface ModelCase {
  readonly name: string
  readonly params: number
  readonly state: ReadonlyArray<readonly [string, ReadonlyArray<number>]>
}
const golden: { readonly cases: ReadonlyArray<ModelCase> } = JSON.parse(
  readFileSync(new URL("../conformance/golden/cases.json", import.meta.url), "utf8"),
)
const zoo = { lenet: Nn.lenet(), tinyvgg: Nn.tinyVgg({ input: 1, hidden: 10, output: 10 }) }
const counts = { lenet: 61_610, tinyvgg: 7_740 }

describe.each(["lenet", "tinyvgg"] as const)("%s", (name) => {
  const reference = golden.cases.find((c) => c.name === `model/${name}`)
  test("has PyTorch's names and shapes, in its order", () => {
    expect(Nn.parameters(zoo[name]).map(({ path, shape }) => [path, shape])).toEqual(reference?.state)
  })
  test("has as many parameters as the reference", () => {
    expect(Nn.summary(zoo[name]).parameters).toBe(counts[name])
    expect(reference?.params).toBe(counts[name])
  })
  test("fits", () => {
    expect(zoo[name].refusal).toBeNull()
    expect(zoo[name].in).toEqual(["N", 1, 28, 28])
    expect(zoo[name].out).toEqual(["N", 10])
  })
})

test("the table of LeNet", () => {
  expect(`\n${Nn.showSummary(Nn.summary(zoo.lenet))}\n`).toMatchInlineSnapshot(`
    "
    name          layer             output      parameters  multiply-adds
    ─────────────────────────────────────────────────────────────────────
                  input             N×1×28×28
    layer1.conv1  conv2d(1, 6)      N×6×28×28           60         42,336
    layer1.pool1  maxPool2d         N×6×14×14            0              0
    layer2.conv2  conv2d(6, 16)     N×16×10×10       2,416        240,000
    layer2.pool2  maxPool2d         N×16×5×5             0              0
    2             flatten           N×400                0              0
    layer3.fc1    linear(400, 120)  N×120           48,120         48,000
    layer3.fc2    linear(120, 84)   N×84            10,164         10,080
    layer3.fc3    linear(84, 10)    N×10               850            840
    ─────────────────────────────────────────────────────────────────────
                  total                             61,610        341,256
    "
  `)
})

describe("the first numbers", () => {
  const first = Nn.init(zoo.lenet, { seed: 1 })
  test("have the names and shapes of the parameters", () => {
    for (const { path, shape } of Nn.parameters(zoo.lenet)) {
      const found = Object.entries(first).find(([k]) => k === path)?.[1]
      expect(found?.shape).toEqual(shape)
      expect(found?.data.length).toBe(shape.reduce((a, b) => a * b, 1))
    }
  })
  test("are uniform in ±1/√(fan in)", () => {
    for (const [name, fan] of [
      ["layer3.fc1.weight", 400],
      ["layer3.fc1.bias", 400],
      ["layer2.conv2.weight", 150],
      ["layer2.conv2.bias", 150],
    ] as const) {
      const data = [...first[name].data]
      const bound = 1 / Math.sqrt(fan)
      const mean = data.reduce((a, b) => a + b, 0) / data.length
      const variance = data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length
      expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(bound)
      expect(Math.abs(mean) / (bound / Math.sqrt(3 * data.length))).toBeLessThan(4)
      expect(Math.abs(variance / (bound ** 2 / 3) - 1)).toBeLessThan(4 / Math.sqrt(data.length))
    }
  })
  test("depend on the seed and the parameter's name, and on nothing else in the model", () => {
    expect(Nn.init(zoo.lenet, { seed: 1 })).toEqual(first)
    expect(Nn.init(zoo.lenet, { seed: 2 })["layer3.fc3.bias"].data).not.toEqual(first["layer3.fc3.bias"].data)
    const other = Nn.sequential(Nn.input("N", 84), ["layer3", [Nn.relu(), ["fc3", Nn.linear(84, 10)]]])
    expect(Nn.init(other, { seed: 1 })["layer3.fc3.weight"]).toEqual(first["layer3.fc3.weight"])
    expect(first["layer3.fc2.bias"].data.slice(0, 10)).not.toEqual(first["layer3.fc3.bias"].data.slice(0, 10))
  })
})

// as from JavaScript, or from sizes that are only known at run time
const unknownSize = (n: number): number => n

describe("layers that do not fit at run time", () => {
  const wrong = Nn.sequential(
    Nn.input("N", 1, 28, 28),
    ["layer1", [["conv1", Nn.conv2d(1, 6, { kernelSize: 3, padding: 1 })], Nn.maxPool2d({ kernelSize: 2 })]],
    ["layer2", [["conv2", Nn.conv2d(6, 16, { kernelSize: 5 })], Nn.maxPool2d({ kernelSize: 2 })]],
    Nn.flatten(),
    [
      "layer3",
      [
        ["fc1", Nn.linear(unknownSize(401), 120)],
        ["fc2", Nn.linear(120, 84)],
      ],
    ],
  )
  const sentence =
    "linear(401, 120) cannot follow: it expects 401 input features but the layer above gives 400 (16×5×5)"

  test("throw nothing: the net carries the sentence of the compile error, and where", () => {
    expect(wrong.refusal?._tag).toBe("ShapeMismatch")
    expect(wrong.refusal?.message).toBe(`layer3.fc1: ${sentence}`)
    expect(wrong.refusal).toMatchObject({ op: "linear(401, 120)", path: "layer3.fc1", sentence })
    expect(wrong.out).toEqual([])
  })
  test("the table ends where they do not fit, and says why", () => {
    const table = Nn.summary(wrong)
    expect(table.rows.map((r) => r.name)).toEqual(["layer1.conv1", "layer1.1", "layer2.conv2", "layer2.1", "2"])
    expect(Nn.showSummary(table)).toContain(sentence)
  })
  test("and so does a tensor it is applied to", () => {
    const params = Object.fromEntries(
      Object.entries(Nn.init(wrong, { seed: 1 })).map(([k, v]) => [k, Tensor.constant<Tensor.Tensor["shape"]>(v)]),
    )
    const x = Tensor.make(["N", 1, 28, 28], { _tag: "Input" })
    const y = Nn.apply<Nn.Layer, Tensor.Tensor["shape"]>(wrong, params, x)
    expect(Tensor.refusal(y)?.message).toBe(`layer3.fc1: ${sentence}`)
  })
  test("two layers of one name are refused: their parameters would be one", () => {
    const net = Nn.sequential(Nn.input("N", 4), [
      "block",
      [
        ["fc", Nn.linear(4, 4)],
        ["fc", Nn.linear(4, 4)],
      ],
    ])
    expect(net.refusal?.message).toBe("block: seq cannot follow: it has two layers named fc")
  })
  test.each([
    [Nn.conv2d(3, unknownSize(0), { kernelSize: 3 }), "it has a wrong outChannels: 0 is not a size: 1, 2, 3, ..."],
    [Nn.conv2d(3, 8, { kernelSize: unknownSize(2.5) }), "it has a wrong kernelSize: 2.5 is not a size: 1, 2, 3, ..."],
    [
      Nn.conv2d(3, 8, { kernelSize: 3, stride: [1, unknownSize(0)] }),
      "it has a wrong stride: 0 is not a size: 1, 2, 3, ...",
    ],
    [
      Nn.conv2d(3, 8, { kernelSize: 3, padding: unknownSize(-1) }),
      "it has a wrong padding: -1 is not a count: 0, 1, 2, ...",
    ],
    [
      Nn.conv2d(3, 8, { kernelSize: 3, groups: unknownSize(2) }),
      "it has a wrong groups: 2 groups do not divide the 3 input channels",
    ],
    [
      Nn.maxPool2d({ kernelSize: 3, padding: unknownSize(2) }),
      "it has a wrong padding: padding 2 is more than half of the kernel 3",
    ],
    [Nn.linear(unknownSize(-4), 8), "it has a wrong inFeatures: -4 is not a size: 1, 2, 3, ..."],
  ])("a size that is none is refused with the guard's sentence: %#", (layer, why) => {
    const net = Nn.sequential(Nn.input("N", 3, 9, 9), ["bad", layer])
    expect(net.refusal?.message).toBe(`bad: ${layer.label} cannot follow: ${why}`)
    expect(Nn.init(net, { seed: 1 })).toEqual({})
  })
})

describe("applying", () => {
  const net = zoo.lenet
  const host = Nn.init(net, { seed: 1 })
  const params: { readonly [name: string]: Tensor.Tensor } = Object.fromEntries(
    Object.entries(host).map(([k, v]) => [k, Tensor.constant<Tensor.Tensor["shape"]>(v)]),
  )
  const apply = (x: Tensor.Tensor, p = params) => Nn.apply<Nn.Layer, Tensor.Tensor["shape"]>(net, p, x)
  const images = (...shape: Tensor.Tensor["shape"]) => Tensor.make(shape, { _tag: "Input" })

  test("gives a tensor of the shape that the rules say", () => {
    expect(apply(images("N", 1, 28, 28)).shape).toEqual(["N", 10])
    expect(apply(images(8, 1, 28, 28)).shape).toEqual([8, 10])
  })
  test("an input that does not fit carries the sentence of the compile error", () => {
    expect(Tensor.refusal(apply(images(8, 3, 28, 28)))?.message).toBe(
      "layer1.conv1: conv2d(1, 6) cannot follow: it expects 1 input channels but the input gives 3",
    )
  })
  test("parameters that are another model's are refused by name", () => {
    const { "layer3.fc1.bias": _, ...less } = params
    expect(Tensor.refusal(apply(images(8, 1, 28, 28), less))?.message).toContain(
      "the parameters have no layer3.fc1.bias",
    )
    const other = { ...params, "layer3.fc2.weight": Tensor.fill(0) }
    expect(Tensor.refusal(apply(images(8, 1, 28, 28), other))?.message).toBe(
      "layer3.fc2.weight is a scalar, but the model needs 84×120. Take the parameters of this model: those of Nn.init, or of a checkpoint of it",
    )
  })
})
