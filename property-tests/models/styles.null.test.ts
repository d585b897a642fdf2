/** Summaries in PyTorch's forms, against texts that PyTorch printed. */
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import * as Nn from "../../src/models/index.ts"

const printed = (name: string): string => readFileSync(new URL(`printed/${name}.txt`, import.meta.url), "utf8")
const words = (text: string): ReadonlyArray<string> =>
  text
    .trim()
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "))

describe("equal to the printed texts but for white space", () => {
  test("torchsummary of alexnet-d2l-imagenet", () => {
    expect(words(Nn.torchsummary(Nn.alexnetD2lImagenet()))).toEqual(words(printed("alexnet-d2l-imagenet.torchsummary")))
  })
  test("pytorch of alexnet-d2l-imagenet", () => {
    expect(words(Nn.pytorch(Nn.alexnetD2lImagenet()))).toEqual(words(printed("alexnet-d2l-imagenet.pytorch")))
  })
  test("pytorch of alexnet, its white space included", () => {
    expect(Nn.pytorch(Nn.alexnet())).toBe(printed("alexnet.pytorch").trimEnd())
  })
  test("the shapes of alexnet-d2l", () => {
    const ours = words(Nn.shapes(Nn.alexnetD2l())).map((line) => line.replace(" output shape:", ""))
    expect(ours).toEqual(words(printed("alexnet-d2l.shapes")).slice(1))
  })
})

test("torchinfo of LeNet", () => {
  expect(`\n${Nn.torchinfo(Nn.lenet())}\n`).toMatchInlineSnapshot(`
    "
    ===================================================================================================================
    Layer (type:depth-idx)                   Output Shape              Param #                   Mult-Adds
    ===================================================================================================================
    LeNet                                    [1, 10]                   --                        --
    ├─Sequential: 1-1                        [1, 6, 14, 14]            --                        --
    │    └─Conv2d: 2-1                       [1, 6, 28, 28]            60                        47,040
    │    └─MaxPool2d: 2-2                    [1, 6, 14, 14]            --                        --
    ├─Sequential: 1-2                        [1, 16, 5, 5]             --                        --
    │    └─Conv2d: 2-3                       [1, 16, 10, 10]           2,416                     241,600
    │    └─MaxPool2d: 2-4                    [1, 16, 5, 5]             --                        --
    ├─Sequential: 1-3                        [1, 10]                   --                        --
    │    └─Linear: 2-5                       [1, 120]                  48,120                    48,120
    │    └─Linear: 2-6                       [1, 84]                   10,164                    10,164
    │    └─Linear: 2-7                       [1, 10]                   850                       850
    ===================================================================================================================
    Total params: 61,610
    Trainable params: 61,610
    Non-trainable params: 0
    Total mult-adds (k): 347.77
    ===================================================================================================================
    Input size (kB): 3.14
    Forward/backward pass size (kB): 52.14
    Params size (kB): 246.44
    Estimated Total Size (kB): 301.72
    ===================================================================================================================
    "
  `)
})
test("torchinfo of a residual network counts its work once", () => {
  const text = Nn.torchinfo(Nn.resnet18(), { depth: 4 })
  expect(text).toContain("├─Sequential: 1-6")
  expect(text).toContain("│    │    │    └─Conv2d: 4-1")
})
// lines of tests/test_output/*.out of TylerYep/torchinfo, cut before columns that ours does not have
describe("as torchinfo prints it", () => {
  const lines = (text: string) => text.split("\n")
  test("resnet152", () => {
    const printed = lines(Nn.torchinfo(Nn.resnet152()))
    expect(printed).toHaveLength(529)
    expect(printed.map((line) => line.slice(0, 92).trimEnd())).toEqual(
      expect.arrayContaining([
        "Layer (type:depth-idx)                   Output Shape              Param #",
        "ResNet                                   [1, 1000]                 --",
        "├─Conv2d: 1-1                            [1, 64, 112, 112]         9,408",
        "│    └─Bottleneck: 2-1                   [1, 256, 56, 56]          --",
        "│    │    └─BatchNorm2d: 3-8             [1, 256, 56, 56]          512",
        "│    │    └─Sequential: 3-9              [1, 256, 56, 56]          16,896",
        "│    │    └─ReLU: 3-454                  [1, 2048, 7, 7]           --",
        "├─AdaptiveAvgPool2d: 1-9                 [1, 2048, 1, 1]           --",
        "├─Linear: 1-10                           [1, 1000]                 2,049,000",
        "Total params: 60,192,808",
        "Total mult-adds (G): 11.51",
        "Forward/backward pass size (MB): 360.87",
        "Params size (MB): 240.77",
        "Estimated Total Size (MB): 602.25",
      ]),
    )
  })
  test("resnet18 of 64×64 to a depth, and frozen", () => {
    const blocks = Nn.resnet18().children.map(({ name, layer }) => [name ?? "", layer] as const)
    const net = Nn.entitled("ResNet", Nn.sequential(Nn.input("N", 3, 64, 64), ...blocks))
    const printed = lines(Nn.torchinfo(net, { depth: 2 }))
    expect(printed.slice(3, 22).map((line) => line.slice(0, 76).trimEnd())).toEqual([
      "ResNet                                   [1, 1000]                 --",
      "├─Conv2d: 1-1                            [1, 64, 32, 32]           9,408",
      "├─BatchNorm2d: 1-2                       [1, 64, 32, 32]           128",
      "├─ReLU: 1-3                              [1, 64, 32, 32]           --",
      "├─MaxPool2d: 1-4                         [1, 64, 16, 16]           --",
      "├─Sequential: 1-5                        [1, 64, 16, 16]           --",
      "│    └─BasicBlock: 2-1                   [1, 64, 16, 16]           73,984",
      "│    └─BasicBlock: 2-2                   [1, 64, 16, 16]           73,984",
      "├─Sequential: 1-6                        [1, 128, 8, 8]            --",
      "│    └─BasicBlock: 2-3                   [1, 128, 8, 8]            230,144",
      "│    └─BasicBlock: 2-4                   [1, 128, 8, 8]            295,424",
      "├─Sequential: 1-7                        [1, 256, 4, 4]            --",
      "│    └─BasicBlock: 2-5                   [1, 256, 4, 4]            919,040",
      "│    └─BasicBlock: 2-6                   [1, 256, 4, 4]            1,180,672",
      "├─Sequential: 1-8                        [1, 512, 2, 2]            --",
      "│    └─BasicBlock: 2-7                   [1, 512, 2, 2]            3,673,088",
      "│    └─BasicBlock: 2-8                   [1, 512, 2, 2]            4,720,640",
      "├─AdaptiveAvgPool2d: 1-9                 [1, 512, 1, 1]            --",
      "├─Linear: 1-10                           [1, 1000]                 513,000",
    ])
    expect(printed).toContain("Total mult-adds (M): 148.57")
    expect(printed).toContain("Forward/backward pass size (MB): 3.25")
    expect(printed).toContain("Estimated Total Size (MB): 50.06")
    const frozen = lines(Nn.torchinfo(Nn.freeze(net, (path) => !path.startsWith("fc"))))
    expect(frozen.filter((line) => / 1-1 | 1-2 | 3-1 | 1-10 /.test(line))).toEqual([
      "├─Conv2d: 1-1                            [1, 64, 32, 32]           (9,408)                   9,633,792",
      "├─BatchNorm2d: 1-2                       [1, 64, 32, 32]           (128)                     128",
      "│    │    └─Conv2d: 3-1                  [1, 64, 16, 16]           (36,864)                  9,437,184",
      "├─Linear: 1-10                           [1, 1000]                 513,000                   513,000",
    ])
  })
  test("a small network", () => {
    const net = Nn.sequential(
      Nn.input("N", 1, 28, 28),
      Nn.conv2d(1, 10, { kernelSize: 5 }),
      Nn.maxPool2d({ kernelSize: 2 }),
      Nn.relu(),
      Nn.conv2d(10, 20, { kernelSize: 5 }),
      Nn.dropout(0.3),
      Nn.maxPool2d({ kernelSize: 2 }),
      Nn.relu(),
      Nn.flatten(),
      Nn.linear(320, 50),
      Nn.relu(),
      Nn.linear(50, 10),
      Nn.logSoftmax(1),
    )
    const printed = lines(Nn.torchinfo(Nn.entitled("SingleInputNet", net)))
    // its pools and activations are calls there, so that the numbers of layers differ
    expect(
      printed.flatMap((line) => (/(?:Conv2d|Linear):.*/.test(line) ? line.split(/ {2,}/).slice(1).join(" ") : [])),
    ).toEqual([
      "[1, 10, 24, 24] 260 149,760",
      "[1, 20, 8, 8] 5,020 321,280",
      "[1, 50] 16,050 16,050",
      "[1, 10] 510 510",
    ])
    expect(printed).toEqual(
      expect.arrayContaining([
        "Total params: 21,840",
        "Total mult-adds (k): 487.60",
        "Forward/backward pass size (kB): 56.80",
        "Params size (kB): 87.36",
      ]),
    )
  })
})
test("torchinfo counts a linear layer for each row, and a layer in two places once", () => {
  const fc = Nn.linear(4, 4)
  const net = Nn.sequential(Nn.input("N", 3, 4), ["a", fc], ["b", Nn.shared(fc)], ["c", Nn.layerNorm(4)])
  const rows = Nn.torchinfo(net).split("\n").slice(4, 7)
  expect(rows.map((row) => row.split(/ {2,}/).slice(1))).toEqual([
    ["[1, 3, 4]", "20", "60"],
    ["[1, 3, 4]", "(recursive)", "60"],
    ["[1, 3, 4]", "8", "8"],
  ])
  expect(Nn.torchinfo(net)).toContain("Total mult-adds: 128\n")
  expect(Nn.torchinfo(net)).toContain("Input size: 48\n")
  // Python rounds a half to even
  const half = Nn.sequential(Nn.input("N", 1124), Nn.linear(1124, 1))
  expect(Nn.torchinfo(half)).toContain("Total mult-adds (k): 1.12\n")
})
// as torchinfo prints them
test.each([
  ["alexnet", "(M): 714.68"],
  ["vgg16", "(G): 15.48"],
  ["resnet18", "(G): 1.81"],
  ["resnet50", "(G): 4.09"],
  ["densenet121", "(G): 2.83"],
])("torchinfo's multiply-adds of %s are those of parameters and positions", (name, total) => {
  const net = Nn.zoo[name]?.()
  expect(net === undefined ? "" : Nn.torchinfo(net)).toContain(`Total mult-adds ${total}\n`)
})
test("a branch that is the input itself is no module", () => {
  const printed = Nn.pytorch(Nn.densenet121()).split("\n").slice(6, 9)
  expect(printed).toEqual([
    "    (denseblock1): Sequential(",
    "      (denselayer1): Concat(",
    "        (norm1): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)",
  ])
  expect(Nn.torchinfo(Nn.densenet121(), { depth: 9 })).not.toContain("Sequential: 4-1 ")
  expect(Nn.pytorch(Nn.seq())).toBe("Sequential()")
})

test("layers as PyTorch prints them", () => {
  const layers = [
    Nn.conv2d(4, 8, { kernelSize: [3, 5], stride: [1, 2], padding: "same", dilation: 2, groups: 4, bias: false }),
    Nn.maxPool2d({ kernelSize: [2, 3], ceilMode: true }),
    Nn.avgPool2d({ kernelSize: 2 }),
    Nn.adaptiveAvgPool2d(1),
    Nn.batchNorm2d(8, { eps: 0.001 }),
    Nn.linear(4, 3, { bias: false }),
    Nn.relu6({ inplace: true }),
    Nn.leakyRelu(),
    Nn.gelu(),
    Nn.elu(),
    Nn.silu(),
    Nn.flatten(),
    Nn.softmax(1),
    Nn.identity(),
    Nn.localResponseNorm(5),
  ]
  expect(`\n${layers.map(Nn.pytorch).join("\n")}\n`).toBe(`
Conv2d(4, 8, kernel_size=(3, 5), stride=(1, 2), padding=same, dilation=(2, 2), groups=4, bias=False)
MaxPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0, dilation=1, ceil_mode=True)
AvgPool2d(kernel_size=2, stride=2, padding=0)
AdaptiveAvgPool2d(output_size=1)
BatchNorm2d(8, eps=0.001, momentum=0.1, affine=True, track_running_stats=True)
Linear(in_features=4, out_features=3, bias=False)
ReLU6(inplace=True)
LeakyReLU(negative_slope=0.01)
GELU(approximate='none')
ELU(alpha=1.0)
SiLU()
Flatten(start_dim=1, end_dim=-1)
Softmax(dim=1)
Identity()
LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=1.0)
`)
})

describe("what a convolution costs", () => {
  test("its size", () => {
    expect(Nn.outputSize(224, { kernelSize: 11, stride: 4, padding: 2 })).toBe(55)
    expect(Nn.outputSize(224, { kernelSize: 11, stride: 4, padding: 1 })).toBe(54)
    expect(Nn.outputSize(224, { kernelSize: 11, stride: 4 })).toBe(54)
    expect(Nn.outputSize(10, { kernelSize: 3, dilation: 4 })).toBe(2)
    expect(Nn.outputSize(2, { kernelSize: 3 })).toBeNull()
  })
  test("its parameters and multiply-adds", () => {
    expect(Nn.cost(Nn.conv2d(3, 96, { kernelSize: 11, stride: 4 }), [1, 3, 224, 224])).toEqual({
      output: [1, 96, 54, 54],
      parameters: 34_944,
      multiplyAdds: 96 * 54 * 54 * 363,
      refusal: null,
    })
  })
  test("1×1 before 5×5 costs a tenth", () => {
    const input = ["N", 192, 28, 28]
    const five = Nn.conv2d(192, 32, { kernelSize: 5, padding: 2 })
    const reduced = Nn.seq(Nn.conv2d(192, 16, { kernelSize: 1 }), Nn.conv2d(16, 32, { kernelSize: 5, padding: 2 }))
    expect(Nn.cost(five, input).multiplyAdds).toBe(120_422_400)
    expect(Nn.cost(reduced, input).multiplyAdds).toBe(12_443_648)
    expect(Nn.cost(reduced, input).output).toEqual(Nn.cost(five, input).output)
  })
  test("of one that does not fit is told with the reason", () => {
    expect(Nn.cost(Nn.linear(4, 3), ["N", 5])).toMatchObject({
      output: [],
      parameters: 0,
      refusal: { sentence: "linear(4, 3) cannot take this input: it expects 4 input features but the input gives 5" },
    })
  })
})
