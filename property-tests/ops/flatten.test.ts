import * as Laws from "../../src/laws.ts"
import * as Ops from "../../src/ops/Ops.ts"
import type { Tensor } from "../../src/ops/Tensor.ts"
import { int } from "../support/cases.ts"
import { onEveryDevice } from "../support/devices.ts"

const cases = Laws.extents({ rank: [1, 5] }).chain((x) =>
  int(0, x.length - 1).chain((startDim) =>
    int(startDim - x.length, -1).map((endDim) => ({ shapes: { x }, attributes: { startDim, endDim } })),
  ),
)

onEveryDevice(
  Laws.op(({ x }, { startDim, endDim }): Tensor => Ops.flatten(x, startDim, endDim), {
    name: "flatten",
    cases,
    edges: [
      { shapes: { x: [0, 2, 3] }, attributes: { startDim: 1, endDim: -1 } },
      { shapes: { x: [] }, attributes: { startDim: 0, endDim: -1 } },
    ],
    reference: ({ x }, { startDim, endDim }) => {
      const to = endDim + 1 + x.shape.length
      const one = x.shape.slice(startDim, to).reduce((n, d) => n * d, 1)
      return { shape: [...x.shape.slice(0, startDim), one, ...x.shape.slice(to)], data: x.data }
    },
    refused: [
      { shapes: { x: [2] }, attributes: { startDim: 3, endDim: -1 }, says: "there is no dimension 3 in 2" },
      {
        shapes: { x: [2, 3, 4] },
        attributes: { startDim: 2, endDim: 0 },
        says: "dimension 2 comes after dimension 0 in 2×3×4",
      },
    ],
  }),
)
