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
    =================================================================
    Layer (type:depth-idx)    Output Shape       Param #    Mult-Adds
    =================================================================
    LeNet                     [1, 10]            --         --
    ├─Sequential: 1-1         [1, 6, 14, 14]     --         --
    │    └─Conv2d: 2-1        [1, 6, 28, 28]     60         47,040
    │    └─MaxPool2d: 2-2     [1, 6, 14, 14]     --         --
    ├─Sequential: 1-2         [1, 16, 5, 5]      --         --
    │    └─Conv2d: 2-3        [1, 16, 10, 10]    2,416      241,600
    │    └─MaxPool2d: 2-4     [1, 16, 5, 5]      --         --
    ├─Sequential: 1-3         [1, 10]            --         --
    │    └─Linear: 2-5        [1, 120]           48,120     48,120
    │    └─Linear: 2-6        [1, 84]            10,164     10,164
    │    └─Linear: 2-7        [1, 10]            850        850
    =================================================================
    Total params: 61,610
    Trainable params: 61,610
    Non-trainable params: 0
    Total mult-adds (M): 0.35
    =================================================================
    Input size (MB): 0.00
    Forward/backward pass size (MB): 0.05
    Params size (MB): 0.25
    Estimated Total Size (MB): 0.30
    =================================================================
    "
  `)
})
test("torchinfo of a residual network counts its work once", () => {
  const text = Nn.torchinfo(Nn.resnet18())
  expect(text).toContain("├─Sequential: 1-6")
  expect(text).toContain("│    │    │    └─Conv2d: 4-1")
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
  expect(Nn.torchinfo(Nn.densenet121())).not.toContain("Sequential: 4-1 ")
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
