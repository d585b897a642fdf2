import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"
import { average, reduced } from "../support/reference.ts"

const cases = fc
  .tuple(int(1, 2), int(1, 3), int(1, 3), Laws.extents({ rank: [0, 2], most: 3 }))
  .map(([n, groups, each, rest]) => ({
    shapes: { x: [n, groups * each, ...rest], weight: [groups * each], bias: [groups * each] },
    attributes: { groups },
  }))

onEveryDevice(
  Laws.op(({ x, weight, bias }, { groups }) => Ops.groupNorm(x, groups, { weight, bias, eps: 0.01 }), {
    name: "groupNorm",
    cases,
    reference: ({ x, weight, bias }, { groups }) => {
      const [n = 1, c = 1, ...rest] = x.shape
      const parts: Laws.Array64 = { shape: [n, groups, c / groups, ...rest], data: x.data }
      const dims = parts.shape.map((_, d) => d).slice(2)
      const mean = reduced(parts, { dims }, average)
      const variance = reduced(parts, { dims }, (xs) => average(xs.map((v) => (v - average(xs)) ** 2)))
      return Laws.tabulate(x.shape, (...i) => {
        const [b = 0, k = 0] = i
        const group = Math.floor(k / (c / groups))
        const unit = (Laws.at(x, ...i) - Laws.at(mean, b, group)) / Math.sqrt(Laws.at(variance, b, group) + 0.01)
        return unit * Laws.at(weight, k) + Laws.at(bias, k)
      })
    },
    refused: [
      {
        shapes: { x: [2, 3, 2], weight: [3], bias: [3] },
        attributes: { groups: 2 },
        says: "has 2 groups, which do not divide the 3 channels of its input",
      },
    ],
  }),
)
