/** What the suites measure is what they are said to measure, and peers build the models that ours are. */
import { describe, expect, it } from "vitest"
import { cases } from "../../bench/bandwidth.ts"
import { contractions } from "../../bench/contraction.ts"
import { leastBytes } from "../../bench/overhead.ts"
import { models, parametersOf, type Spec } from "../../bench/peers/models.ts"
import { batches } from "../../bench/scale.ts"
import { jobs, netOf } from "../../bench/step.ts"
import { pages } from "../../bench/table.ts"
import { parameters } from "../../src/models/StateDict.ts"
import { summary } from "../../src/models/summary.ts"

const passes = ["forward", "inputGradient", "weightGradient"]

/** the convolutions of a model without repetition, as `channels size → channels size k s p` */
const convolutionsOf = (model: string): ReadonlySet<string> => {
  const [, size = 0] = netOf(model).in.slice(1).map(Number)
  let side = size
  const found = new Set<string>()
  for (const s of models[model] ?? []) {
    if (s.kind === "conv") {
      const out = Math.floor((side + 2 * s.padding - s.k) / s.stride) + 1
      found.add(`${s.i} ${side} → ${s.o} ${out} k${s.k} s${s.stride} p${s.padding}`)
      side = out
    } else if (s.kind === "max") side = Math.floor((side + 2 * s.padding - s.k) / s.stride) + 1
  }
  return found
}

describe("contraction", () => {
  it.each([
    ["lenet", 64],
    ["tinyvgg", 32],
    ["alexnet", 16],
    ["vgg16", 4],
  ])("has every convolution of %s forward and both gradients, in batches of %d", (model, batch) => {
    const measured = contractions.flatMap(({ name, form: f }) =>
      f._tag === "Conv2d" && name.startsWith(model)
        ? [
            {
              batch: f.n,
              text: `${f.c} ${f.h} → ${f.o} ${f.oh} k${f.kernel[0]} s${f.stride[0]} p${f.padding[0]}`,
              pass: f.pass,
            },
          ]
        : [],
    )
    expect(new Set(measured.map((m) => m.batch))).toEqual(new Set([batch]))
    for (const pass of passes) {
      const texts = measured.filter((m) => m.pass === pass).map((m) => m.text)
      expect(new Set(texts)).toEqual(convolutionsOf(model))
      expect(texts.length).toBe(convolutionsOf(model).size)
    }
  })

  it("has three products, a depthwise and a 1×1 convolution", () => {
    const products = contractions.flatMap(({ form: f }) => (f._tag === "MatMul" ? [[f.m, f.k, f.n]] : []))
    expect(products).toEqual([
      [256, 256, 256],
      [1024, 1024, 1024],
      [4096, 9216, 64],
    ])
    for (const [name, c, kernel, groups] of [
      ["depthwise 3×3", 96, 3, 96],
      ["1×1", 256, 1, 1],
    ] as const)
      for (const pass of passes)
        expect(contractions.find((x) => x.name === `${name} ${pass}`)?.form).toMatchObject({
          c,
          h: 56,
          w: 56,
          kernel: [kernel, kernel],
          groups,
        })
  })
})

describe("step", () => {
  it("has the training steps in their batches, and inference of 1 and of 64", () => {
    const text = jobs.map((j) => `${j.model} ${j.training ? "trains" : "infers"} ${j.batch}`)
    const trained = ["lenet 64", "tinyvgg 32", "mnistcnn 100", "alexnet 16", "alexnet 1", "vgg16 4", "resnet18 16"]
    const names = ["lenet", "tinyvgg", "mnistcnn", "alexnet", "vgg16", "resnet18"]
    const expected = [
      ...trained.map((t) => t.replace(" ", " trains ")),
      ...names.flatMap((n) => [`${n} infers 1`, `${n} infers 64`]),
    ]
    expect(text.toSorted()).toEqual(expected.toSorted())
  })
})

it("bandwidth has element-wise, pooling, normalisation and optimiser kernels, out of place and in place", () => {
  const names = cases.map((c) => c.name).join(", ")
  for (const word of ["relu", "add", "max pooling", "average pooling", "batch normalisation", "adam", "sgd"])
    expect(names).toContain(word)
  expect(new Set(cases.map((c) => c.inPlace === true))).toEqual(new Set([true, false]))
})

it("scale goes from batches of 1 to 256", () => {
  expect([batches[0], batches.at(-1)]).toEqual([1, 256])
})

it("a training step keeps at least its parameters thrice, with momentum, and what its layers give", () => {
  const job = jobs.find((j) => j.training && j.model === "alexnet" && j.batch === 1)!
  const bytes = leastBytes(netOf("alexnet"), job)
  expect(bytes).toBeGreaterThan(4 * 3 * 61_100_840)
  expect(bytes).toBeLessThan(4 * 3.05 * 61_100_840)
})

/** ours names each layer by its kind; views and what only inference drops are not told apart by all */
const kinds: { readonly [kind in Spec["kind"]]: string } = {
  conv: "conv2d",
  norm: "batchNorm2d",
  linear: "linear",
  max: "maxPool2d",
  relu: "relu",
  flatten: "flatten",
  dropout: "dropout",
  globalAverage: "adaptiveAvgPool2d",
  residual: "residual",
}
const leaves = (specs: ReadonlyArray<Spec>): ReadonlyArray<string> =>
  specs.flatMap((s) => (s.kind === "residual" ? [...leaves(s.body), ...leaves(s.shortcut), "relu"] : [kinds[s.kind]]))

describe("the models of peers", () => {
  it.each(Object.keys(models))("%s has the layers and parameters of ours", (model) => {
    const net = netOf(model)
    const specs = models[model] ?? []
    const own = parameters(net).flatMap(({ path, shape }) =>
      path.endsWith("num_batches_tracked") ? [] : [shape.join("×")],
    )
    expect(parametersOf(specs).map((p) => p.shape.join("×"))).toEqual(own)
    // at 224 × 224 the adaptive averages of AlexNet and VGG are over windows of one
    const said = (kind: string) => model.startsWith("resnet") || kind !== "adaptiveAvgPool2d"
    const rows = summary(net)
      .rows.map((r) => r.kind)
      .filter(said)
    // a residual block lists its branches in an order of its own
    const order = (xs: ReadonlyArray<string>) => (model.startsWith("resnet") ? xs.toSorted() : xs)
    expect(order(leaves(specs))).toEqual(order(rows))
  })
})

it.each(pages())("$file shows the results that are kept (npm run bench:table)", ({ now, due }) => {
  expect(now).toBe(due)
})
