import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const pair = (min: number, max: number) => fc.tuple(int(min, max), int(min, max))

const both = (f: (d: 0 | 1) => number): [number, number] => [f(0), f(1)]

const cases = fc
  .record({
    batch: fc.constantFrom<ReadonlyArray<number>>([1], [2]),
    perGroup: pair(1, 2),
    groups: fc.constantFrom(1, 1, 2),
    size: pair(1, 4),
    kernelSize: pair(1, 3),
    stride: pair(1, 3),
    dilation: pair(1, 2),
    bias: fc.boolean(),
    padded: fc.boolean(),
  })
  .map(({ batch, perGroup: [i, o], groups, size, kernelSize, stride, dilation, bias, padded }) => ({
    shapes: { x: [...batch, i * groups, ...size], weight: [i * groups, o, ...kernelSize], bias: [o * groups] },
    attributes: {
      groups,
      stride,
      dilation,
      bias,
      // what is cut from each side must leave something, and what is added must be less than the stride
      padding: both((d) => (padded && (kernelSize[d] - 1) * dilation[d] >= 2 ? 1 : 0)),
      outputPadding: both((d) => (padded && stride[d] > 1 ? 1 : 0)),
    },
  }))

onEveryDevice(
  Laws.op(({ x, weight, bias }, a) => Ops.convTranspose2d(x, weight, a.bias ? bias : null, a), {
    name: "convTranspose2d",
    cases,
    reference: ({ x, weight, bias }, a) => {
      const [n = 1, channels = 1, h = 1, w = 1] = x.shape
      const [, perGroup = 1, kh = 1, kw = 1] = weight.shape
      const extent = (size: number, k: number, d: 0 | 1): number =>
        (size - 1) * a.stride[d] - 2 * a.padding[d] + a.dilation[d] * (k - 1) + a.outputPadding[d] + 1
      const [height, width, outputs] = [extent(h, kh, 0), extent(w, kw, 1), perGroup * a.groups]
      const sums = new Map<string, number>()
      // each element paints its filter onto the output
      for (let b = 0; b < n; b++)
        for (let c = 0; c < channels; c++)
          for (let o = 0; o < perGroup; o++)
            for (let y = 0; y < h; y++)
              for (let z = 0; z < w; z++)
                for (let i = 0; i < kh; i++)
                  for (let j = 0; j < kw; j++) {
                    const filter = Math.floor(c / (channels / a.groups)) * perGroup + o
                    const row = y * a.stride[0] - a.padding[0] + i * a.dilation[0]
                    const column = z * a.stride[1] - a.padding[1] + j * a.dilation[1]
                    const key = [b, filter, row, column].join()
                    sums.set(key, (sums.get(key) ?? 0) + Laws.at(x, b, c, y, z) * Laws.at(weight, c, o, i, j))
                  }
      return Laws.tabulate(
        [n, outputs, height, width],
        (...i) => (sums.get(i.join()) ?? 0) + (a.bias ? Laws.at(bias, i[1] ?? 0) : 0),
      )
    },
    refused: [
      {
        shapes: { x: [1, 3, 4, 4], weight: [2, 2, 3, 3], bias: [2] },
        attributes: { groups: 1, stride: [1, 1], dilation: [1, 1], bias: true, padding: [0, 0], outputPadding: [0, 0] },
        says: "expects 2 input channels but the input gives 3",
      },
    ],
  }),
)
