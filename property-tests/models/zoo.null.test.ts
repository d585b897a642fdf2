/** Every model of the zoo: what it takes and gives, how many numbers it learns, and PyTorch's names for them. */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { describe, expect, expectTypeOf, test } from "vitest"
import * as Nn from "../../src/models/index.ts"

const counts: { readonly [name: string]: number } = {
  lenet: 61_610,
  tinyvgg: 7_740,
  mnistcnn: 2_328_298,
  alexnet: 61_100_840,
  "alexnet-5x5": 45_510_474,
  "alexnet-half": 16_630_440,
  "alexnet-d2l": 46_764_746,
  "alexnet-d2l-nopad": 46_764_746,
  "alexnet-d2l-imagenet": 50_844_008,
  vgg11: 132_863_336,
  vgg13: 133_047_848,
  vgg16: 138_357_544,
  vgg19: 143_667_240,
  "vgg11-bn": 132_868_840,
  "vgg13-bn": 133_053_736,
  "vgg16-bn": 138_365_992,
  "vgg19-bn": 143_678_248,
  nin: 1_992_166,
  googlenet: 6_624_904,
  "googlenet-aux": 13_004_888,
  resnet18: 11_689_512,
  resnet34: 21_797_672,
  resnet50: 25_557_032,
  resnet101: 44_549_160,
  resnet152: 60_192_808,
  densenet121: 7_978_856,
  densenet161: 28_681_000,
  densenet169: 14_149_480,
  densenet201: 20_013_928,
  "mobilenet-v2": 3_504_872,
  squeezenet1_0: 1_248_424,
  squeezenet1_1: 1_235_496,
}
const small = ["lenet", "tinyvgg", "mnistcnn"]
const grey = [...small, "alexnet-d2l", "alexnet-d2l-nopad", "nin"]
const ten = [...grey, "alexnet-5x5"]

test("the table names every model", () => {
  expect(Object.keys(Nn.zoo).toSorted()).toEqual(Object.keys(counts).toSorted())
})

const built = new Map(Object.entries(Nn.zoo).map(([name, make]) => [name, make()]))
describe.each([...built])("%s", (name, net) => {
  test("fits", () => {
    expect(net.refusal).toBeNull()
    const size = small.includes(name) ? 28 : 224
    expect(net.in).toEqual(["N", grey.includes(name) ? 1 : 3, size, size])
    expect(net.out).toEqual(["N", ten.includes(name) ? 10 : 1000])
  })
  test("has as many parameters as the reference", () => {
    expect(Nn.summary(net).parameters).toBe(counts[name])
  })
})

interface Listing {
  readonly entries: number
  readonly parameters: number
  readonly sha256: string
}
const torchvision: { readonly [name: string]: Listing } = JSON.parse(
  readFileSync(new URL("golden/torchvision.json", import.meta.url), "utf8"),
)
const { _: _about, ...listings } = torchvision
/** the lines that the file has the hash of: `conv1.weight 64x3x7x7` */
const lines = (net: Nn.Layer): ReadonlyArray<string> =>
  Nn.parameters(net).map(({ path, shape }) => `${path} ${shape.join("x")}`)

test.each(Object.entries(listings))(
  "%s has torchvision's names and shapes",
  (name, { entries, parameters, sha256 }) => {
    const net = built.get(name)
    if (net === undefined) throw new Error(`there is no ${name}`)
    expect(lines(net).length).toBe(entries)
    expect(parameters).toBe(counts[name])
    expect(createHash("sha256").update(lines(net).toSorted().join("\n")).digest("hex")).toBe(sha256)
  },
)

interface ModelCase {
  readonly name: string
  readonly state: ReadonlyArray<readonly [string, ReadonlyArray<number>]>
}
const golden: { readonly cases: ReadonlyArray<ModelCase> } = JSON.parse(
  readFileSync(new URL("../conformance/golden/cases.json", import.meta.url), "utf8"),
)
test.each(golden.cases.filter((c) => c.name.startsWith("model/")))("$name has PyTorch's names", ({ name, state }) => {
  const net = built.get(name.slice("model/".length))
  if (net === undefined) throw new Error(`there is no ${name}`)
  // the reference leaves the counters of batch normalisation out
  const ours = Nn.parameters(net).filter((p) => !p.path.endsWith("num_batches_tracked"))
  expect(ours.map(({ path, shape }) => [path, shape])).toEqual(state)
})

test("output shapes are in the types", () => {
  expectTypeOf(Nn.alexnet().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.alexnet({ numClasses: 7 }).out).toEqualTypeOf<["N", 7]>()
  expectTypeOf(Nn.alexnet5x5().out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.alexnetHalf().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.alexnetD2l().out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.alexnetD2lNopad().out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.alexnetD2lImagenet().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.mnistcnn().out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.nin().out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.nin({ inChannels: 3, numClasses: 100 }).in).toEqualTypeOf<["N", 3, 224, 224]>()
  expectTypeOf(Nn.nin({ inChannels: 3, numClasses: 100 }).out).toEqualTypeOf<["N", 100]>()
  expectTypeOf(Nn.vgg11().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg13().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg16({ numClasses: 10 }).out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.vgg19().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg11Bn().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg13Bn().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg16Bn().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.vgg19Bn().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.googlenet().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.googlenetAuxiliary({ numClasses: 5 }).out).toEqualTypeOf<["N", 5]>()
  expectTypeOf(Nn.resnet18({ numClasses: 10 }).out).toEqualTypeOf<["N", 10]>()
  expectTypeOf(Nn.resnet34().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.resnet50().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.resnet101().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.resnet152().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.densenet121().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.densenet161().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.densenet169().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.densenet201().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.mobilenetV2().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.squeezenet1_0().out).toEqualTypeOf<["N", 1000]>()
  expectTypeOf(Nn.squeezenet1_1({ numClasses: 3 }).out).toEqualTypeOf<["N", 3]>()
  expectTypeOf<Nn.ParamShapes<ReturnType<typeof Nn.resnet50>>["layer2.0.downsample.0.weight"]>().toEqualTypeOf<
    [512, 256, 1, 1]
  >()
  expectTypeOf<
    Nn.ParamShapes<ReturnType<typeof Nn.densenet121>>["features.denseblock1.denselayer2.norm1.weight"]
  >().toEqualTypeOf<[96]>()
  expectTypeOf<Nn.ParamShapes<ReturnType<typeof Nn.squeezenet1_0>>["features.3.expand1x1.bias"]>().toEqualTypeOf<[64]>()
})
