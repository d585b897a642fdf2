import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { onEveryDevice } from "../support/devices.ts"
import { average, reduced, spread } from "../support/reference.ts"

const cases = Laws.extents({ rank: [0, 2], most: 4 }).chain((lead) =>
  Laws.extents({ rank: [1, 2], most: 4 }).map((own) => ({
    shapes: { x: [...lead, 2, ...own], weight: own, bias: own },
    attributes: {},
  })),
)

onEveryDevice(
  Laws.op(({ x, weight, bias }) => Ops.layerNorm(x, weight.shape.map(Number), { weight, bias, eps: 0.01 }), {
    name: "layerNorm",
    cases,
    reference: ({ x, weight, bias }) => {
      const dims = weight.shape.map((_, i) => x.shape.length - weight.shape.length + i)
      const mean = reduced(x, { dims, keepDim: true }, average)
      const variance = reduced(x, { dims, keepDim: true }, (xs) => average(xs.map((v) => (v - average(xs)) ** 2)))
      return Laws.tabulate(
        x.shape,
        (...i) =>
          ((Laws.at(x, ...i) - spread(mean, i)) / Math.sqrt(spread(variance, i) + 0.01)) * spread(weight, i) +
          spread(bias, i),
      )
    },
  }),
)
