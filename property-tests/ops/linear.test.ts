import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc
  .tuple(Laws.extents({ rank: [0, 2], most: 4 }), int(1, 9), int(1, 9), fc.boolean())
  .map(([lead, k, n, bias]) => ({
    shapes: { x: [...lead, k], weight: [n, k], bias: [n] },
    attributes: { bias },
  }))

onEveryDevice(
  Laws.op(({ x, weight, bias }, a) => Ops.linear(x, weight, a.bias ? bias : null), {
    name: "linear",
    cases,
    edges: [{ shapes: { x: [0, 3], weight: [2, 3], bias: [2] }, attributes: { bias: true } }],
    reference: ({ x, weight, bias }, a) =>
      Laws.tabulate([...x.shape.slice(0, -1), weight.shape[0] ?? 0], (...i) => {
        const [lead, o] = [i.slice(0, -1), i.at(-1) ?? 0]
        let sum = a.bias ? Laws.at(bias, o) : 0
        for (let j = 0; j < (weight.shape[1] ?? 0); j++) sum += Laws.at(x, ...lead, j) * Laws.at(weight, o, j)
        return sum
      }),
    refused: [
      {
        shapes: { x: [2, 3], weight: [4, 5], bias: [4] },
        attributes: { bias: true },
        says: "expects 5 input features but the input gives 3",
      },
      {
        shapes: { x: [2, 3], weight: [4, 3], bias: [3] },
        attributes: { bias: true },
        says: "expects a bias of 4 but is given 3",
      },
    ],
  }),
)
