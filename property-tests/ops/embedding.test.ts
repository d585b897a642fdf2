import * as fc from "fast-check"
import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = fc
  .tuple(Laws.extents({ rank: [0, 2], most: 4 }), int(1, 5), int(1, 4))
  .map(([index, count, features]) => ({
    shapes: { index, weight: [count, features] },
    attributes: {},
  }))

onEveryDevice(
  Laws.op(({ index, weight }) => Ops.embedding(index, weight as Tensor<[number, number]>), {
    name: "embedding",
    cases,
    elements: ({ shapes }) => ({ index: Laws.labels(shapes.weight[0] ?? 1) }),
    differentiable: ["weight"],
    reference: ({ index, weight }) =>
      Laws.tabulate([...index.shape, weight.shape[1] ?? 1], (...i) =>
        Laws.at(weight, Laws.at(index, ...i.slice(0, -1)), i.at(-1) ?? 0),
      ),
    refused: [{ shapes: { index: [2, 3], weight: [3] }, attributes: {}, says: "expects a weight [count, features]" }],
  }),
)
